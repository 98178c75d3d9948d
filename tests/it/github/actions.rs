//! Workflows, their runs and jobs; a run moves on as it is read.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::events;
use crate::github::hub::Hub;
use crate::github::state::{Run, Stage, State, Workflow};
use crate::github::text::{encoded, now};

pub fn workflows(call: &mut Call<'_>) -> Answer {
    let list = call.state.workflows.iter().map(|workflow| form(call.hub, workflow)).collect();
    call.counted("workflows", list)
}

pub fn workflow(call: &mut Call<'_>) -> Answer {
    match named(call) {
        Some(workflow) => Answer::ok(form(call.hub, workflow)),
        None => Answer::not_found(),
    }
}

pub fn dispatch(call: &mut Call<'_>) -> Answer {
    let Some(workflow) = named(call).cloned() else { return Answer::not_found() };
    let branch = call.text("ref").unwrap_or_default();
    if !workflow.events.iter().any(|event| event == "workflow_dispatch") {
        return Answer::refusal(422, "Workflow does not have 'workflow_dispatch' trigger");
    }
    if call.hub.git.commit(&branch).is_none() {
        return Answer::refusal(422, &format!("No ref found for: {branch}"));
    }
    let login = call.login();
    let inputs = call.body["inputs"].clone();
    let kind = (workflow.id, "workflow_dispatch", branch.as_str());
    let id = events::run(call.hub, call.state, &login, kind, &inputs);
    if call.body["return_run_details"] != true {
        return Answer::empty(204);
    }
    Answer::ok(json!({ "workflow_run_id": id, "run_url": call.hub.url(&format!("/actions/runs/{id}")),
        "html_url": call.hub.page(&format!("/actions/runs/{id}")) }))
}

pub fn list(call: &mut Call<'_>) -> Answer {
    listed(call, None)
}

pub fn of_workflow(call: &mut Call<'_>) -> Answer {
    let Some(workflow) = named(call).map(|workflow| workflow.id) else { return Answer::not_found() };
    listed(call, Some(workflow))
}

pub fn get(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let answer = Answer::ok(run(call.hub, call.state, &call.state.runs[at]));
    move_on(&mut call.state.runs[at]);
    answer
}

/// Only the present attempt is known in full; earlier ones have failed.
pub fn attempt(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("attempt_number");
    let Some(at) = place(call).filter(|at| (1..=call.state.runs[*at].attempt).contains(&wanted)) else {
        return Answer::not_found();
    };
    if wanted == call.state.runs[at].attempt {
        return get(call);
    }
    let mut value = run(call.hub, call.state, &call.state.runs[at]);
    value["run_attempt"] = json!(wanted);
    value["status"] = json!("completed");
    value["conclusion"] = json!("failure");
    Answer::ok(value)
}

pub fn jobs(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let run = call.state.runs[at].clone();
    if call.operation.parameters.contains_key("attempt_number") && call.number("attempt_number") > run.attempt
    {
        return Answer::not_found();
    }
    move_on(&mut call.state.runs[at]);
    let list = run.given.clone().unwrap_or_else(|| own_jobs(call.hub, &run));
    call.counted("jobs", list)
}

pub fn cancel(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    let run = &mut call.state.runs[at];
    if stage(run).status == "completed" {
        return Answer::refusal(409, "Cannot cancel a workflow run that is completed.");
    }
    let end = Stage { status: "completed".to_owned(), conclusion: Some("cancelled".to_owned()), reads: 1 };
    run.course = [end].into();
    Answer::json(202, json!({}))
}

pub fn rerun(call: &mut Call<'_>) -> Answer {
    let Some(at) = place(call) else { return Answer::not_found() };
    if stage(&call.state.runs[at]).status != "completed" {
        return Answer::refusal(403, "The workflow run is already running");
    }
    let course = call.state.course.clone();
    let run = &mut call.state.runs[at];
    run.attempt += 1;
    run.given = None;
    let usual = Stage { status: "completed".to_owned(), conclusion: Some("success".to_owned()), reads: 1 };
    run.course = if course.is_empty() { [usual].into() } else { course.into() };
    Answer::json(201, json!({}))
}

/// As `job`.
pub fn job(hub: &Hub, run: &Run, name: &str, status: &str, conclusion: Option<&str>) -> Value {
    let id = run.id * 100 + name.bytes().map(u64::from).sum::<u64>() % 100;
    hub.make(
        "job",
        json!({
            "id": id, "node_id": format!("J_{id}"), "run_id": run.id, "run_attempt": run.attempt,
            "name": name, "status": status, "conclusion": conclusion, "head_sha": run.sha,
            "head_branch": run.branch, "workflow_name": run.title, "created_at": run.created,
            "started_at": run.created, "completed_at": conclusion.map(|_| now()),
            "url": hub.url(&format!("/actions/jobs/{id}")), "steps": [], "labels": ["ubuntu-latest"],
            "run_url": hub.url(&format!("/actions/runs/{}", run.id)),
            "html_url": hub.page(&format!("/actions/runs/{}/job/{id}", run.id)),
            "check_run_url": hub.url(&format!("/check-runs/{id}")),
        }),
    )
}

