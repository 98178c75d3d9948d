//! Git's own protocol, with tokens as passwords.

use crate::github::answer::Answer;
use crate::github::events;
use crate::github::hub::{Hub, whole};
use crate::github::tokens::{Level, Who};
use crate::web::{self, Request};

/// The answer to a request of git; `None` for all others.
pub fn answer(hub: &Hub, request: &Request) -> Option<Vec<u8>> {
    let place = format!("/{}/{}", hub.owner, hub.name);
    let rest = request.path.strip_prefix(&place)?;
    let rest = rest.strip_prefix(".git").unwrap_or(rest);
    if !matches!(rest, "/info/refs" | "/git-upload-pack" | "/git-receive-pack") {
        return None;
    }
    let push = rest == "/git-receive-pack" || request.query.contains("git-receive-pack");
    let token = match hub.who(request) {
        Who::Nobody => None,
        Who::Known(token) => Some(token),
        Who::Unknown => return Some(challenge()),
    };
    let (private, archived) = {
        let state = hub.state.lock().unwrap();
        (state.private, state.archived)
    };
    let Some(token) = token else {
        if push || private {
            return Some(challenge());
        }
        return backend(hub, request, &place, rest, "");
    };
    if private && !(token.access && token.may("contents", Level::Read)) {
        return Some(words(404, "Repository not found."));
    }
    if push && !token.may("contents", Level::Write) {
        return Some(words(403, "Write access to repository not granted."));
    }
    if push && archived {
        return Some(words(403, "This repository was archived so it is read-only."));
    }
    let pushes = request.method == "POST" && push;
    if pushes {
        events::notice(hub, &mut hub.state.lock().unwrap(), None);
    }
    let answer = backend(hub, request, &place, rest, &token.login());
    if pushes {
        events::notice(hub, &mut hub.state.lock().unwrap(), Some((&token, true)));
    }
    answer
}

fn backend(hub: &Hub, request: &Request, place: &str, rest: &str, user: &str) -> Option<Vec<u8>> {
    let request = Request { path: format!("{place}.git{rest}"), ..request.clone() };
    web::git_backend(&hub.root, user, &request)
}

fn challenge() -> Vec<u8> {
    let answer = Answer { status: 401, ..Answer::bytes("text/plain", Vec::new()) };
    whole(&answer.with("www-authenticate", "Basic realm=\"GitHub\""))
}

fn words(status: u16, said: &str) -> Vec<u8> {
    whole(&Answer { status, ..Answer::bytes("text/plain", said.as_bytes().to_vec()) })
}
