//! One package's next number, from its changes and where it stands.

use std::sync::Arc;

use crate::history::commit::CommitId;
use crate::plan::decide::Decision;
use crate::plan::facts::{Facts, Request};
use crate::plan::standing::{Standing, is_given_up, versions_tagged_elsewhere};
use crate::plan::tally::{Change, ReleaseAs, Source, Tally};
use crate::plan::{Because, BecauseKind, Refusal, ReleaseBump};
use crate::version::bump::Bump;
use crate::version::label::PreLabel;
use crate::version::next::{ZeroPolicy, graduate, next_final, next_pre, stable};
use crate::version::number::Version;
use crate::version::semver::read_tag_version;
use crate::workspace::config::settings::{ReleaseAs as ReleaseAsRule, Size, Versioning};

/// What a package's changes ask for, before its number is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The largest size; none for a graduation or a group's sake.
    pub bump: Option<Bump>,
    /// A version that a person set.
    pub forced: Option<Version>,
    /// Whether 0.y goes to 1.0.0.
    pub stable: bool,
    /// Whether the first release is made.
    pub first: bool,
}

impl Wanted {
    pub fn of(bump: Bump) -> Wanted {
        Wanted { bump: Some(bump), ..Wanted::default() }
    }

    /// The larger of two wishes, field by field.
    pub fn larger(self, other: Wanted) -> Wanted {
        Wanted {
            bump: self.bump.max(other.bump),
            forced: self.forced.max(other.forced),
            stable: self.stable || other.stable,
            first: self.first && other.first,
        }
    }

    /// The wish of a group, without a version that a person set below where the group stands.
    pub fn above(self, base: &Standing) -> Wanted {
        let forced = self.forced.filter(|forced| {
            base.last.as_ref().is_none_or(|last| forced > last)
                && base.declared.as_ref().is_none_or(|declared| forced >= declared)
        });
        Wanted { forced, ..self }
    }
}

/// Decides one package by its own changes alone.
pub fn decide_alone(
    facts: &Facts,
    request: &Request,
    package: usize,
    standing: &Standing,
    tally: &Tally,
    warnings: &mut Vec<String>,
) -> Option<Decision> {
    let versioning = &facts.settings[package].versioning;
    let changes = &tally.changes[package];
    let forced = forced(facts, package, standing, &tally.release_as[package], versioning, warnings);
    let bump = changes.iter().filter_map(|change| change.size).max();
    let fresh = changes.iter().any(|change| change.fresh && change.size.is_some());
    let given_up = given_up(facts, package, standing);
    let graduating = request.graduate && standing.last.as_ref().is_some_and(Version::is_prerelease);
    let wanted = Wanted {
        bump: if fresh { bump } else { None }.max(given_up.as_ref().map(|_| Bump::Patch)),
        stable: changes.iter().any(|change| change.entry.stable),
        first: standing.last.is_none(),
        forced: forced.as_ref().map(|(version, _)| version.clone()),
    };
    if !(fresh || graduating || wanted.first || forced.is_some() || given_up.is_some()) {
        return None;
    }
    let (mut because, mut explain) = reasons(facts, changes);
    if let Some(reason) = given_up {
        explain.push(reason.text.to_string());
        because.push(reason);
    }
    if let Some((_, reason)) = forced {
        explain.push(reason.text.to_string());
        because.push(reason);
    }
    let wish = number(facts, request, package, standing, &wanted);
    let to = pass_over_used(facts, &[package], standing, &wanted, wish.clone());
    explain.push(derivation(versioning, standing, &wanted, &wish));
    explain.extend(passing_in_words(&wish, &to));
    Some(Decision { package, to, wanted, because, explain })
}

/// The reason to release a package whose last number was claimed and given up: what it changed, a requirement of its own
/// perhaps, is in the repository and in no release.
fn given_up(facts: &Facts, package: usize, standing: &Standing) -> Option<Because> {
    let declared = standing.declared.as_ref().filter(|declared| is_given_up(facts, package, declared))?;
    Some(Because {
        kind: BecauseKind::Forced,
        commit: None,
        package: None,
        fragment: None,
        size: Some(Bump::Patch),
        text: format!("{declared} was given up before it was done").into(),
        rule: "given up".into(),
    })
}

