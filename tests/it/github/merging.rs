//! Merges as GitHub's button makes them, by git in the bare repository.

use serde_json::Value;

use crate::github::git::Git;
use crate::github::state::Pull;

/// The tree that both sides make together; `None` where they do not fit.
pub fn tree(git: &Git, base: &str, head: &str) -> Option<String> {
    let words = ["merge-tree", "--write-tree", "--no-messages", base, head];
    git.ask(&words).map(|out| out.lines().next().unwrap_or_default().to_owned())
}

/// The commit that a pull becomes; `None` where it can not be merged.
pub fn merge(git: &Git, pull: &Pull, method: &str, message: &str) -> Option<String> {
    let base = git.branch(&pull.base)?;
    if method == "rebase" {
        return rebase(git, &base, &pull.head_sha);
    }
    let tree = tree(git, &base, &pull.head_sha)?;
    let mut words = vec!["commit-tree", &tree, "-p", &base];
    if method == "merge" {
        words.extend(["-p", &pull.head_sha]);
    }
    let author = pull.author["login"].as_str().unwrap_or_default();
    let address = format!("{author}@users.noreply.github.com");
    let more = [("GIT_AUTHOR_NAME", author), ("GIT_AUTHOR_EMAIL", address.as_str())];
    git.feed(&words, message.as_bytes(), &more).ok()
}

/// What the commit says where nobody says otherwise.
pub fn message(
    pull: &Pull,
    issue: &Value,
    owner: &str,
    method: &str,
    (title, words): (Option<String>, Option<String>),
) -> String {
    let own = issue["title"].as_str().unwrap_or_default();
    let usual = match method {
        "merge" => format!("Merge pull request #{} from {owner}/{}", pull.number, pull.head),
        _ => format!("{own} (#{})", pull.number),
    };
    let usual_words = if method == "merge" { own.to_owned() } else { String::new() };
    let whole = format!("{}\n\n{}", title.unwrap_or(usual), words.unwrap_or(usual_words));
    whole.trim_end().to_owned()
}

fn rebase(git: &Git, base: &str, head: &str) -> Option<String> {
    let range = format!("{base}..{head}");
    let list = git.ask(&["rev-list", "--reverse", "--no-merges", &range])?;
    let mut tip = base.to_owned();
    for commit in list.lines() {
        let parent = format!("--merge-base={commit}^");
        let out = git.ask(&["merge-tree", "--write-tree", "--no-messages", &parent, &tip, commit])?;
        let tree = out.lines().next()?.to_owned();
        let name = git.show(commit, "%an");
        let mail = git.show(commit, "%ae");
        let when = git.show(commit, "%ad");
        let more = [
            ("GIT_AUTHOR_NAME", name.as_str()),
            ("GIT_AUTHOR_EMAIL", mail.as_str()),
            ("GIT_AUTHOR_DATE", when.as_str()),
        ];
        let message = git.show(commit, "%B");
        tip = git.feed(&["commit-tree", &tree, "-p", &tip], message.as_bytes(), &more).ok()?;
    }
    Some(tip)
}
