//! Who asks, and what GitHub lets them do.

use std::collections::BTreeMap;

/// Whose token it is: GitHub's own job, an app's installation, a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What it does starts no workflow.
    Job,
    App,
    Personal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Read,
    Write,
}

#[derive(Clone)]
pub struct Token {
    /// What tests call it; the secret is printed nowhere.
    pub name: String,
    pub kind: Kind,
    pub permissions: BTreeMap<String, Level>,
    /// Whether a private repository is there for it.
    pub access: bool,
}

impl Token {
    pub fn login(&self) -> String {
        match self.kind {
            Kind::Job => "github-actions[bot]".to_owned(),
            Kind::App => format!("{}[bot]", self.name),
            Kind::Personal => self.name.clone(),
        }
    }

    pub fn may(&self, permission: &str, level: Level) -> bool {
        self.permissions.get(permission).is_some_and(|given| *given >= level)
    }

    pub fn message(&self) -> &'static str {
        match self.kind {
            Kind::Personal => "Resource not accessible by personal access token",
            Kind::Job | Kind::App => "Resource not accessible by integration",
        }
    }
}

/// Who sends a request.
pub enum Who {
    Nobody,
    Known(Token),
    /// Somebody with a token that GitHub does not know.
    Unknown,
}

/// What an operation needs: any of these permissions, at this level; none at all where the list is empty.
pub struct Needed {
    pub any: &'static [&'static str],
    pub level: Level,
    /// Read by nobody else, though the repository is public.
    pub always: bool,
}

impl Needed {
    /// For `x-accepted-github-permissions`.
    pub fn header(&self) -> String {
        let level = if self.level == Level::Read { "read" } else { "write" };
        let each: Vec<String> = self.any.iter().map(|name| format!("{name}={level}")).collect();
        each.join("; ")
    }
}

pub fn needed(operation: &str, method: &str) -> Needed {
    let level = if method == "GET" { Level::Read } else { Level::Write };
    let (room, verb) = operation.split_once('/').unwrap_or((operation, ""));
    let any: &'static [&'static str] = match room {
        "git" => &["contents"],
        "pulls" if verb == "merge" => &["contents"],
        "pulls" => &["pull_requests"],
        "issues" => &["issues", "pull_requests"],
        "actions" => &["actions"],
        "checks" => &["checks"],
        "users" => &[],
        _ if verb.contains("branch-protection") => &["administration"],
        _ if verb.contains("immutable-releases") => &["administration"],
        _ if verb.contains("deployment") => &["deployments"],
        _ if verb.contains("environment") => &["actions"],
        _ if verb.contains("status") => &["statuses"],
        _ if verb.contains("rule") || verb == "get" => &[],
        _ if verb.contains("pull-requests") => &["pull_requests"],
        _ => &["contents"],
    };
    Needed { any, level, always: any == ["administration"] }
}