/// The number that a wish gives from where the package (or its group) stands.
pub fn number(
    facts: &Facts,
    request: &Request,
    package: usize,
    standing: &Standing,
    wanted: &Wanted,
) -> Version {
    if let Some(forced) = &wanted.forced {
        return forced.clone();
    }
    let Some(last) = &standing.last else { return first(request, standing) };
    let zero = zero_policy(&facts.settings[package].versioning);
    let base = standing.last_final.as_ref().unwrap_or(last);
    if wanted.stable && base.triple().0 == 0 {
        let stable = graduate(last).into_iter().fold(stable(base), Version::max);
        return match request.pre {
            Some(label) => next_pre(Some(base), last, Bump::Major, label),
            None => stable,
        };
    }
    let bump = wanted.bump.map(|bump| zero.apply(base, bump));
    match (request.pre, bump) {
        (Some(label), bump) => {
            next_pre(standing.last_final.as_ref(), last, bump.unwrap_or(Bump::Patch), label)
        }
        (None, None) => {
            graduate(last).unwrap_or_else(|| next_final(standing.last_final.as_ref(), last, Bump::Patch))
        }
        (None, Some(bump)) => next_final(standing.last_final.as_ref(), last, bump),
    }
}

/// The first number from a wish on that nobody has used: not on an index, not given up before. A number that a
/// person set is not changed; one that a tag elsewhere names neither, since that line has to be merged.
pub fn pass_over_used(
    facts: &Facts,
    packages: &[usize],
    standing: &Standing,
    wanted: &Wanted,
    wish: Version,
) -> Version {
    let is_used = |version: &Version| {
        packages.iter().any(|package| {
            let short = &facts.packages[*package].short;
            facts.published[*package].contains(version)
                || facts.spent.contains(&(short.clone(), version.to_string()))
        })
    };
    let mut free = wish;
    while wanted.forced.is_none() && is_used(&free) {
        let next = if free.is_prerelease() {
            next_pre(standing.last_final.as_ref(), &free, Bump::Patch, PreLabel::Dev)
        } else {
            next_final(Some(&free), &free, Bump::Patch)
        };
        if next <= free {
            break;
        }
        free = next;
    }
    free
}

/// That numbers were passed over, where some were.
pub fn passing_in_words(wish: &Version, to: &Version) -> Option<String> {
    (wish != to).then(|| format!("{wish} is used up (on an index, or given up before) → {to}"))
}

/// The first release: the version that the manifest declares, else 0.1.0.
fn first(request: &Request, standing: &Standing) -> Version {
    let declared = standing.declared.clone().unwrap_or_else(first_of_all);
    match request.pre {
        Some(label) if !declared.is_prerelease() => declared.with_pre(label, 1),
        _ => declared,
    }
}

fn first_of_all() -> Version {
    Version::parse("0.1.0").expect("a version in normal form")
}

/// The number of a group: like that of one package, and never below what a member without a release declares.
pub fn group_number(
    facts: &Facts,
    request: &Request,
    package: usize,
    base: &Standing,
    wanted: &Wanted,
) -> Version {
    let counted = number(facts, request, package, base, wanted);
    if base.declared.is_some() { counted.max(first(request, base)) } else { counted }
}

/// The same number with at least so many components: 2.0.0 for 2.0.
pub fn with_components(version: &Version, count: usize) -> Version {
    let mut release = version.release().to_vec();
    release.resize(release.len().max(count), 0);
    version.with_release(version.epoch(), &release)
}

