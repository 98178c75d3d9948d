//! Facts for tests, told as a small history: packages, tags and commits in the order in which they came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::history::History;
use crate::history::commit::{Commit, CommitId, PackageSet, Touch, Touched, VersionTag};
use crate::history::fragment::parse_fragment;
use crate::history::overrides::parse_override;
use crate::plan::Plan;
use crate::plan::digest::Digest;
use crate::plan::edits::splice;
use crate::plan::facts::{Facts, GitHubReleases, Request, Telling, Templates};
use crate::plan::make::{draft, make};
use crate::version::number::Version;
use crate::workspace::config::settings::{GroupMode, Notes, PackageSettings, Versioning};
use crate::workspace::graph::Graph;
use crate::workspace::manifest::Manifest;
use crate::workspace::name::PackageName;
use crate::workspace::package::Package;
use crate::workspace::path::RepoPath;
use crate::workspace::source::locate;
use crate::workspace::tag::TagFormat;

/// A repository in the making.
#[derive(Debug, Default)]
pub struct Repo {
    packages: Vec<Package>,
    settings: Vec<PackageSettings>,
    groups: BTreeMap<String, GroupMode>,
    /// Oldest first.
    commits: Vec<Story>,
    tags: Vec<Vec<VersionTag>>,
    unreachable_tags: Vec<(String, usize)>,
    files: BTreeMap<String, Vec<u8>>,
    overrides: Vec<(String, String)>,
    fragments: Vec<(String, String)>,
    published: Vec<BTreeSet<Version>>,
    pub spent: BTreeSet<(String, String)>,
    pub remote: Option<String>,
    pub github: Option<GitHubReleases>,
    pub telling: Option<Telling>,
}

/// A commit and the packages that have released it.
#[derive(Debug)]
struct Story {
    commit: Commit,
    released: PackageSet,
    final_released: PackageSet,
}

impl Repo {
    /// A package in `packages/NAME` with this version in its manifest.
    pub fn package(self, name: &str, version: &str) -> Repo {
        self.depending(name, version, &[])
    }

    /// A package with requirements (PEP 508).
    pub fn depending(self, name: &str, version: &str, requirements: &[&str]) -> Repo {
        let listed: Vec<String> = requirements.iter().map(|text| format!("{text:?}")).collect();
        self.manifest(&format!("packages/{name}"), &manifest(name, version, &listed.join(", ")))
    }

    /// A package of any folder and manifest.
    pub fn manifest(mut self, folder: &str, text: &str) -> Repo {
        let path = RepoPath::new(folder).unwrap();
        let file = path.join("pyproject.toml").as_git().to_owned();
        let manifest = Manifest::read(text, &file).unwrap();
        let name = PackageName::new(&manifest.name);
        let short = name.as_str().to_owned();
        self.files.insert(file, text.as_bytes().to_vec());
        self.settings.push(settings(&short));
        self.packages.push(Package {
            distribution: manifest.name.clone(),
            source: locate(text, &manifest, &|_| true).unwrap(),
            version: manifest.version().and_then(|version| Version::parse(version).ok()),
            tag: TagFormat::parse("{name}-v{version}").unwrap(),
            aliases: Vec::new(),
            name,
            short,
            path,
            manifest,
        });
        self.tags.push(Vec::new());
        self.published.push(BTreeSet::new());
        self
    }

    /// Changes the versioning of all packages told so far.
    pub fn versioning(mut self, change: impl Fn(&mut Versioning)) -> Repo {
        self.settings.iter_mut().for_each(|settings| change(&mut settings.versioning));
        self
    }

    /// Changes the settings of one package.
    pub fn set(mut self, name: &str, change: impl FnOnce(&mut PackageSettings)) -> Repo {
        let place = self.place(name);
        change(&mut self.settings[place]);
        self
    }

    pub fn group(mut self, group: &str, mode: GroupMode, members: &[&str]) -> Repo {
        self.groups.insert(group.to_owned(), mode);
        for member in members {
            let place = self.place(member);
            self.settings[place].group = Some(group.to_owned());
        }
        self
    }

    /// Tags every package with the version in its manifest.
    pub fn released(mut self) -> Repo {
        for place in 0..self.packages.len() {
            let package = &self.packages[place];
            let (name, version) = (package.short.clone(), package.version.as_ref().unwrap().to_string());
            self = self.tag(&name, &version);
        }
        self
    }

