//! What the ledger knows of tags that stand in the repository.

use crate::apply::book::Book;
use crate::apply::catch_up::{knows, plan_of};
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger::book_failure;
use crate::ledger::state::{Ship, State};
use crate::plan::Plan;
use crate::report::words::planned;
use crate::survey::facts::Survey;

/// A release commit whose plan the shared ledger does not know, above one that it knows: the ledger was rewound, and what
/// was in flight then is not to be forgotten in silence. Releases from before the ledger began are older than all it knows.
pub fn refuse_forgotten(book: &Book, survey: &Survey) -> Result<(), Failure> {
    if !book.is_shared() {
        return Ok(());
    }
    let history = &survey.facts.history;
    let tags = (0..survey.facts.packages.len()).flat_map(|package| history.version_tags(package));
    let known: Vec<String> =
        tags.filter(|tag| names(book.state(), &tag.tag)).map(|tag| tag.commit.to_string()).collect();
    let objects = survey.repository.objects();
    for tag in history.tags.iter().filter_map(|tags| tags.first()) {
        // A merged release carries the digest of the plan that was proposed, and was shipped under another.
        if names(book.state(), &tag.tag) {
            continue;
        }
        let commit = tag.commit.to_string();
        let message = objects.commit(&commit).map_err(Failure::user)?.words.message;
        let Some(plan) = plan_of(&message).filter(|plan| !knows(book.state(), plan)) else { continue };
        let is_above = |older: &&String| survey.repository.is_ancestor(older, &commit).unwrap_or(false);
        if known.iter().find(is_above).is_none() {
            continue;
        }
        let store = book.store().name();
        let text = format!("`{}` was made by a release ({plan}) that `{store}` does not know", tag.tag);
        return Err(Failure::new(Kind::Conflict, text)
            .hint("bring the ledger back from a clone or a copy that knows it: `git push REMOTE refs/release/ledger`")
            .hint(format!("or say that it is over: `release abandon {} --reason TEXT`", tag.tag)));
    }
    Ok(())
}

/// Whether the ledger tells of a tag.
fn names(state: &State, tag: &str) -> bool {
    let begun = state.in_flight.values().map(|ship| &ship.releases);
    let closed = state.closed.values().map(|closed| &closed.releases);
    state.released.values().any(|released| released.tag == tag)
        || begun.chain(closed).flatten().any(|(_, begin)| begin.tag == tag)
}

/// The plan that the commit of a tag names; none where it is no release commit, or there is no such tag here.
pub fn plan_of_tag(survey: &Survey, tag: &str) -> Result<Option<String>, Failure> {
    let Some(commit) = survey.repository.commit_of_tag(tag).map_err(Failure::user)? else { return Ok(None) };
    let message = survey.repository.objects().commit(&commit).map_err(Failure::user)?.words.message;
    Ok(plan_of(&message).map(str::to_owned))
}

/// The plan and the ship under way that a tag belongs to, where the tag is claimed.
///
/// # Errors
/// Where it is under way and not claimed, or its plan does not read.
pub fn claimed<'b>(book: &'b Book, survey: &Survey, tag: &str) -> Result<Option<(Plan, &'b Ship)>, Failure> {
    let of_tag = |ship: &Ship| ship.releases.values().any(|begin| begin.tag == tag);
    let Some((digest, ship)) = book.state().in_flight.iter().find(|(_, ship)| of_tag(ship)) else {
        return Ok(None);
    };
    let plan = book.plan(digest).map_err(book_failure)?.ok_or_else(|| {
        Failure::new(Kind::Bug, format!("the ledger names plan {digest} and does not hold it"))
    })?;
    // A claim that the ledger has not heard of yet: the tag stands all the same.
    if ship.has_done("claim") || plan_of_tag(survey, tag)?.as_deref() == Some(digest) {
        return Ok(Some((plan, ship)));
    }
    Err(Failure::new(Kind::Outside, format!("{} is under way and not claimed yet", planned(&plan)))
        .hint("`release status` shows how far it is"))
}

/// What the ledger says of a tag whose release is not under way: that it is over, in a sentence.
///
/// # Errors
/// Where it is not known to be.
pub fn over(state: &State, survey: &Survey, tag: &str) -> Result<String, Failure> {
    let done = format!("the release of `{tag}` is done; nothing to do");
    if state.released.values().any(|released| released.tag == tag) {
        return Ok(done);
    }
    match plan_of_tag(survey, tag)? {
        Some(plan) if state.finished.contains_key(&plan) => Ok(done),
        Some(plan) if state.closed.contains_key(&plan) => {
            Ok(format!("the release of `{tag}` was given up; nothing to do"))
        }
        Some(_) => Err(Failure::user(format!("the ledger does not know the release of `{tag}`"))
            .hint("`release doctor` says what is wrong")),
        None => Err(no_release(survey, tag)?),
    }
}

/// Why a tag names no release.
fn no_release(survey: &Survey, tag: &str) -> Result<Failure, Failure> {
    Ok(match survey.repository.ref_target(&format!("refs/tags/{tag}")).map_err(Failure::user)? {
        Some(_) => {
            Failure::user(format!("tag `{tag}` was not made by `release ship`; the ledger does not know it"))
                .hint("`release log` shows what it knows")
        }
        None => Failure::user(format!("there is no tag `{tag}`")).hint("`git tag` lists them"),
    })
}
