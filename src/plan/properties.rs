//! What holds for plans of any history.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, prop_assert_ne, proptest};
use proptest::sample::select;

use crate::plan::facts::Request;
use crate::plan::make::make;
use crate::plan::testing::{Repo, obey_laws};
use crate::plan::{Plan, Release};
use crate::version::label::PreLabel;
use crate::version::number::Version;
use crate::workspace::config::settings::{Dependents, FloorRule, GroupMode, Versioning};
use crate::workspace::specifier::admits;

/// One thing that happens: a commit of some packages, or a pre-release tag of one.
#[derive(Debug, Clone)]
struct Happening {
    message: &'static str,
    packages: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Scene {
    versions: Vec<&'static str>,
    /// Whether each package has a tag.
    tagged: Vec<bool>,
    ranges: Vec<&'static str>,
    happenings: Vec<Happening>,
    /// How many packages form a group, from the first on.
    group: Option<(GroupMode, usize)>,
    dependents: Dependents,
    floor: FloorRule,
    pre: Option<PreLabel>,
    graduate: bool,
    /// Numbers that are used up already, of every package.
    used: Vec<&'static str>,
    /// The packages asked for.
    only: Option<Vec<usize>>,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const VERSIONS: [&str; 8] = ["0.0.1", "0.4.2", "1.0.0", "1.2", "1.3.0rc1", "2.0.0b2", "2.10.3", "3"];
const USED: [&str; 8] = ["0.0.2", "0.5.0", "1.0.1", "1.1.0", "1.3.0rc2", "2.0.0", "3.0.1", "2.0.0rc1"];
const RANGES: [&str; 9] =
    ["", ">=0", ">=1,<2", "<3", "~=1.0", "~=1.2.0", "==1.0.0", "==1.*", ">=1.0.0rc1, <2.0.dev0"];
const MESSAGES: [&str; 12] = [
    "fix: x",
    "feat: x",
    "feat!: x",
    "docs: x",
    "what",
    "fix: y\n\nRelease-As: 2.0.0",
    "chore: z\n\nRelease-As: 9.1",
    "feat!!: stable",
    "Revert \"feat: x\"",
    "perf(b): z",
    "squash (#1)\n\n* feat(a): q\n* fix(c): r",
    "fix: w\n\nPackages: d",
];

fn happening() -> impl Strategy<Value = Happening> {
    let packages = proptest::sample::subsequence(NAMES.to_vec(), 0..=4);
    (select(&MESSAGES[..]), packages).prop_map(|(message, packages)| Happening { message, packages })
}

fn scene() -> impl Strategy<Value = Scene> {
    let labels = vec![None, None, Some(PreLabel::Rc), Some(PreLabel::Alpha), Some(PreLabel::Dev)];
    let groups = (any::<bool>(), select(vec![GroupMode::Linked, GroupMode::Fixed]), 2..=4_usize)
        .prop_map(|(is_there, mode, size)| is_there.then_some((mode, size)));
    (
        vec(select(&VERSIONS[..]), 4),
        vec(prop::bool::weighted(0.8), 4),
        vec(select(&RANGES[..]), 3),
        vec(happening(), 0..8),
        groups,
        select(vec![Dependents::Never, Dependents::OutOfRange, Dependents::Always]),
        select(vec![FloorRule::Never, FloorRule::Minor, FloorRule::Always]),
        (
            select(labels),
            prop::bool::weighted(0.2),
            proptest::sample::subsequence(USED.to_vec(), 0..=3),
            prop::option::weighted(0.2, proptest::sample::subsequence(vec![0, 1, 2, 3], 0..=4)),
        ),
    )
        .prop_map(
            |(
                versions,
                tagged,
                ranges,
                happenings,
                group,
                dependents,
                floor,
                (pre, graduate, used, only),
            )| Scene {
                versions,
                tagged,
                ranges,
                happenings,
                group,
                dependents,
                floor,
                pre,
                graduate: graduate && pre.is_none(),
                used,
                only,
            },
        )
}

impl Scene {
    /// Each package asks for the one before it.
    fn repo(&self) -> Repo {
        let mut repo = Repo::default().package(NAMES[0], self.versions[0]);
        for place in 1..NAMES.len() {
            let requirement = format!("{}{}", NAMES[place - 1], self.ranges[place - 1]);
            repo = repo.depending(NAMES[place], self.versions[place], &[&requirement]);
        }
        repo = repo.versioning(|versioning: &mut Versioning| {
            versioning.dependents = self.dependents;
            versioning.floor = self.floor;
        });
        for (place, name) in NAMES.iter().enumerate().filter(|(place, _)| self.tagged[*place]) {
            repo = repo.tag(name, "0.0.0").tag(name, self.versions[place]);
        }
        if let Some((mode, size)) = self.group {
            repo = repo.group("team", mode, &NAMES[..size]);
        }
        let all = NAMES.iter().flat_map(|name| self.used.iter().map(move |used| (*name, *used)));
        repo.spent.extend(all.map(|(name, used)| (name.to_owned(), used.to_owned())));
        self.happenings.iter().fold(repo, |repo, one| repo.commit(one.message, &one.packages))
    }

    fn request(&self) -> Request {
        let only = self.only.as_ref().map(|only| only.iter().copied().collect());
        Request { pre: self.pre, graduate: self.graduate, only, ..Request::default() }
    }

    fn plan(&self) -> Plan {
        let facts = self.repo().facts();
        let plan = make(&facts, &self.request()).unwrap();
        obey_laws(&facts, &plan);
        plan
    }

    fn version(&self, name: &str) -> Version {
        let place = NAMES.iter().position(|one| *one == name).unwrap();
        Version::parse(self.versions[place]).unwrap()
    }
}

fn to(release: &Release) -> Version {
    Version::parse(&release.to).unwrap()
}

proptest! {
    #[test]
    fn versions_never_go_down(scene in scene()) {
        for release in &scene.plan().releases {
            let before = scene.version(&release.package);
            match &release.from {
                Some(_) => prop_assert!(to(release) > before, "{} {before} → {}", release.package, release.to),
                None => prop_assert!(
                    to(release).base() >= before.base(),
                    "{} {before} → {}", release.package, release.to
                ),
            }
        }
    }

    #[test]
    fn released_members_of_a_group_share_one_number(scene in scene()) {
        let plan = scene.plan();
        if let Some((mode, size)) = scene.group {
            let members: Vec<&Release> =
                plan.releases.iter().filter(|one| NAMES[..size].contains(&one.package.as_str())).collect();
            for pair in members.windows(2) {
                prop_assert_eq!(&pair[0].to, &pair[1].to);
            }
            if mode == GroupMode::Fixed && plan.refused.is_empty() && scene.only.is_none() {
                prop_assert!(members.is_empty() || members.len() == size);
            }
        }
    }

    #[test]
    fn a_rewritten_requirement_takes_the_version_that_is_released(scene in scene()) {
        let plan = scene.plan();
        for release in &plan.releases {
            for change in &release.requirements {
                let Some(on) = plan.releases.iter().find(|one| one.package == change.package) else { continue };
                let specifier = &change.to[change.package.len()..];
                prop_assert!(admits(specifier, &to(on)).unwrap(), "{} and {}", change.to, on.to);
            }
        }
    }

    #[test]
    fn a_released_package_takes_all_that_is_released_with_it(scene in scene()) {
        let plan = scene.plan();
        for (place, range) in (1..).zip(&scene.ranges) {
            let find = |name: &str| plan.releases.iter().find(|one| one.package == name);
            let (Some(release), Some(on)) = (find(NAMES[place]), find(NAMES[place - 1])) else { continue };
            let change = release.requirements.iter().find(|change| change.package == on.package);
            let specifier = change.map_or(*range, |change| &change.to[on.package.len()..]);
            prop_assert!(admits(specifier, &to(on)).unwrap(), "{specifier} and {}", on.to);
        }
    }

    #[test]
    fn a_cap_stays_a_cap_and_a_pin_a_pin(scene in scene()) {
        let plan = scene.plan();
        for change in plan.releases.iter().flat_map(|release| &release.requirements) {
            for operator in ["<", "~=", "=="] {
                prop_assert_eq!(change.from.contains(operator), change.to.contains(operator));
            }
        }
    }

    #[test]
    fn who_follows_is_whom_the_policy_names(scene in scene()) {
        let plan = scene.plan();
        if scene.dependents == Dependents::Never {
            let because = plan.releases.iter().flat_map(|release| &release.because);
            prop_assert!(because.into_iter().all(|one| one.kind != crate::plan::BecauseKind::Dependency));
        }
        if scene.dependents == Dependents::Always && scene.only.is_none() && plan.refused.is_empty() {
            for place in 1..NAMES.len() {
                let is_released = |name: &str| plan.releases.iter().any(|one| one.package == name);
                prop_assert!(!is_released(NAMES[place - 1]) || is_released(NAMES[place]));
            }
        }
    }

    #[test]
    fn the_same_facts_give_the_same_bytes_whatever_the_order_of_tags(scene in scene()) {
        let once = serde_json::to_string(&scene.plan()).unwrap();
        prop_assert_eq!(&once, &serde_json::to_string(&scene.plan()).unwrap());
        let mut facts = scene.repo().facts();
        facts.history.unreachable_tags.reverse();
        facts.overrides.reverse();
        let again = make(&facts, &scene.request()).unwrap();
        prop_assert_eq!(once, serde_json::to_string(&again).unwrap());
    }

    #[test]
    fn no_number_is_used_twice_and_nobody_is_released_unasked(scene in scene()) {
        for release in &scene.plan().releases {
            prop_assert!(!scene.used.contains(&release.to.as_str()), "{}", release.to);
            let place = NAMES.iter().position(|name| *name == release.package).unwrap();
            prop_assert!(scene.only.as_ref().is_none_or(|only| only.contains(&place)));
        }
    }

    #[test]
    fn what_is_not_released_is_said_to_stay(scene in scene()) {
        let plan = scene.plan();
        for name in NAMES {
            let released = plan.releases.iter().any(|one| one.package == name);
            prop_assert_ne!(released, plan.unchanged.iter().any(|one| one.package == name), "{}", name);
        }
    }
}