fn listed(call: &mut Call<'_>, workflow: Option<u64>) -> Answer {
    let (mut shown, mut late) = (Vec::new(), Vec::new());
    for run in call.state.runs.iter().rev() {
        if run.hidden > 0 {
            late.push(run.id);
        } else if workflow.is_none_or(|workflow| workflow == run.workflow) && fits(call, run) {
            shown.push(self::run(call.hub, call.state, run));
        }
    }
    for run in call.state.runs.iter_mut().filter(|run| late.contains(&run.id)) {
        run.hidden -= 1;
    }
    call.counted("workflow_runs", shown)
}

fn fits(call: &Call<'_>, run: &Run) -> bool {
    let stage = stage(run);
    let is = |name: &str, own: &str| call.asked(name).is_none_or(|wanted| wanted == own);
    let status = call
        .asked("status")
        .is_none_or(|wanted| wanted == stage.status || stage.conclusion.as_deref() == Some(wanted));
    let login = run.actor["login"].as_str().unwrap_or_default();
    is("event", &run.event)
        && is("branch", &run.branch)
        && is("head_sha", &run.sha)
        && is("actor", login)
        && status
        && call.asked("created").is_none_or(|range| within(range, &run.created))
}

/// A range of times as GitHub's search writes it: `>=T`, `>T`, `<=T`, `<T`, `T..T`, or a day's start.
fn within(range: &str, time: &str) -> bool {
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || time >= from) && (to == "*" || time <= to);
    }
    let compared = |text: &str| time[..text.len().min(time.len())].cmp(text);
    if let Some(text) = range.strip_prefix(">=") {
        compared(text).is_ge()
    } else if let Some(text) = range.strip_prefix("<=") {
        compared(text).is_le()
    } else if let Some(text) = range.strip_prefix('>') {
        compared(text).is_gt()
    } else if let Some(text) = range.strip_prefix('<') {
        compared(text).is_lt()
    } else {
        compared(range).is_eq()
    }
}

fn own_jobs(hub: &Hub, run: &Run) -> Vec<Value> {
    let stage = stage(run);
    let usual = vec![("build".to_owned(), String::new())];
    let jobs = if run.jobs.is_empty() { &usual } else { &run.jobs };
    jobs.iter()
        .map(|(name, conclusion)| {
            let own = stage
                .conclusion
                .as_deref()
                .map(|whole| if conclusion.is_empty() { whole } else { conclusion });
            job(hub, run, name, &stage.status, own)
        })
        .collect()
}

fn run(hub: &Hub, state: &State, run: &Run) -> Value {
    let stage = stage(run);
    let workflow = state.workflows.iter().find(|known| known.id == run.workflow).expect("a run's workflow");
    let url = hub.url(&format!("/actions/runs/{}", run.id));
    let number =
        state.runs.iter().filter(|other| other.workflow == run.workflow && other.id <= run.id).count();
    hub.make(
        "workflow-run",
        json!({
            "id": run.id, "node_id": format!("WFR_{}", run.id), "name": workflow.file,
            "path": format!(".github/workflows/{}", workflow.file), "workflow_id": run.workflow,
            "run_number": number, "run_attempt": run.attempt, "display_title": run.title,
            "event": run.event, "status": stage.status, "conclusion": stage.conclusion,
            "head_branch": run.branch, "head_sha": run.sha, "actor": run.actor, "triggering_actor": run.actor,
            "created_at": run.created, "run_started_at": run.created, "updated_at": now(), "url": url,
            "html_url": hub.page(&format!("/actions/runs/{}", run.id)), "pull_requests": [],
            "jobs_url": format!("{url}/jobs"), "logs_url": format!("{url}/logs"),
            "cancel_url": format!("{url}/cancel"), "rerun_url": format!("{url}/rerun"),
            "artifacts_url": format!("{url}/artifacts"),
            "workflow_url": hub.url(&format!("/actions/workflows/{}", run.workflow)),
            "repository": hub.repository("minimal-repository", state),
            "head_repository": hub.repository("minimal-repository", state),
        }),
    )
}

fn form(hub: &Hub, workflow: &Workflow) -> Value {
    let id = workflow.id;
    hub.make(
        "workflow",
        json!({ "id": id, "node_id": format!("W_{id}"), "name": workflow.file, "state": "active",
            "path": format!(".github/workflows/{}", workflow.file), "created_at": now(), "updated_at": now(),
            "url": hub.url(&format!("/actions/workflows/{id}")),
            "html_url": hub.page(&format!("/actions/workflows/{}", encoded(&workflow.file))) }),
    )
}

fn named<'c>(call: &'c Call<'_>) -> Option<&'c Workflow> {
    let wanted = call.parameter("workflow_id");
    call.state.workflows.iter().find(|known| known.file == wanted || known.id.to_string() == wanted)
}

fn place(call: &Call<'_>) -> Option<usize> {
    let id = call.number("run_id");
    call.state.runs.iter().position(|run| run.id == id)
}

fn stage(run: &Run) -> &Stage {
    run.course.front().expect("a run has a last stage")
}

fn move_on(run: &mut Run) {
    let last = run.course.len() == 1;
    let Some(stage) = run.course.front_mut().filter(|_| !last) else { return };
    stage.reads = stage.reads.saturating_sub(1);
    if stage.reads == 0 {
        run.course.pop_front();
    }
}
