//! The command line's words of plans that are looked at beforehand.

use std::ffi::OsString;

use clap::Args;

use crate::cli::failure::Failure;

/// Commits that do not exist yet, and pull requests.
#[derive(Debug, Args)]
pub struct Assume {
    /// Tell this pull request in a comment what merging it would release [default: the one that the workflow runs for]
    ///
    /// HEAD must be its trial merge, which a workflow on `pull_request` has checked out. One comment is kept up to date.
    #[arg(long, value_name = "PR", num_args = 0..=1, default_missing_value = "",
        conflicts_with_all = ["assume", "out", "explain", "tag"])]
    pub comment: Option<String>,
    /// Plan as if a commit with this message stood on HEAD (repeatable, each on top of the one before)
    ///
    /// It changes what `--paths` names; without it, the packages that its scope or a `Packages:` footer names. Such a
    /// plan is marked, and can neither be saved with -o nor shipped.
    #[arg(long, value_name = "MESSAGE")]
    pub assume: Vec<String>,
    /// Files, from the repository's root, that every assumed commit changes
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "assume")]
    pub paths: Vec<String>,
}

/// Reads a variable of the environment.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<OsString>;

/// The number of the pull request: as said, or the one that the workflow runs for.
pub fn pull_number(word: &str, variable: Variable<'_>) -> Result<u64, Failure> {
    let said = word.trim_start_matches('#');
    if !said.is_empty() {
        let number = said.parse().ok().filter(|number| *number > 0);
        return number.ok_or_else(|| {
            Failure::user(format!("`{word}` is no number of a pull request"))
                .hint("write it as in `--comment 12`")
        });
    }
    let text = |name: &str| variable(name)?.into_string().ok();
    let of_ref = || text("GITHUB_REF")?.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok();
    let of_event = || {
        let event = std::fs::read(text("GITHUB_EVENT_PATH")?).ok()?;
        let event: serde_json::Value = serde_json::from_slice(&event).ok()?;
        event.pointer("/pull_request/number")?.as_u64()
    };
    of_ref().or_else(of_event).ok_or_else(|| {
        Failure::user("it is not known which pull request is meant")
            .hint("name it: `release plan --comment 12`; a workflow on `pull_request` knows it by itself")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, variables: &[(&str, &str)], expected: Option<u64>) {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        assert_eq!(pull_number(word, &variable).ok(), expected, "{word} {variables:?}");
    }

    #[test]
    fn the_number_is_said_or_stands_in_the_workflows_ref_or_event() {
        check("12", &[("GITHUB_REF", "refs/pull/7/merge")], Some(12));
        check("#12", &[], Some(12));
        check("", &[("GITHUB_REF", "refs/pull/7/merge")], Some(7));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"pull_request": {"number": 9}}"#).unwrap();
        let path = file.path().to_str().unwrap();
        check("", &[("GITHUB_REF", "refs/heads/main"), ("GITHUB_EVENT_PATH", path)], Some(9));
        for word in ["0", "x", "1/../2", "-1"] {
            check(word, &[], None);
        }
        check("", &[("GITHUB_REF", "refs/heads/refs/pull/7/merge")], None);
    }
}