/// Where a group stands: the highest release of all its members, and the highest version that one without a
/// release declares.
pub fn group_base<'s>(members: impl Iterator<Item = &'s Standing>) -> Standing {
    let members: Vec<&Standing> = members.collect();
    let highest =
        |of: fn(&Standing) -> Option<&Version>| members.iter().filter_map(|member| of(member)).max().cloned();
    let declared = |member: &Standing| member.declared.clone().filter(|_| member.last.is_none());
    Standing {
        last: highest(|member| member.last.as_ref()),
        last_final: highest(|member| member.last_final.as_ref()),
        declared: members.iter().filter_map(|member| declared(member)).max(),
        ..Standing::default()
    }
}

/// Why a number can not be taken: somebody has used it already.
pub fn taken(facts: &Facts, package: usize, to: &Version) -> Option<Refusal> {
    let known = &facts.packages[package];
    let tag = known.tag.render(&known.short, to);
    let refusal = |reason: String, way_out: &str| Refusal {
        package: known.short.clone(),
        reason,
        way_out: way_out.to_owned(),
    };
    if facts.published[package].contains(to) {
        let index = &facts.settings[package].index;
        return Some(refusal(
            format!("{to} would be next, but index `{index}` holds it already"),
            "tag the commit it was made from, or set a higher version with a `Release-As:` footer",
        ));
    }
    if versions_tagged_elsewhere(facts, package).contains(to) {
        return Some(refusal(
            format!("{to} would be next, but tag `{tag}` stands on a commit that is not below this one"),
            "merge that line, or set a higher version with a `Release-As:` footer",
        ));
    }
    if facts.spent.contains(&(known.short.clone(), to.to_string())) {
        return Some(refusal(
            format!("{to} was given up before and its number is not used again"),
            "set a higher version with a `Release-As:` footer",
        ));
    }
    None
}

/// The size of the step between two versions, as the plan tells it. A first release is never a major step: nobody
/// has to adapt to it.
pub fn release_bump(from: Option<&Version>, to: &Version) -> ReleaseBump {
    if to.is_prerelease() {
        return ReleaseBump::Pre;
    }
    let (major, minor, _) = to.triple();
    match from.map(Version::triple) {
        None if to.triple().2 == 0 => ReleaseBump::Minor,
        None => ReleaseBump::Patch,
        Some((old_major, _, _)) if old_major != major => ReleaseBump::Major,
        Some((_, old_minor, _)) if old_minor != minor => ReleaseBump::Minor,
        Some(_) => ReleaseBump::Patch,
    }
}

/// Whether the step leads to a new X.0.0.
pub fn is_major(from: Option<&Version>, to: &Version) -> bool {
    from.is_some_and(|from| to.triple().0 > from.triple().0)
}

/// Where a derivation begins, in words.
pub fn from_in_words(standing: &Standing) -> String {
    match (&standing.last, &standing.last_final) {
        (None, _) => "no release yet".to_owned(),
        (Some(last), Some(last_final)) if last != last_final => format!("{last} (last final {last_final})"),
        (Some(last), _) => last.to_string(),
    }
}

fn forced(
    facts: &Facts,
    package: usize,
    standing: &Standing,
    footers: &[ReleaseAs],
    versioning: &Versioning,
    warnings: &mut Vec<String>,
) -> Option<(Version, Because)> {
    let higher = |version: &Version| match (&standing.last, &standing.declared) {
        (Some(last), _) => version > last,
        (None, Some(declared)) => version >= declared,
        (None, None) => true,
    };
    let reason = |commit: Option<&CommitId>, text: String| Because {
        kind: BecauseKind::Forced,
        commit: commit.cloned(),
        package: None,
        fragment: None,
        size: None,
        rule: "release-as".into(),
        text: text.into(),
    };
    match &versioning.release_as {
        ReleaseAsRule::Version(text) => {
            let version = Version::parse(text).ok().filter(higher)?;
            let because = reason(None, format!("the configuration sets {version}"));
            return Some((version, because));
        }
        ReleaseAsRule::Footers(false) => return None,
        ReleaseAsRule::Footers(true) => {}
    }
    let newest = footers.iter().find(|footer| footer.fresh)?;
    let id = &facts.history.commits[newest.commit].id;
    let version = match read_tag_version(&newest.value) {
        Ok(version) => version,
        Err(error) => {
            warnings.push(format!("commit {}: `Release-As:` not followed: {error}", id.short()));
            return None;
        }
    };
    if !higher(&version) {
        let short = &facts.packages[package].short;
        warnings.push(format!(
            "commit {}: `Release-As: {version}` is not above {} of {short}; not followed",
            id.short(),
            from_in_words(standing)
        ));
        return None;
    }
    let because = reason(Some(id), format!("{} says `Release-As: {version}`", id.short()));
    Some((version, because))
}

