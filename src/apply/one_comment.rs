//! One comment of ours on a pull request or an issue: found again by its first line, made, changed, never doubled.

use crate::apply::crash;
use crate::world::github::GitHub;
use crate::world::github::comments::{Comment, Speaker};
use crate::world::github::error::GitHubError;

/// How often it is looked again after something was changed, before that is left to the next run.
const LOOKS: usize = 6;

/// The comment that shall stand.
pub struct Wanted<'w> {
    /// The pull request or issue.
    pub number: u64,
    /// How its first line begins, whoever of us wrote it: an HTML comment, which nobody sees.
    pub mark: &'w str,
    /// All of it, which begins with the mark.
    pub body: &'w str,
    /// Whether what stands there, by its first line, is newer than this.
    pub is_newer: &'w (dyn Fn(&str) -> bool + Sync),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    Added(String),
    Changed(String),
    /// It stood there already.
    Same(String),
    /// What stands there is newer, and stays.
    Newer(String),
}

impl Done {
    /// The comment's page.
    pub fn page(&self) -> &str {
        match self {
            Done::Added(page) | Done::Changed(page) | Done::Same(page) | Done::Newer(page) => page,
        }
    }
}

/// Makes the comment stand, once: looks, acts, looks again.
///
/// # Errors
/// Where GitHub says no, or does not answer.
pub async fn ensure(github: &GitHub, speaker: &Speaker, wanted: &Wanted<'_>) -> Result<Done, GitHubError> {
    let (mut added, mut changed) = (false, false);
    for _ in 0..LOOKS {
        let ours = ours(github, speaker, wanted).await?;
        let Some((first, others)) = ours.split_first() else {
            crash::point();
            match github.add_comment(wanted.number, wanted.body).await {
                // It may stand there all the same: the next look tells.
                Err(error) if !error.may_have_acted() => return Err(error),
                _ => {}
            }
            crash::point();
            added = true;
            continue;
        };
        if let Some(newer) = ours.iter().find(|comment| (wanted.is_newer)(first_line(comment))) {
            return Ok(Done::Newer(newer.html_url.clone()));
        }
        let is_same = says_same(first, wanted.body);
        if !is_same {
            crash::point();
            match github.edit_comment(first.id, wanted.body).await {
                // Somebody has just deleted it.
                Err(error) if error.is_missing() => continue,
                edited => edited?,
            };
            crash::point();
            changed = true;
        }
        for other in others {
            github.delete_comment(other.id).await?;
            crash::point();
        }
        if is_same && others.is_empty() {
            let page = first.html_url.clone();
            return Ok(match (added, changed) {
                (true, _) => Done::Added(page),
                (false, true) => Done::Changed(page),
                (false, false) => Done::Same(page),
            });
        }
    }
    let ours = ours(github, speaker, wanted).await?;
    let page = ours.first().map(|comment| comment.html_url.clone()).unwrap_or_default();
    Ok(if added { Done::Added(page) } else { Done::Changed(page) })
}

/// Our comments with this mark, the oldest first.
async fn ours(github: &GitHub, speaker: &Speaker, wanted: &Wanted<'_>) -> Result<Vec<Comment>, GitHubError> {
    let mut found = github.comments(wanted.number).await?;
    found.retain(|comment| speaker.wrote(comment) && first_line(comment).starts_with(wanted.mark));
    found.sort_by_key(|comment| comment.id);
    Ok(found)
}

fn first_line(comment: &Comment) -> &str {
    comment.body.as_deref().unwrap_or_default().lines().next().unwrap_or_default()
}

/// Whether two texts are the same but for ends of lines.
fn says_same(comment: &Comment, body: &str) -> bool {
    let lines =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines(comment.body.as_deref().unwrap_or_default()) == lines(body)
}
