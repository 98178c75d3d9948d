//! Recognises a `release.toml` that was written for cargo-release.

use crate::workspace::config::problem::Problem;
use crate::workspace::config::spanned::{Entry, Kind, Node};

/// Keys that cargo-release reads at the top of its file and that mean nothing here.
const KEYS: [&str; 25] = [
    "allow-branch",
    "certs-source",
    "consolidate-commits",
    "dependent-version",
    "enable-all-features",
    "enable-features",
    "metadata",
    "owners",
    "pre-release-commit-message",
    "pre-release-hook",
    "pre-release-replacements",
    "publish",
    "push",
    "push-options",
    "push-remote",
    "rate-limit",
    "release",
    "shared-version",
    "sign-commit",
    "sign-tag",
    "tag-message",
    "tag-name",
    "tag-prefix",
    "unstable",
    "verify",
];

/// The document without cargo-release's keys, and one problem that names them; `None` where it has none.
pub fn recognise(document: &Node) -> Option<(Node, Problem)> {
    let (foreign, ours): (Vec<&Entry>, Vec<&Entry>) =
        document.entries().iter().partition(|entry| is_foreign(entry));
    let first = foreign.first()?;
    let names: Vec<String> = foreign.iter().map(|entry| format!("`{}`", entry.key)).collect();
    let problem = Problem::new(
        first.place.clone(),
        format!("this is cargo-release's file: {} {} its own", names.join(", "), if names.len() == 1 { "is" } else { "are" }),
    )
    .with_help(
        "leave it to cargo-release and put this tool's settings into `.config/release.toml`, or under `[tool.release]` \
         in `pyproject.toml`",
    );
    let rest = ours.into_iter().cloned().collect();
    Some((Node { place: document.place.clone(), kind: Kind::Table(rest) }, problem))
}

fn is_foreign(entry: &Entry) -> bool {
    match entry.key.as_str() {
        // both tools know these words; cargo-release's are no tables
        "registry" => entry.node.as_text().is_some(),
        "tag" => entry.node.as_truth().is_some(),
        "target" => matches!(entry.node.kind, Kind::List(_) | Kind::Text(_)),
        key => KEYS.contains(&key),
    }
}
