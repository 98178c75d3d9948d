//! What a person sets up in GitHub's pages, and how a test says that runs go.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::github::checks::check;
use crate::github::environments::{Rules, set};
use crate::github::state::{Asset, Pull, Run, Stage, Workflow};
use crate::github::{GitHub, actions, assets, events, pulls};

impl GitHub {
    /// From now on it is hidden from anonymous readers, and reading needs permissions.
    pub fn make_private(&self) {
        self.state(|state| state.private = true);
    }

    /// From now on everything may be read and nothing changed.
    pub fn archive(&self) {
        self.state(|state| state.archived = true);
    }

    /// It had another name before (`owner/name`): what asks there is led here.
    pub fn was_called(&self, slug: &str) {
        self.state(|state| state.old.push(slug.to_owned()));
    }

    /// A pull request from somebody's fork, whose commit the repository has already. Answers its number.
    pub fn pull_from_fork(&self, login: &str, branch: &str, commit: &str, title: &str) -> u64 {
        self.state(|state| {
            let base = state.default_branch.clone();
            let pull = Pull {
                number: 0,
                id: 0,
                fork: Some(login.to_owned()),
                head: branch.to_owned(),
                base_sha: self.hub.git.branch(&base).expect("a base to merge into"),
                base,
                head_sha: commit.to_owned(),
                draft: false,
                author: self.hub.user(login),
                merged: None,
            };
            pulls::open(&self.hub, state, pull, login, title, "").number
        })
    }

    /// From now on a published release and its tag stay as they are.
    pub fn make_releases_immutable(&self) {
        self.state(|state| state.immutable = true);
    }

    /// Jobs' own tokens may open no pull request.
    pub fn keep_jobs_from_pulls(&self) {
        self.state(|state| state.jobs_open_no_pulls = true);
    }

    /// The ways to merge that are allowed: `merge`, `squash`, `rebase`.
    pub fn allow_merges(&self, ways: &[&str]) {
        self.state(|state| state.merges = ways.iter().map(|way| (*way).to_owned()).collect());
    }

    /// Nobody may push to a branch; the API tells of the protection.
    pub fn protect(&self, branch: &str) {
        let url = self.hub.url(&format!("/branches/{branch}/protection"));
        let reviews = json!({ "url": format!("{url}/required_pull_request_reviews"),
            "dismiss_stale_reviews": false, "require_code_owner_reviews": false,
            "required_approving_review_count": 1 });
        let protection = json!({
            "url": url, "required_pull_request_reviews": reviews,
            "enforce_admins": { "url": format!("{url}/enforce_admins"), "enabled": true },
        });
        self.state(|state| {
            state.protections.insert(branch.to_owned(), protection);
            let name = format!("refs/heads/{branch}");
            let said = format!("GH006: Protected branch update failed for {name}.");
            state.refused.insert(name, said);
            self.hub.git.refuse(&state.refused);
        });
    }

    /// A ruleset asks for pull requests to a branch: nobody may push to it.
    pub fn rule_pulls(&self, branch: &str) {
        let rule = json!({
            "type": "pull_request", "ruleset_source_type": "Repository", "ruleset_source": self.slug(),
            "ruleset_id": 1, "parameters": {
                "allowed_merge_methods": ["merge", "squash", "rebase"], "dismiss_stale_reviews_on_push": false,
                "require_code_owner_review": false, "require_last_push_approval": false,
                "required_approving_review_count": 1, "required_review_thread_resolution": false,
            },
        });
        self.state(|state| {
            state.rules.entry(branch.to_owned()).or_default().push(rule);
            let name = format!("refs/heads/{branch}");
            let said =
                "GH013: Repository rule violations found: Changes must be made through a pull request.";
            state.refused.insert(name, said.to_owned());
            self.hub.git.refuse(&state.refused);
        });
    }

    /// An environment with rules of its own.
    pub fn environment(&self, name: &str, rules: Rules<'_>) {
        self.state(|state| set(&self.hub, state, name, rules));
    }

