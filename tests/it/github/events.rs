//! What follows from a changed ref: it is remembered who pushed, workflows start, pulls move.

use serde_json::{Value, json};

use crate::github::git::NONE;
use crate::github::hub::Hub;
use crate::github::pulls;
use crate::github::state::{Push, Run, Stage, State};
use crate::github::text::now;
use crate::github::tokens::{Kind, Token};

/// More tags than these in one push start nothing.
const TAGS_AT_ONCE: usize = 3;

/// Sees what changed since the last look; `by` is whose doing it was, and whether over git's own protocol.
/// Without it a test has changed the repository by its own hand, which nobody hears of.
pub fn notice(hub: &Hub, state: &mut State, by: Option<(&Token, bool)>) {
    let refs = hub.git.refs();
    if refs == state.refs {
        return;
    }
    let before = std::mem::replace(&mut state.refs, refs);
    let changed = changes(&before, &state.refs);
    if let Some((token, git)) = by {
        let tags = changed.iter().filter(|(name, ..)| name.starts_with("refs/tags/")).count();
        for (reference, before, after) in &changed {
            state.pushes.push(Push {
                token: token.name.clone(),
                kind: token.kind,
                reference: reference.clone(),
                before: before.clone(),
                after: after.clone(),
                git,
            });
            let many = reference.starts_with("refs/tags/") && tags > TAGS_AT_ONCE;
            if after != NONE && !many {
                let short = reference.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/");
                start(hub, state, token, "push", short, &Value::Null);
            }
        }
    }
    pulls::sync(hub, state, by.map(|(token, _)| token));
    state.refs = hub.git.refs();
}

/// Starts the workflows that wait for an event, unless the job's own token caused it.
pub fn start(hub: &Hub, state: &mut State, token: &Token, event: &str, branch: &str, inputs: &Value) {
    if token.kind == Kind::Job && event != "workflow_dispatch" {
        return;
    }
    let waiting =
        state.workflows.iter().filter(|workflow| workflow.events.iter().any(|known| known == event));
    let waiting: Vec<u64> = waiting.map(|workflow| workflow.id).collect();
    for workflow in waiting {
        run(hub, state, &token.login(), (workflow, event, branch), inputs);
    }
}

/// A new run of a workflow for an event on a branch or tag; its number.
pub fn run(
    hub: &Hub,
    state: &mut State,
    login: &str,
    (workflow, event, branch): (u64, &str, &str),
    inputs: &Value,
) -> u64 {
    let known = state.workflows.iter().find(|known| known.id == workflow).expect("a workflow that is known");
    let mut title = known.title.clone();
    for (name, value) in inputs.as_object().into_iter().flatten() {
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        title = title.replace(&format!("{{{name}}}"), &value);
    }
    let stage = |status: &str, conclusion: Option<&str>| Stage {
        status: status.to_owned(),
        conclusion: conclusion.map(str::to_owned),
        reads: 1,
    };
    let usual = vec![stage("queued", None), stage("in_progress", None), stage("completed", Some("success"))];
    let course = if state.course.is_empty() { usual } else { state.course.clone() };
    let id = state.id();
    state.runs.push(Run {
        id,
        workflow,
        event: event.to_owned(),
        branch: branch.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/").to_owned(),
        sha: hub.git.commit(branch).unwrap_or_else(|| NONE.to_owned()),
        title,
        inputs: if inputs.is_null() { json!({}) } else { inputs.clone() },
        attempt: 1,
        actor: hub.user(login),
        created: now(),
        course: course.into(),
        hidden: state.lag,
        jobs: state.jobs.clone(),
        given: None,
    });
    id
}

type Refs = std::collections::BTreeMap<String, String>;

/// Name, before and after of each changed ref, but for those that GitHub keeps for pulls.
fn changes(before: &Refs, after: &Refs) -> Vec<(String, String, String)> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let old = |refs: &Refs, name: &str| refs.get(name).cloned().unwrap_or_else(|| NONE.to_owned());
    let each = names.into_iter().filter(|name| !name.starts_with("refs/pull/"));
    each.map(|name| (name.clone(), old(before, name), old(after, name)))
        .filter(|(_, before, after)| before != after)
        .collect()
}
