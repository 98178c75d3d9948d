//! What is wrong with a configuration whose keys and kinds are right: references, cycles, rules that contradict.

use std::collections::BTreeMap;

use crate::workspace::config::environment::{CheckKind, CheckTable, EnvironmentTable, Target};
use crate::workspace::config::github;
use crate::workspace::config::ledger;
use crate::workspace::config::nearest::nearest;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::proofs;
use crate::workspace::config::pull_request;
use crate::workspace::config::settings::{LOCAL_INDEX, Size};
use crate::workspace::config::spanned::{Node, Place};
use crate::workspace::config::tables::{Auth, Tables};
use crate::workspace::config::text::{self, Glob, Name};
use crate::workspace::config::versioning::Zero;
use crate::workspace::config::workflows;
use crate::workspace::name::normalize;

/// All problems between keys. `document` may hold more than `tables`: what did not fit is told already.
pub fn check(tables: &Tables, document: &Node) -> Vec<Problem> {
    let mut meaning = Meaning { tables, document, problems: Vec::new() };
    meaning.names();
    meaning.shared();
    meaning.versioning(&["versioning"], tables.versioning.zero);
    meaning.sections(&["notes", "sections"]);
    meaning.indexes();
    meaning.registries();
    meaning.packages();
    meaning.environments();
    meaning.hooks();
    meaning.problems.extend(ledger::check(tables, document));
    meaning.problems.extend(github::check(tables, document));
    meaning.problems.extend(pull_request::check(tables, document));
    meaning.problems.extend(proofs::check(tables, document));
    meaning.problems.extend(workflows::check(tables, document));
    meaning.problems
}

struct Meaning<'c> {
    tables: &'c Tables,
    document: &'c Node,
    problems: Vec<Problem>,
}