    /// Tags the newest commit.
    pub fn tag(mut self, name: &str, version: &str) -> Repo {
        let place = self.place(name);
        let version = Version::parse(version).unwrap();
        for story in &mut self.commits {
            story.released.insert(place);
            if !version.is_prerelease() {
                story.final_released.insert(place);
            }
        }
        let commit = CommitId::of(&id(self.commits.len()));
        self.tags[place].push(VersionTag { tag: format!("{name}-v{version}"), version, commit });
        self
    }

    /// A tag on a commit that the planned one does not hold.
    pub fn tag_elsewhere(mut self, name: &str, version: &str) -> Repo {
        let place = self.place(name);
        self.unreachable_tags.push((format!("{name}-v{version}"), place));
        self
    }

    /// A commit that changes files of these packages; of none, it is empty.
    pub fn commit(self, message: &str, packages: &[&str]) -> Repo {
        self.commit_with(message, packages, |_| {})
    }

    /// A commit that is not quite usual.
    pub fn commit_with(mut self, message: &str, packages: &[&str], change: impl FnOnce(&mut Commit)) -> Repo {
        let touches = packages.iter().map(|name| Touch { package: self.place(name), what: Touched::Files });
        let mut commit = Commit {
            id: CommitId::of(&id(self.commits.len() + 1)),
            parents: [CommitId::of(&id(self.commits.len()))].into(),
            author: "Ada".into(),
            time: 0,
            message: message.into(),
            lossy: false,
            mainline: true,
            empty: packages.is_empty(),
            outside: false,
            touches: touches.collect(),
            unreleased: Arc::default(),
            since_final: Arc::default(),
        };
        change(&mut commit);
        let (released, final_released) = (PackageSet::default(), PackageSet::default());
        self.commits.push(Story { commit, released, final_released });
        self
    }

    /// A commit beside the first-parent line, on top of the commit of a number.
    pub fn side(self, message: &str, package: &str, parent: usize) -> Repo {
        self.commit_with(message, &[package], |commit| {
            commit.mainline = false;
            commit.parents = [parent].map(|number| CommitId::of(&id(number))).into();
        })
    }

    /// A merge of the commits of two numbers.
    pub fn merge(self, message: &str, parents: [usize; 2]) -> Repo {
        self.commit_with(message, &[], |commit| {
            commit.parents = parents.map(|number| CommitId::of(&id(number))).into();
        })
    }

    /// An override of the newest commit.
    pub fn correct(mut self, text: &str) -> Repo {
        self.overrides.push((id(self.commits.len()), text.to_owned()));
        self
    }

    /// A fragment `.release/changes/NAME.md`.
    pub fn fragment(mut self, name: &str, text: &str) -> Repo {
        let path = format!(".release/changes/{name}.md");
        self.files.insert(path.clone(), text.as_bytes().to_vec());
        self.fragments.push((path, text.to_owned()));
        self
    }

    pub fn file(mut self, path: &str, text: &str) -> Repo {
        self.files.insert(path.to_owned(), text.as_bytes().to_vec());
        self
    }

    /// The index holds this version.
    pub fn published(mut self, name: &str, version: &str) -> Repo {
        let place = self.place(name);
        self.published[place].insert(Version::parse(version).unwrap());
        self
    }

    pub fn place(&self, name: &str) -> usize {
        self.packages.iter().position(|package| package.short == name).unwrap()
    }

    pub fn facts(self) -> Facts {
        let nodes: Vec<_> = self
            .packages
            .iter()
            .map(|package| (package.name.clone(), &package.manifest, package.path.clone()))
            .collect();
        let count = self.packages.len();
        let mut tags = self.tags;
        tags.iter_mut().for_each(|tags| tags.sort_by(|left, right| right.version.cmp(&left.version)));
        let missing = |released: &PackageSet| {
            Arc::new((0..count).filter(|package| !released.contains(*package)).collect::<PackageSet>())
        };
        let head = CommitId::of(&id(self.commits.len()));
        let commits = self.commits.into_iter().rev().map(|story| Commit {
            unreleased: missing(&story.released),
            since_final: missing(&story.final_released),
            ..story.commit
        });
        let overrides = self.overrides.iter().map(|(commit, text)| {
            parse_override(&format!(".release/overrides/{commit}.toml"), text).unwrap()
        });
        Facts {
            graph: Graph::build(&nodes).unwrap(),
            history: History {
                head,
                commits: commits.filter(|commit| !commit.since_final.is_empty()).collect(),
                tags,
                older_tags: vec![Vec::new(); count],
                unreadable_tags: Vec::new(),
                unreachable_tags: self.unreachable_tags,
            },
            packages: self.packages,
            settings: self.settings,
            groups: self.groups,
            files: self.files,
            overrides: overrides.collect(),
            fragments: self
                .fragments
                .iter()
                .map(|(path, text)| parse_fragment(path, text).unwrap())
                .collect(),
            published: self.published,
            index_digest: Digest::of(b"index"),
            config_digest: Digest::of(b"config"),
            tags_digest: Digest::of(b"tags"),
            branch: Some("main".to_owned()),
            remote: self.remote,
            date: "2026-11-24".to_owned(),
            templates: vec![Templates::default(); count],
            frontend: "uv".to_owned(),
            github: self.github,
            telling: self.telling,
            first: None,
            warnings: Vec::new(),
            assumed: Vec::new(),
            spent: self.spent,
        }
    }

