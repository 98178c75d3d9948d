//! How one package came to its number, or why it has none.

use crate::plan::{BecauseKind, LeftOut, Plan, Release};
use crate::report::assumed::assumed_text;
use crate::report::plain::line;
use crate::report::plan_text::{consents, size};
use crate::report::table::{fit, indented, paragraph};
use crate::report::words::short_id;

/// Columns of a commit's first line that are shown.
const SUBJECT: usize = 50;
/// Characters of a line of the derivation that are shown.
const LONGEST: usize = 400;

/// The derivation of one package's number, from commits to the last rule; `package` is its short name.
pub fn explain(plan: &Plan, package: &str, width: usize) -> String {
    let mut parts = match plan.releases.iter().find(|release| release.package == package) {
        Some(release) => released(plan, release, width),
        None => not_released(plan, package, width),
    };
    parts.insert(0, assumed_text(plan, width, false));
    parts.push(left_out(plan, package, width));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn released(plan: &Plan, release: &Release, width: usize) -> Vec<String> {
    let from = release.from.as_deref().unwrap_or("new");
    let name = format!("{} {from} → {} ({})", release.package, release.to, size(release.bump));
    vec![
        paragraph(
            &format!("{}, tag {}, index {}", line(&name), line(&release.tag), line(&release.index)),
            width,
            2,
        ),
        section("how the number came about", &release.explain, width),
        section("other reasons", &because_of_others(release), width),
        section("what it asks for", &consents(release).into_iter().collect::<Vec<String>>(), width),
        section("its requirements that are rewritten", &requirements(release), width),
        section("what follows it", &followers(plan, release), width),
    ]
}

/// Reasons that lie outside the package and that the derivation does not name word for word.
fn because_of_others(release: &Release) -> Vec<String> {
    release
        .because
        .iter()
        .filter(|because| !matches!(because.kind, BecauseKind::Commit | BecauseKind::Fragment))
        .filter(|because| !release.explain.iter().any(|told| told.contains(&*because.text)))
        .map(|because| format!("{}, by {}", because.text, because.rule))
        .collect()
}

fn requirements(release: &Release) -> Vec<String> {
    release.requirements.iter().map(|change| format!("{} → {}", change.from, change.to)).collect()
}

/// The packages that are released because this one is.
fn followers(plan: &Plan, release: &Release) -> Vec<String> {
    let mut lines = Vec::new();
    for other in &plan.releases {
        let reasons = other.because.iter().filter(|because| {
            because.kind == BecauseKind::Dependency && because.package.as_deref() == Some(&release.package)
        });
        lines.extend(reasons.map(|because| format!("{} {}: {}", other.package, other.to, because.text)));
    }
    lines
}

fn not_released(plan: &Plan, package: &str, width: usize) -> Vec<String> {
    let version = plan.unchanged.iter().find(|row| row.package == package).map(|row| row.version.clone());
    let Some(version) = version else {
        return vec![paragraph(&format!("the plan knows no package `{}`", line(package)), width, 2)];
    };
    let place = version.map_or("has no release".to_owned(), |version| format!("stays at {version}"));
    let mut text = format!("{} {}", line(package), line(&place));
    if let Some(row) = plan.left_out.iter().find(|row| row.package.as_deref() == Some(package)) {
        text.push_str(&format!(": {}", line(&row.reason)));
    }
    let mut parts = vec![paragraph(&text, width, 2)];
    for refusal in plan.refused.iter().filter(|refusal| refusal.package == package) {
        let reason = paragraph(&format!("error: it can not be planned: {}", line(&refusal.reason)), width, 2);
        parts.push(reason + &paragraph(&format!("hint: {}", line(&refusal.way_out)), width, 2));
    }
    parts
}

fn section(title: &str, lines: &[String], width: usize) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let room = width.saturating_sub(2).max(20);
    let told = lines.iter().map(|told| paragraph(&shortened(&line(told)), room, 2));
    format!("{title}\n{}", indented(&told.collect::<String>(), 2))
}

/// The commits that touch the package and do not count, each with its reason.
fn left_out(plan: &Plan, package: &str, width: usize) -> String {
    let touches = |row: &&LeftOut| row.commit.is_some() && row.packages.iter().any(|name| **name == *package);
    let in_words = |row: &LeftOut| {
        let subject = fit(&line(row.subject.as_deref().unwrap_or("")), SUBJECT);
        format!("{} {subject}: {}", short_id(row.commit.as_ref()), row.reason)
    };
    let rows: Vec<String> = plan.left_out.iter().filter(touches).map(in_words).collect();
    section("commits of it that do not count", &rows, width)
}

/// A very long line without its middle: it ends with what counts.
fn shortened(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= LONGEST {
        return text.to_owned();
    }
    let half = LONGEST / 2;
    let begin: String = characters[..half].iter().collect();
    let end: String = characters[characters.len() - half..].iter().collect();
    let words =
        |text: &str| text.split(' ').map(|word| fit(word, SUBJECT)).collect::<Vec<String>>().join(" ");
    let end = end.split_once(' ').map_or(end.as_str(), |(_, rest)| rest);
    format!("{} … {}", words(&begin).trim_end_matches([' ', '…']), words(end))
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