impl Meaning<'_> {
    /// Names that become parts of commands, tags or references.
    fn names(&mut self) {
        for table in ["index", "registry", "group", "environment"] {
            for entry in self.document.at(&[table]).map(Node::entries).unwrap_or_default() {
                if let Some(fault) = text::fault(Name::FORM, &entry.key) {
                    self.problems
                        .push(Problem::new(entry.place.clone(), fault.message).with_help(fault.help));
                }
            }
        }
    }

    fn shared(&mut self) {
        for entry in self.document.at(&["workspace", "shared"]).map(Node::entries).unwrap_or_default() {
            if let Some(fault) = text::fault(Glob::FORM, &entry.key) {
                self.problems.push(Problem::new(entry.place.clone(), fault.message).with_help(fault.help));
            }
        }
    }

    /// On 0.y.z a size may shrink, never grow.
    fn versioning(&mut self, keys: &[&str], zero: Option<Zero>) {
        let Some(Zero::Table(zero)) = zero else { return };
        let rules = [("major", Size::Major, zero.major), ("minor", Size::Minor, zero.minor)];
        for (key, size, becomes) in rules {
            let place = self.document.place_of(&[keys, &["zero", key]].concat());
            match becomes {
                Some(Size::None) => self.say(
                    place,
                    format!("on 0.y.z `{key}` can not become \"none\""),
                    "what releases nothing is said in `types`",
                ),
                Some(becomes) if becomes > size => {
                    self.say(
                        place,
                        format!("on 0.y.z `{key}` can not become larger"),
                        "name a smaller size, or leave it out",
                    );
                }
                _ => {}
            }
        }
    }

    fn sections(&mut self, keys: &[&str]) {
        let Some(list) = self.document.at(keys) else { return };
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for section in list.items() {
            let title = section.at(&["title"]).and_then(Node::as_text).unwrap_or_default().to_owned();
            let breaking = section.at(&["breaking"]).and_then(Node::as_truth).unwrap_or(false);
            let types = section.at(&["types"]).map(Node::items).unwrap_or_default();
            if breaking != types.is_empty() {
                self.say(
                    section.place.clone(),
                    format!("section \"{title}\" must hold either the breaking changes or some types"),
                    "write `breaking = true`, or `types = [\"feat\"]`",
                );
            }
            for kind in types {
                let Some(word) = kind.as_text().map(str::to_lowercase) else { continue };
                if let Some(other) = seen.insert(word.clone(), title.clone()) {
                    self.say(
                        kind.place.clone(),
                        format!("type \"{word}\" stands in section \"{other}\" already"),
                        "an entry is shown once; name each type in one section",
                    );
                }
            }
        }
    }

    fn indexes(&mut self) {
        for (name, index) in &self.tables.index {
            let keys = ["index", name.as_str()];
            let place = self.document.place_of(&keys);
            let below = |key| self.document.place_of(&["index", name.as_str(), key]);
            let written = |key: &str| self.document.at(&keys).is_some_and(|table| table.entry(key).is_some());
            if written("directory") && written("upload") {
                let place = below("upload");
                self.say(
                    place,
                    format!("index `{name}` is a folder and an address at once"),
                    "keep `directory` or `upload`",
                );
            } else if !written("directory") && !written("upload") && name != LOCAL_INDEX {
                self.say(
                    place,
                    format!("index `{name}` says not where it is"),
                    "name a `directory`, or an address with `upload`",
                );
            }
            let signed = index.attestations == Some(true);
            if signed && !matches!(index.auth, None | Some(Auth::Trusted)) {
                let place = below("attestations");
                let problem = "`attestations` name the CI that publishes".to_owned();
                self.say(place, problem, "they go with `auth = \"trusted\"`");
            }
            for key in ["simple", "auth", "attestations", "insecure", "visible-within"] {
                if written(key) && !written("upload") {
                    let place = self.document.place_of(&["index", name.as_str(), key]);
                    self.say(place, format!("`{key}` means nothing for a folder"), "it goes with `upload`");
                }
            }
        }
    }

    fn registries(&mut self) {
        for name in self.tables.registry.keys() {
            let keys = ["registry", name.as_str()];
            if self.document.at(&keys).is_some_and(|table| table.entry("repository").is_none()) {
                let place = self.document.place_of(&keys);
                self.say(
                    place,
                    format!("registry `{name}` says not where it is"),
                    "for example `repository = \"ghcr.io/acme\"`",
                );
            }
        }
    }

    fn packages(&mut self) {
        let tables = self.tables;
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (key, package) in &tables.package {
            let at = |below: &[&str]| self.document.place_of(&[&["package", key.as_str()], below].concat());
            let (here, image_place) = (at(&[]), at(&["image"]));
            if let Some(other) = seen.insert(normalize(key), key) {
                self.say(
                    here,
                    format!("`[package.{key}]` and `[package.{other}]` are the same package"),
                    "join the two tables",
                );
            }
            if package.types.is_some() && package.versioning.types.is_some() {
                let place = at(&["types"]);
                self.say(
                    place,
                    format!("package `{key}` has its types twice"),
                    "`types` is short for `versioning.types`; keep one",
                );
            }
            self.reference(&["package", key, "index"], "index", &[LOCAL_INDEX]);
            self.reference(&["package", key, "group"], "group", &[]);
            self.reference(&["package", key, "image", "registry"], "registry", &[]);
            if let Some(image) = &package.image {
                let table = self.document.at(&["package", key, "image"]);
                let written = |key: &str| table.is_some_and(|table| table.entry(key).is_some());
                if let (Some(context), Some(dockerfile)) = (&image.context, &image.dockerfile)
                    && !dockerfile.starts_with(&format!("{}/", context.trim_matches('/')))
                {
                    let place = at(&["image", "dockerfile"]);
                    let message =
                        format!("the Dockerfile of `{key}` lies outside of its context `{context}`");
                    self.say(place, message, "name one inside, or take `context` out");
                }
                if image.repository.is_some() && image.registry.is_some() {
                    self.say(
                        image_place,
                        format!("the image of `{key}` has two places"),
                        "keep `repository` or `registry`",
                    );
                } else if !written("repository") && !written("registry") {
                    self.say(
                        image_place,
                        format!("the image of `{key}` has no place"),
                        "name its `repository`, or a `registry` that is configured",
                    );
                }
            }
            self.versioning(&["package", key, "versioning"], package.versioning.zero);
            self.sections(&["package", key, "notes", "sections"]);
        }
    }

    fn environments(&mut self) {
        let tables = self.tables;
        for (name, environment) in &tables.environment {
            self.reference(&["environment", name, "after"], "environment", &[]);
            let has_after = self.document.at(&["environment", name, "after"]).is_some();
            if environment.soak.is_some() && !has_after {
                let place = self.document.place_of(&["environment", name, "soak"]);
                self.say(
                    place,
                    format!("environment `{name}` soaks after nothing"),
                    "name the environment before it with `after`, or take `soak` out",
                );
            }
            self.target(name, environment);
            self.windows(name);
            let nodes =
                self.document.at(&["environment", name, "validate"]).map(Node::items).unwrap_or_default();
            for node in nodes {
                self.validation(node, name);
            }
        }
        self.cycles();
    }

    /// Keys that mean something for one kind of target, and what each kind needs.
    fn target(&mut self, name: &str, environment: &EnvironmentTable) {
        let target = environment.target.unwrap_or(Target::Python);
        let taken: &[&str] = match target {
            Target::Container | Target::Swarm => &["host", "tls"],
            Target::Python => &["directory"],
            Target::Command => &["command"],
        };
        for key in ["host", "tls", "directory", "command"].iter().filter(|key| !taken.contains(key)) {
            if let Some(entry) = self.document.at(&["environment", name]).and_then(|table| table.entry(key)) {
                let place = entry.place.clone();
                let message = format!("`{key}` means nothing for environment `{name}`");
                self.say(place, message, "take it out, or choose another `target`");
            }
        }
        if target != Target::Command {
            return;
        }
        for key in ["apply", "status"] {
            if self
                .document
                .at(&["environment", name, "command", key])
                .is_none_or(|list| list.items().is_empty())
            {
                let place = self.document.place_of(&["environment", name, "command"]);
                let message = format!("environment `{name}` lacks the program `{key}`");
                self.say(
                    place,
                    message,
                    "an exit code proves nothing: `apply` acts, and `status` says what runs",
                );
            }
        }
    }

    fn windows(&mut self, name: &str) {
        let nodes = self.document.at(&["environment", name, "windows"]).map(Node::items).unwrap_or_default();
        for node in nodes {
            if node.entry("allow").is_some() == node.entry("deny").is_some() {
                let message = format!("a window of environment `{name}` must allow or deny");
                self.say(node.place.clone(), message, "for example `{ allow = \"Mon-Thu 09:00-16:00\" }`");
            }
        }
    }

    fn hooks(&mut self) {
        for hook in self.document.at(&["hook"]).map(Node::items).unwrap_or_default() {
            if hook.entry("url").is_some() == hook.entry("command").is_some() {
                self.say(
                    hook.place.clone(),
                    "a hook must tell one listener".to_owned(),
                    "name a `url` or a `command`",
                );
            }
        }
    }

    /// What each kind of check needs. Read from the document, as a check that did not fit is not in the tables.
    fn validation(&mut self, node: &Node, environment: &str) {
        let Ok(kind) = serde_json::from_value::<CheckKind>(node.at(&["kind"]).and_then(Node::as_text).into())
        else {
            return;
        };
        let (needed, taken): (&[&str], &[&str]) = match kind {
            CheckKind::Http => (&["url"], &["url", "expect", "success"]),
            CheckKind::Command => (&["command"], &["command", "expect", "success"]),
            CheckKind::Metrics => (&["url", "query"], &["url", "query", "expect", "success", "samples"]),
            CheckKind::Version => (&[], &["url", "command"]),
            CheckKind::Container | CheckKind::Install => (&[], &[]),
        };
        let word = node.at(&["kind"]).and_then(Node::as_text).unwrap_or_default();
        for key in needed.iter().filter(|key| node.entry(key).is_none()) {
            let place = node.place_of(&["kind"]);
            self.say(
                place,
                format!("check of environment `{environment}` lacks `{key}`"),
                &format!("checks of kind \"{word}\" need {}", ticked(needed)),
            );
        }
        let judges = ["expect", "success"].iter().any(|key| node.entry(key).is_some());
        if matches!(kind, CheckKind::Metrics) && !judges {
            // A query alone would pass whatever it gives.
            let place = node.place_of(&["kind"]);
            let help = "checks of kind \"metrics\" need `expect` or `success`";
            self.say(place, format!("check of environment `{environment}` judges nothing"), help);
        }
        for key in CheckTable::OF_SOME_KINDS.iter().filter(|key| !taken.contains(key)) {
            if let Some(entry) = node.entry(key) {
                let place = entry.place.clone();
                self.say(
                    place,
                    format!("`{key}` means nothing for checks of kind \"{word}\""),
                    "take it out, or choose another `kind`",
                );
            }
        }
    }

    /// Environments that come after one another in a ring.
    fn cycles(&mut self) {
        let before = |name: &str| {
            self.tables.environment.get(name).and_then(|environment| environment.after.as_deref())
        };
        let mut found = Vec::new();
        for name in self.tables.environment.keys() {
            let mut ring = vec![name.as_str()];
            while let Some(next) = before(ring[ring.len() - 1]) {
                if ring.contains(&next) {
                    break;
                }
                ring.push(next);
            }
            let closes = before(ring[ring.len() - 1]) == Some(name);
            if closes && ring.iter().all(|other| name.as_str() <= *other) {
                ring.push(name);
                found.push((name.clone(), ring.join(" after ")));
            }
        }
        for (name, ring) in found {
            let place = self.document.place_of(&["environment", &name, "after"]);
            self.say(
                place,
                format!("environments come after one another in a ring: {ring}"),
                "take one `after` out",
            );
        }
    }

    /// A text that must be the name of a table `[defined.NAME]`, or one of `also`.
    fn reference(&mut self, keys: &[&str], defined: &str, also: &[&str]) {
        let Some(wanted) = self.document.at(keys).and_then(Node::as_text) else { return };
        let names: Vec<&str> = self
            .document
            .at(&[defined])
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|entry| entry.key.as_str())
            .chain(also.iter().copied())
            .collect();
        if names.contains(&wanted) {
            return;
        }
        let help = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("define it as `[{defined}.{wanted}]`"),
        };
        self.say(self.document.place_of(keys), format!("no {defined} is called \"{wanted}\""), &help);
    }

    fn say(&mut self, place: Place, message: String, help: &str) {
        self.problems.push(Problem::new(place, message).with_help(help));
    }
}

fn ticked(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
