//! The steps of a ship in words: as they go on, and as they ended.

use std::collections::BTreeMap;

use crate::ledger::state::IMAGE;
use crate::report::plain::line;
use crate::report::words::{count, short};

/// What a step is doing and to which package: `("building", Some("core"))`.
pub fn doing(step: &str) -> (String, Option<String>) {
    let (kind, package) = parts(step);
    let verb = match kind {
        "commit" => "writing the release commit",
        "tag" => "writing the tag of",
        "build" => "building",
        "image" => "building the image of",
        "seal" => "sealing the files",
        "claim" => "moving the branch and making the tags",
        "stash" => "keeping at GitHub the files of",
        "publish" => "publishing",
        "upload" => "uploading",
        "push" => "pushing the image of",
        "again" => "building the lost image again of",
        "retag" => "moving a tag of",
        "smoke" => "installing and trying",
        "announce" => "publishing at GitHub the release of",
        "tell" => "telling pull requests and issues",
        "deploy" => "deploying",
        "validate" => "validating",
        "return" => "taking back",
        "prove" => "validating what was before",
        other => return (line(other), package.map(line)),
    };
    (verb.to_owned(), package.map(line))
}

/// What a step has done: `built core 2.1.0  2 files`. `version` is that of its package.
pub fn done(step: &str, version: Option<&str>, evidence: &BTreeMap<String, String>) -> String {
    let (kind, package) = parts(step);
    let name = line(&[package.unwrap_or(""), version.unwrap_or("")].join(" "));
    let of = |key: &str| evidence.get(key).map(String::as_str).unwrap_or_default();
    let found = match kind {
        "seal" if !evidence.is_empty() => sealed(evidence),
        "build" | "publish" if !evidence.is_empty() => count(evidence.len(), "file"),
        "image" | "push" | "again" => short_digest(of("digest")),
        "retag" => format!("before: {}", short_digest(of("before"))),
        "stash" | "announce" => line(of("page")),
        "commit" | "claim" => short(of("commit")),
        "tag" => line(of("tag")),
        "smoke" if evidence.contains_key("undecided") => format!("undecided: {}", line(of("undecided"))),
        "tell" if evidence.contains_key("untold") => {
            format!("{}, not all: {}", line(of("told")), line(of("untold")))
        }
        "tell" => line(of("told")),
        "smoke" => line(of("python")),
        "deploy" | "return" => short_digest(of("digest")),
        _ => String::new(),
    };
    let words = match kind {
        "commit" if evidence.contains_key("merged") => "took the merged commit".to_owned(),
        "commit" => "wrote the release commit".to_owned(),
        "tag" => format!("wrote the tag of {name}"),
        "build" => format!("built {name}"),
        "image" => format!("built the image of {name}"),
        "push" => format!("pushed the image of {name}"),
        "again" => format!("built the lost image of {} again", line(owner_of(step))),
        "retag" => format!("moving {} of {}", line(file_of(step)), line(owner_of(step))),
        "seal" => "sealed the files".to_owned(),
        "claim" if of("branch").is_empty() => "moved the branch and made the tags".to_owned(),
        "claim" => format!("moved {} and made the tags", line(of("branch"))),
        "stash" => format!("kept the files of {name} in a draft"),
        "announce" => format!("published the release of {name}"),
        "publish" => format!("published {name}"),
        "upload" if of("found") == "already-there" => format!("found {} there already", line(file_of(step))),
        "upload" => format!("uploaded {}", line(file_of(step))),
        "tell" => "told pull requests and issues".to_owned(),
        "smoke" => format!("installed and tried {name}"),
        "deploy" => format!("deployed {name}"),
        "validate" => format!("validated {name}"),
        "return" => format!("took {} back to {}", line(package.unwrap_or("")), line(of("version"))),
        "prove" => format!("validated {} {}", line(package.unwrap_or("")), line(of("version"))),
        _ => format!("did {}", line(step)),
    };
    format!("{words}  {found}").trim_end().to_owned()
}