    pub fn plan(self) -> Plan {
        self.plan_as(&Request::default())
    }

    /// The plan, which obeys the laws of every plan.
    pub fn plan_as(self, request: &Request) -> Plan {
        let mut facts = self.facts();
        let plan = make(&facts, request).unwrap();
        obey_laws(&facts, &plan);
        let drafted = draft(&mut facts, request).unwrap().plan;
        assert_eq!(drafted, Plan { digest: Digest::none(), ..plan.clone() });
        assert!(facts.history.commits.iter().all(|commit| commit.message.is_empty()));
        plan
    }
}

/// What is released: `core 1.1.0, mlops 2.0.1`, dependencies first.
pub fn releases(plan: &Plan) -> String {
    let named = |release: &crate::plan::Release| format!("{} {}", release.package, release.to);
    plan.releases.iter().map(named).collect::<Vec<_>>().join(", ")
}

/// What is left out: `abcd0001 type, core nothing`.
pub fn left_out(plan: &Plan) -> String {
    let rows = plan.left_out.iter().map(|row| {
        let what = row.commit.as_ref().map(CommitId::short).or(row.package.as_deref().map(str::to_owned));
        format!("{} {}", what.as_deref().unwrap_or("?"), row.kind)
    });
    rows.collect::<Vec<_>>().join(", ")
}

/// A file of the planned commit after the release.
pub fn after(facts: &Facts, plan: &Plan, path: &str) -> String {
    let before = facts.files.get(path).cloned().unwrap_or_default();
    let edit = plan.edits.iter().find(|edit| edit.path == path);
    let bytes = edit.map_or(before.clone(), |edit| splice(&before, &edit.splices));
    String::from_utf8(bytes).unwrap()
}

/// What holds for every plan, whatever it is made from.
pub fn obey_laws(facts: &Facts, plan: &Plan) {
    let mut done = BTreeSet::new();
    for step in &plan.steps {
        for need in &step.needs {
            assert!(done.contains(need), "{} needs {need}, which is not before it", step.id);
        }
        assert!(done.insert(step.id.clone()), "{} stands twice", step.id);
    }
    for edit in &plan.edits {
        let before = facts.files.get(&edit.path);
        assert_eq!(edit.before, before.map(|bytes| Digest::of(bytes)), "{}", edit.path);
        if let Some(after) = &edit.after {
            let bytes = splice(before.map_or(&[], Vec::as_slice), &edit.splices);
            assert_eq!(*after, Digest::of(&bytes), "{}", edit.path);
        }
    }
    for release in &plan.releases {
        let to = Version::parse(&release.to).unwrap();
        if let Some(from) = &release.from {
            assert!(to > Version::parse(from).unwrap(), "{} goes down: {from} to {to}", release.package);
        }
        assert!(
            !release.because.is_empty() || !release.explain.is_empty(),
            "{} for no reason",
            release.package
        );
    }
    assert_eq!(plan.check(&plan.base), Ok(()));
    let read: Plan = serde_json::from_slice(&serde_json::to_vec(plan).unwrap()).unwrap();
    assert_eq!(read, *plan);
}

/// The full id of the nth commit, from 1 on; told from others by its first digits.
fn id(number: usize) -> String {
    format!("{:08x}{:032x}", 0xabcd_0000_usize + number, number)
}

fn manifest(name: &str, version: &str, requirements: &str) -> String {
    format!("[project]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [{requirements}]\n")
}

fn settings(short: &str) -> PackageSettings {
    PackageSettings {
        tag: "{name}-v{version}".to_owned(),
        tag_aliases: Vec::new(),
        versioning: Versioning::default(),
        notes: Notes::default(),
        index: "local".to_owned(),
        group: None,
        version_files: Vec::new(),
        scopes: Vec::new(),
        owns_all: false,
        short: short.to_owned(),
        image: None,
    }
}
