//! What `release doctor` says of GitHub: whether releases can be made there, and which drafts nobody will publish.

use crate::apply::book::Book;
use crate::apply::github::left::left_behind;
use crate::report::doctor::{Finding, Level};
use crate::report::plain::line;
use crate::survey::home::Home;
use crate::world::github::GitHub;
use crate::world::github::error::GitHubError;

/// The tag that is named when the permission is tried: none is made.
const PROBE: &str = "release-doctor";

/// What there is to say, where releases are made at GitHub at all.
pub async fn look(github: &GitHub, home: &Home, book: &Book) -> Vec<Finding> {
    if !home.github.as_ref().is_some_and(|table| table.releases()) {
        return Vec::new();
    }
    let repository = format!("{} at {}", github.slug(), github.host());
    match github.probe_releases(PROBE).await {
        Ok(()) => {}
        Err(error @ GitHubError::NoToken { .. }) => {
            let fact = format!("from here no release is made in {repository}: {error}");
            return vec![Finding { level: Level::Good, fact, next: None }];
        }
        Err(error) => return vec![failed(&error)],
    }
    let fact = format!("{repository} would take releases from here");
    let mut findings = vec![Finding { level: Level::Good, fact, next: None }];
    match left_behind(github, book.state()).await {
        Ok(left) => findings.extend(left.into_iter().map(|left| Finding {
            level: Level::Waits,
            fact: format!(
                "a draft of `{}` that no ship will publish stands at {}",
                line(&left.tag),
                left.page
            ),
            next: Some(format!(
                "look at it, then: gh api -X DELETE {}",
                github.path(&format!("releases/{}", left.id))
            )),
        })),
        Err(error) => findings.push(failed(&error)),
    }
    findings
}

fn failed(error: &GitHubError) -> Finding {
    Finding { level: Level::Waits, fact: error.to_string(), next: error.way_out() }
}