/// What a step failed to do: `failed to build core 2.1.0`.
pub fn failed(step: &str, version: Option<&str>) -> String {
    let (kind, package) = parts(step);
    let name = line(&[package.unwrap_or(""), version.unwrap_or("")].join(" "));
    match kind {
        "commit" => "failed to write the release commit".to_owned(),
        "tag" => format!("failed to write the tag of {name}"),
        "build" => format!("failed to build {name}"),
        "image" => format!("failed to build the image of {name}"),
        "push" => format!("failed to push the image of {name}"),
        "seal" => "failed to seal the files".to_owned(),
        "claim" => "failed to move the branch and make the tags".to_owned(),
        "stash" => format!("failed to keep the files of {name} at GitHub"),
        "announce" => format!("failed to publish the release of {name} at GitHub"),
        "publish" => format!("failed to publish {name}"),
        "upload" => format!("failed to upload {}", line(file_of(step))),
        "smoke" => format!("failed to install and try {name}"),
        "deploy" => format!("failed to deploy {name}"),
        "validate" => format!("{name} is not proven"),
        "return" => format!("failed to take {} back", line(package.unwrap_or(""))),
        "prove" => format!("what {} went back to is not proven", line(package.unwrap_or(""))),
        _ => format!("failed to do {}", line(step)),
    }
}

/// What was sealed: `8 files, 1 image`.
fn sealed(evidence: &BTreeMap<String, String>) -> String {
    let images = evidence.keys().filter(|key| key.ends_with(&format!("/{IMAGE}"))).count();
    let files = count(evidence.len() - images, "file");
    if images == 0 { files } else { format!("{files}, {}", count(images, "image")) }
}

/// A digest as people read it: `sha256:0123456789ab`.
fn short_digest(digest: &str) -> String {
    line(digest).chars().take("sha256:".len() + 12).collect()
}

/// The file that a step puts on an index: `upload:core/core-2.1.0.tar.gz`.
fn file_of(step: &str) -> &str {
    parts(step).1.and_then(|rest| rest.split_once('/')).map_or(step, |(_, file)| file)
}

/// The package that a step with a further name belongs to: `retag:core/latest`.
fn owner_of(step: &str) -> &str {
    parts(step).1.map_or("", |rest| rest.split_once('/').map_or(rest, |(package, _)| package))
}

/// `build:core` is a build of core.
pub fn parts(step: &str) -> (&str, Option<&str>) {
    match step.split_once(':') {
        Some((kind, package)) => (kind, Some(package)),
        None => (step, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(step: &str, evidence: &[(&str, &str)], words: &str) {
        let evidence = evidence.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(done(step, Some("2.1.0"), &evidence), words);
    }

    #[test]
    fn steps_end_in_words() {
        check("build:core", &[("a.whl", "sha256:1"), ("a.tar.gz", "sha256:2")], "built core 2.1.0  2 files");
        check("commit", &[("commit", "0123456789abcdef")], "wrote the release commit  0123456");
        check(
            "claim",
            &[("branch", "main"), ("commit", "0123456789")],
            "moved main and made the tags  0123456",
        );
        check(
            "smoke:core",
            &[("undecided", "no python")],
            "installed and tried core 2.1.0  undecided: no python",
        );
        check("seal", &[], "sealed the files");
        let page = ("page", "https://github.com/a/b/releases/1");
        let kept = "kept the files of core 2.1.0 in a draft  https://github.com/a/b/releases/1";
        check("stash:core", &[page, ("a.whl", "sha256:1")], kept);
        let published = "published the release of core 2.1.0  https://github.com/a/b/releases/1";
        check("announce:core", &[page], published);
        let digest = "sha256:0123456789abcdef";
        check("image:core", &[("digest", digest)], "built the image of core 2.1.0  sha256:0123456789ab");
        check(
            "retag:core/latest",
            &[("before", digest)],
            "moving latest of core  before: sha256:0123456789ab",
        );
        check("push:core", &[("digest", digest)], "pushed the image of core 2.1.0  sha256:0123456789ab");
        check("dance\u{1b}[2J", &[], "did dance");
    }

    #[test]
    fn failures_name_the_effect() {
        assert_eq!(failed("publish:core", None), "failed to publish core");
        assert_eq!(failed("claim", None), "failed to move the branch and make the tags");
    }
}
