//! Which versions a constraint takes, and what it becomes when an internal dependency is released.
//!
//! Two decisions hold everywhere. A pre-release is taken only where a clause names one (PEP 440, "Handling of
//! pre-releases"), so a constraint on a pre-release gets a floor that does. And what is not taken moves just as
//! far as its own style says: a capped range stays capped.

use std::ops::Range;

use crate::version::number::Version;
use crate::workspace::specifier::clause::Clause;
use crate::workspace::specifier::grammar::{Constraint, Grammar, split_star};
use crate::workspace::specifier::shift::Shift;

mod clause;
mod grammar;
mod shift;

/// When the floors of internal dependencies rise though the new version is taken already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Floor {
    Never,
    /// Where the major or minor number differs from the floor's, and from a pre-release on.
    #[default]
    Minor,
    Always,
}

/// What becomes of a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewrite {
    Keep,
    Replace(String),
}

/// Why a constraint can not be read or moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecifierError {
    #[error("`{clause}` in `{specifier}` is not a version specifier")]
    Unreadable { specifier: String, clause: String },
    #[error("`{specifier}` excludes {version} by `{clause}`; remove that clause or release another version")]
    Excluded { specifier: String, clause: String, version: Version },
}

/// Whether PEP 440 specifiers take a version: `>=1.4,<2`. No specifiers take every final version.
///
/// # Errors
/// Where a clause is no PEP 440 specifier.
pub fn admits(specifier: &str, version: &Version) -> Result<bool, SpecifierError> {
    Ok(Constraint::parse(Grammar::Pep440, specifier)?.admits(version))
}

/// PEP 440 specifiers after the release of what they constrain, from `old` to `new`.
///
/// Clause by clause, order and space kept: equalities name the new version; `==1.4.*` and `~=1.4` move with as many
/// components as they had; floors rise as `floor` says, or where the new version was not taken; caps move only
/// where it lies beyond them. Where nothing was released (`old` is `new`) and it is taken, nothing changes.
///
/// # Errors
/// Where a clause is no PEP 440 specifier, or `!=` excludes the new version.
pub fn rewrite(
    specifier: &str,
    old: &Version,
    new: &Version,
    floor: Floor,
) -> Result<Rewrite, SpecifierError> {
    moved(Grammar::Pep440, specifier, old, new, floor)
}

/// Whether a constraint in Poetry's grammar takes a version: `^1.2`, `~1.2`, `1.2.*`, `>=1,<2 || ^3`.
///
/// # Errors
/// Where a clause is none of Poetry's.
pub fn admits_poetry(constraint: &str, version: &Version) -> Result<bool, SpecifierError> {
    Ok(Constraint::parse(Grammar::Poetry, constraint)?.admits(version))
}

/// A constraint in Poetry's grammar after the release of what it constrains, as `rewrite` does.
///
/// `^` and `~` move like `~=`; `*` counts as a floor below all. Of alternatives (`||`) the last one moves, and only
/// where none takes the new version.
///
/// # Errors
/// Where a clause is none of Poetry's, or `!=` excludes the new version.
pub fn rewrite_poetry(
    constraint: &str,
    old: &Version,
    new: &Version,
    floor: Floor,
) -> Result<Rewrite, SpecifierError> {
    moved(Grammar::Poetry, constraint, old, new, floor)
}

/// The floor for an internal dependency without any specifier: `>=2.1.0`.
pub fn bound(version: &Version) -> String {
    format!(">={}", version.public())
}

fn moved(
    grammar: Grammar,
    text: &str,
    old: &Version,
    new: &Version,
    floor: Floor,
) -> Result<Rewrite, SpecifierError> {
    let constraint = Constraint::parse(grammar, text)?;
    let taken = constraint.admits(new);
    let settled = old == new || constraint.alternatives.len() > 1;
    let Some(clauses) = constraint.alternatives.last().filter(|_| !(taken && settled)) else {
        return Ok(Rewrite::Keep);
    };
    let excluding = clauses.iter().find(|clause| clause.is_exclusion() && !clause.takes(new));
    if let Some(clause) = excluding {
        return Err(SpecifierError::Excluded {
            specifier: text.to_owned(),
            clause: text[clause.operator_span.start..clause.version_span.end].to_owned(),
            version: new.clone(),
        });
    }
    let public = new.public();
    let edits = edits(grammar, text, clauses, Shift { new: &public, floor, outside: !taken });
    let rewritten = apply(text, &edits);
    let rewritten = match Constraint::parse(grammar, &rewritten)? {
        constraint if constraint.admits(&public) => rewritten,
        constraint => with_floor(&rewritten, &constraint, &public),
    };
    Ok(if rewritten == text { Rewrite::Keep } else { Rewrite::Replace(rewritten) })
}

/// A text to stand in the place of some bytes.
type Edit = (Range<usize>, String);

fn edits(grammar: Grammar, text: &str, clauses: &[Clause], shift: Shift<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for clause in clauses {
        let Some(shifted) = shift.of(clause) else { continue };
        let written = &text[clause.version_span.clone()];
        let numbers = match shifted.operator {
            Some(operator) => {
                edits.push((clause.operator_span.clone(), operator.to_owned()));
                written
            }
            None => split_star(grammar, written).0,
        };
        let start = clause.version_span.start;
        edits.push((start..start + numbers.len(), shifted.version));
    }
    edits
}

/// The text with all edits, which stand in its order.
fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edited = String::with_capacity(text.len() + 8);
    let mut done = 0;
    for (span, replacement) in edits {
        edited.push_str(&text[done..span.start]);
        edited.push_str(replacement);
        done = span.end;
    }
    edited.push_str(&text[done..]);
    edited
}

/// The constraint with one more clause at its end, which names a pre-release that nothing else names.
fn with_floor(text: &str, constraint: &Constraint, new: &Version) -> String {
    let last = constraint.alternatives.last().and_then(|clauses| clauses.last());
    let Some(last) = last else { return bound(new) };
    let separator = if text.contains(", ") { ", " } else { "," };
    let (before, after) = text.split_at(last.version_span.end);
    format!("{before}{separator}{}{after}", bound(new))
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