    /// A workflow `release.yml`, the events it runs at (`workflow_dispatch`, `push`, `release`, `pull_request`), and its
    /// runs' title, where `{input}` stands for an input's value. Answers its number.
    pub fn workflow(&self, file: &str, events: &[&str], title: &str) -> u64 {
        self.state(|state| {
            let id = state.id();
            let events = events.iter().map(|event| (*event).to_owned()).collect();
            state.workflows.push(Workflow { id, file: file.to_owned(), events, title: title.to_owned() });
            id
        })
    }

    /// How runs to come go: status, conclusion (`""`: none yet), and for how many reads of a run or its jobs. The last
    /// stage stays. Without it: queued, in progress, success, a read each.
    pub fn runs_go(&self, course: &[(&str, &str, usize)]) {
        let stages = course.iter().map(|(status, conclusion, reads)| Stage {
            status: (*status).to_owned(),
            conclusion: (!conclusion.is_empty()).then(|| (*conclusion).to_owned()),
            reads: *reads,
        });
        self.state(|state| state.course = stages.collect());
    }

    /// The jobs of runs to come, with their conclusions (`""`: that of the run). Without it: `build`.
    pub fn jobs_are(&self, jobs: &[(&str, &str)]) {
        let jobs = jobs.iter().map(|(name, end)| ((*name).to_owned(), (*end).to_owned()));
        self.state(|state| state.jobs = jobs.collect());
    }

    /// So many lists of runs do not have a new one yet.
    pub fn runs_appear_late(&self, lists: usize) {
        self.state(|state| state.lag = lists);
    }

    /// The runs so far.
    pub fn runs(&self) -> Vec<Run> {
        self.state(|state| state.runs.clone())
    }

    /// Starts a run as something else on GitHub would: a schedule, a person in the web page. Answers its number.
    pub fn start_run(&self, workflow: u64, event: &str, branch: &str, inputs: &Value) -> u64 {
        self.state(|state| events::run(&self.hub, state, "ada", (workflow, event, branch), inputs))
    }

    /// Puts a run where it stays.
    pub fn set_run(&self, id: u64, status: &str, conclusion: &str) {
        let conclusion = (!conclusion.is_empty()).then(|| conclusion.to_owned());
        let stage = Stage { status: status.to_owned(), conclusion, reads: 1 };
        self.with_run(id, |run| run.course = [stage].into());
    }

    /// The jobs of a run: name, status, conclusion (`""`: none).
    pub fn set_jobs(&self, id: u64, jobs: &[(&str, &str, &str)]) {
        self.with_run(id, |run| {
            let of = |(name, status, conclusion): &(&str, &str, &str)| {
                actions::job(&self.hub, run, name, status, (!conclusion.is_empty()).then_some(*conclusion))
            };
            run.given = Some(jobs.iter().map(of).collect());
        });
    }

    /// A check run of a commit (`""`: it still runs).
    pub fn check_run(&self, sha: &str, name: &str, conclusion: &str) {
        self.state(|state| {
            let id = state.id();
            let conclusion = (!conclusion.is_empty()).then_some(conclusion);
            state.checks.push(check(&self.hub, id, sha, name, conclusion));
        });
    }

    /// An asset as an upload that broke leaves it: `starter`, empty, in nobody's way but that of its name.
    pub fn broken_asset(&self, release: u64, name: &str) -> u64 {
        self.state(|state| {
            let id = state.id();
            let mut value = assets::form(&self.hub, id, name, &format!("untagged-{release}"), b"");
            (value["state"], value["digest"]) = (json!("starter"), Value::Null);
            state.assets.push(Asset { release, value, bytes: Arc::default() });
            id
        })
    }

    /// The bytes of an asset, by its release's tag and its name.
    pub fn asset(&self, tag: &str, name: &str) -> Option<Vec<u8>> {
        self.state(|state| {
            let release = state.releases.iter().find(|release| release["tag_name"] == *tag)?;
            let own = |asset: &&Asset| release["id"] == asset.release && asset.value["name"] == *name;
            Some(state.assets.iter().find(own)?.bytes.to_vec())
        })
    }

    fn with_run(&self, id: u64, change: impl FnOnce(&mut Run)) {
        self.state(|state| {
            change(state.runs.iter_mut().find(|run| run.id == id).expect("a run that is known"))
        });
    }
}
