//! Titles that everyone knows and nobody counts: merges, fixups, bots, releases, beginnings.

use crate::history::reader::Known;
use crate::history::reference::{leading_number, split_trailing};
use crate::history::revert::revert_of;
use crate::version::number::Version;

/// Recognises a message by its first line.
pub fn recognise(title: &str, message: &str) -> Option<Known> {
    if ["fixup!", "squash!", "amend!"].iter().any(|start| title.starts_with(start)) {
        Some(Known::Fixup)
    } else if let Some(revert) = revert_of(message) {
        Some(Known::Revert(revert))
    } else if title.starts_with("Squashed commit of the following:") {
        Some(Known::SquashHeader)
    } else if is_merge(title) {
        Some(Known::Merge)
    } else if is_release(title) {
        Some(Known::VersionOnlySubject)
    } else if is_initial(title) {
        Some(Known::Initial)
    } else {
        is_bot(title).then_some(Known::Bot)
    }
}

/// Whether the title is Bitbucket's: `Merged in feature/x (pull request #10)`, which a merge and a squash share.
pub fn is_bitbucket(title: &str) -> bool {
    title.starts_with("Merged in ")
}

/// The title and the pull request that Azure DevOps put before it: `Merged PR 12: feat: x`, on merges and squashes.
pub fn split_azure(title: &str) -> (&str, Option<u64>) {
    let split = || {
        let (number, rest) = leading_number(title.strip_prefix("Merged PR ")?)?;
        Some((rest.strip_prefix(':')?.trim_start(), Some(number)))
    };
    split().unwrap_or((title, None))
}

/// What git, GitHub, GitLab, Bitbucket, Azure DevOps and Gerrit write.
fn is_merge(title: &str) -> bool {
    const STARTS: [&str; 13] = [
        "pull request ",
        "branch ",
        "branches ",
        "remote-tracking branch ",
        "remote-tracking branches ",
        "remote ",
        "tag ",
        "tags ",
        "commit ",
        "commits ",
        "changes ",
        "\"",
        "'",
    ];
    let after = title.strip_prefix("Merge ");
    is_bitbucket(title)
        || split_azure(title).1.is_some()
        || after
            .is_some_and(|rest| STARTS.iter().any(|start| rest.starts_with(start)) || rest.contains(" into "))
}

fn is_release(title: &str) -> bool {
    let (title, _) = split_trailing(title.split(" [").next().unwrap_or_default());
    let mut words = title.split_whitespace();
    let first = words.next().unwrap_or_default();
    let number = match first.trim_end_matches(':').to_ascii_lowercase().as_str() {
        "release" | "version" => words.next().unwrap_or_default(),
        _ => first,
    };
    words.next().is_none() && is_version(number)
}

/// Whether a word is a version of at least two numbers.
fn is_version(word: &str) -> bool {
    let number = word.strip_prefix(['v', 'V']).unwrap_or(word);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.contains('.') && Version::parse(number).is_ok()
}

fn is_initial(title: &str) -> bool {
    let title = title.trim_end_matches(['.', '!']).to_ascii_lowercase();
    matches!(
        title.as_str(),
        "initial commit" | "initial import" | "initial release" | "first commit" | "init"
    )
}

/// Dependabot, Renovate and pre-commit.ci without a conventional prefix.
fn is_bot(title: &str) -> bool {
    let bump = title.strip_prefix("Bump ").is_some_and(|rest| {
        (rest.contains(" from ") && rest.contains(" to "))
            || (rest.starts_with("the ") && rest.contains(" group"))
    });
    let update = title.strip_prefix("Update ").is_some_and(|rest| {
        ["dependency ", "Rust crate ", "all dependencies"].iter().any(|start| rest.starts_with(start))
    });
    bump || update
        || ["[pre-commit.ci]", "[Snyk]", "[Security] Bump "].iter().any(|start| title.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::{recognise, split_azure};
    use crate::history::reader::Known;

    fn known(title: &str) -> &'static str {
        match recognise(title, title) {
            Some(Known::Merge) => "merge",
            Some(Known::Revert(_)) => "revert",
            Some(Known::Fixup) => "fixup",
            Some(Known::SquashHeader) => "squash",
            Some(Known::Bot) => "bot",
            Some(Known::VersionOnlySubject) => "version",
            Some(Known::Initial) => "initial",
            None => "-",
        }
    }

    #[test]
    fn merges_are_recognised() {
        for title in [
            "Merge pull request #12 from acme/feature/robust-z",
            "Merge branch 'docs/readme'",
            "Merge branches 'docs/one' and 'docs/two'",
            "Merge remote-tracking branch 'origin/main' into x",
            "Merge tag 'v1.0'",
            "Merge commit '3e4edf1'",
            "Merge 3e4edf1 into a9c8f77",
            "Merge \"feat: x\" into main",
            "Merged in feat/x (pull request #10)",
            "Merged PR 12: words",
        ] {
            assert_eq!(known(title), "merge", "{title}");
        }
        assert_eq!(known("Merge sort is faster now"), "-");
        assert_eq!(known("Merged the code"), "-");
    }

    #[test]
    fn releases_beginnings_and_fixups_are_recognised() {
        for title in
            ["1.2.3", "v1.2.3", "V1.0rc1", "Release 1.2.3", "version: v2.0", "1.2.3 (#12)", "1.0.0 [skip ci]"]
        {
            assert_eq!(known(title), "version", "{title}");
        }
        for title in ["2024", "v1", "1.2.3 is out", "Release", "Release the kraken", "v.1"] {
            assert_eq!(known(title), "-", "{title}");
        }
        assert_eq!(known("Initial commit"), "initial");
        assert_eq!(known("initial import."), "initial");
        assert_eq!(known("Initial thoughts"), "-");
        assert_eq!(known("fixup! feat: x"), "fixup");
        assert_eq!(known("squash! fixup! feat: x"), "fixup");
        assert_eq!(known("amend! feat: x"), "fixup");
        assert_eq!(known("Squashed commit of the following:"), "squash");
    }

    #[test]
    fn bots_are_recognised() {
        for title in [
            "Bump waitress from 3.0.0 to 3.0.1",
            "Bump the pip group across 1 directory with 2 updates",
            "[pre-commit.ci] pre-commit autoupdate",
            "Update dependency ruff to v0.8",
        ] {
            assert_eq!(known(title), "bot", "{title}");
        }
        assert_eq!(known("Bump version"), "-");
        assert_eq!(known("Update README.md"), "-");
    }

    #[test]
    fn azure_titles_are_split() {
        assert_eq!(split_azure("Merged PR 12: feat: x"), ("feat: x", Some(12)));
        assert_eq!(split_azure("Merged PR: x"), ("Merged PR: x", None));
    }
}
