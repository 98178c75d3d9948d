//! Environments and what protects them.

use serde_json::{Value, json};

use crate::github::answer::Answer;
use crate::github::call::Call;
use crate::github::hub::Hub;
use crate::github::state::State;
use crate::github::text::{encoded, now};

/// What a person has set up for an environment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'r> {
    /// Logins, any of whom must approve.
    pub reviewers: &'r [&'r str],
    /// In minutes.
    pub wait: u64,
    /// Only protected branches may be deployed.
    pub protected_branches: bool,
}

pub fn list(call: &mut Call<'_>) -> Answer {
    let list = call.state.environments.clone();
    call.counted("environments", list)
}

pub fn get(call: &mut Call<'_>) -> Answer {
    let name = call.parameter("environment_name");
    let found = call.state.environments.iter().find(|environment| environment["name"] == *name);
    found.map_or_else(Answer::not_found, |environment| Answer::ok(environment.clone()))
}

/// An environment that nobody set up appears without any rules, as with GitHub.
pub fn ensure(hub: &Hub, state: &mut State, name: &str) {
    if !state.environments.iter().any(|known| known["name"] == *name) {
        set(hub, state, name, Rules::default());
    }
}

pub fn set(hub: &Hub, state: &mut State, name: &str, rules: Rules<'_>) {
    let id = state.id();
    let rule = |kind: &str| json!({ "id": id, "node_id": format!("GA_{id}"), "type": kind });
    let mut all: Vec<Value> = Vec::new();
    if rules.wait > 0 {
        let mut waits = rule("wait_timer");
        waits["wait_timer"] = json!(rules.wait);
        all.push(waits);
    }
    if !rules.reviewers.is_empty() {
        let mut asks = rule("required_reviewers");
        let each = rules.reviewers.iter().map(|login| json!({ "type": "User", "reviewer": hub.user(login) }));
        asks["reviewers"] = each.collect();
        asks["prevent_self_review"] = json!(false);
        all.push(asks);
    }
    let mut policy = Value::Null;
    if rules.protected_branches {
        all.push(rule("branch_policy"));
        policy = json!({ "protected_branches": true, "custom_branch_policies": false });
    }
    state.environments.retain(|known| known["name"] != *name);
    state.environments.push(json!({
        "id": id, "node_id": format!("EN_{id}"), "name": name, "protection_rules": all,
        "deployment_branch_policy": policy, "created_at": now(), "updated_at": now(),
        "url": hub.url(&format!("/environments/{}", encoded(name))),
        "html_url": hub.page(&format!("/deployments/activity_log?environments_filter={}", encoded(name))),
    }));
}