/// Each change that asks for a size: as a reason, and as a line of the derivation.
fn reasons(facts: &Facts, changes: &[Change]) -> (Vec<Because>, Vec<String>) {
    let reason = |change: &Change| {
        let size = change.size?;
        let (kind, commit, fragment) = match change.source {
            Source::Commit(index) => (BecauseKind::Commit, Some(&facts.history.commits[index].id), None),
            Source::Fragment(index) => (BecauseKind::Fragment, None, Some(&facts.fragments[index].path)),
        };
        let text = title(change);
        let source = commit.map(CommitId::short).or(fragment.cloned()).unwrap_or_default();
        let held = if change.fresh { "" } else { " (in the last pre-release)" };
        let line = [&source, " ", &text, " → ", size.as_str(), ", by ", &change.rule, held].concat();
        let because = Because {
            kind,
            commit: commit.cloned(),
            fragment: fragment.map(|path| path.as_str().into()),
            package: None,
            size: Some(size),
            text: text.into(),
            rule: Arc::clone(&change.rule),
        };
        Some((because, line))
    };
    let count = changes.iter().filter(|change| change.size.is_some()).count();
    // The number's own lines come behind them.
    let (mut because, mut explain) = (Vec::with_capacity(count), Vec::with_capacity(count + 2));
    for (one, line) in changes.iter().filter_map(reason) {
        because.push(one);
        explain.push(line);
    }
    (because, explain)
}

/// An entry's first line: `feat(core)!: text`; the text alone where it has no type.
fn title(change: &Change) -> String {
    let entry = &change.entry;
    let description = entry.description().lines().next().unwrap_or("");
    if entry.kind().is_empty() {
        return description.to_owned();
    }
    let mark = if entry.breaking { "!" } else { "" };
    match entry.scope() {
        Some(scope) => [entry.kind(), "(", scope, ")", mark, ": ", description].concat(),
        None => [entry.kind(), mark, ": ", description].concat(),
    }
}

fn derivation(versioning: &Versioning, standing: &Standing, wanted: &Wanted, to: &Version) -> String {
    let from = from_in_words(standing);
    if wanted.forced.is_some() {
        return format!("{from} → {to}, set by a person");
    }
    let Some(last) = standing.last_final.as_ref().or(standing.last.as_ref()) else {
        return match &standing.declared {
            Some(_) => format!("{from}: the manifest's version {to} is the first"),
            None => format!("{from}: nothing declares a version, so {to} is the first"),
        };
    };
    if wanted.stable && last.triple().0 == 0 {
        return format!("{from} → {to}, the first stable release");
    }
    let Some(bump) = wanted.bump else { return format!("{from} → {to}, graduated") };
    let clamped = zero_policy(versioning).apply(last, bump);
    if clamped == bump {
        format!("{from} + {bump} → {to}")
    } else {
        format!("{from} + {bump}, which below 1.0 is a {clamped} → {to}")
    }
}

fn zero_policy(versioning: &Versioning) -> ZeroPolicy {
    let becomes = |size: Option<Size>, otherwise: Bump| size.and_then(Size::bump).unwrap_or(otherwise);
    ZeroPolicy {
        major: becomes(versioning.zero.major, Bump::Major),
        minor: becomes(versioning.zero.minor, Bump::Minor),
        patch: Bump::Patch,
    }
}
