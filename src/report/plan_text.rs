//! A plan as a person reads it in ten seconds.

use crate::plan::step::Action;
use crate::plan::{Because, BecauseKind, Plan, Release, ReleaseBump};
use crate::report::assumed::assumed_text;
use crate::report::left_out::{left_out, unchanged};
use crate::report::paint::Paint;
use crate::report::plain::line;
use crate::report::table::{Cell, first_lines, indented, paragraph, table, wrap};
use crate::report::words::{branch, count, short};
use crate::version::bump::Bump;

/// What would be released and why, what would be done, and what was left out; `verbose` leaves nothing out.
pub fn plan_text(plan: &Plan, width: usize, color: bool, verbose: bool) -> String {
    let mut parts = vec![assumed_text(plan, width, color)];
    if plan.releases.is_empty() {
        parts.push(nothing(plan, width, verbose));
    } else {
        parts.push(releases(plan, width, color));
        parts.push(requirements(plan, width, verbose));
        if plan.assumed.is_empty() {
            parts.push(effects(plan, width));
        }
    }
    parts.push(refused(plan, width, color));
    if verbose || !plan.releases.is_empty() {
        parts.push(left_out(plan, width, color, verbose));
        parts.push(unchanged(plan, width, verbose));
    }
    parts.push(warnings(plan, width, color));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// The release's main reason in a few words, and how many more there are.
pub fn main_reason(release: &Release) -> (String, usize) {
    let step = match release.bump {
        ReleaseBump::Major => 4,
        ReleaseBump::Minor => 3,
        ReleaseBump::Patch | ReleaseBump::Pre => 2,
    };
    let reached = release.because.iter().any(|because| own_weight(because) >= step);
    let weigh = |because: &Because| weight(because, reached);
    let heavier = |best, next| if weigh(next) > weigh(best) { next } else { best };
    let Some(main) = release.because.iter().reduce(heavier) else {
        return (String::new(), 0);
    };
    let others = release.because.iter().filter(|because| !std::ptr::eq(*because, main));
    let more = others.filter(|because| because.kind != BecauseKind::Group).count();
    (line(&main.text), more)
}

/// A person's word counts most, then the size; a group's only where no other reason reaches the step's size.
/// Of two equals the first is taken, which is the newer.
fn weight(because: &Because, reached: bool) -> u8 {
    match because.kind {
        BecauseKind::Forced => 6,
        BecauseKind::Group if !reached => 5,
        BecauseKind::Group => 0,
        BecauseKind::Commit | BecauseKind::Fragment | BecauseKind::Dependency => own_weight(because),
    }
}

fn own_weight(because: &Because) -> u8 {
    match because.size {
        Some(Bump::Major) => 4,
        Some(Bump::Minor) => 3,
        Some(Bump::Patch) => 2,
        None => 1,
    }
}

/// `minor`, `major`, … as a word.
pub fn size(bump: ReleaseBump) -> &'static str {
    match bump {
        ReleaseBump::Major => "major",
        ReleaseBump::Minor => "minor",
        ReleaseBump::Patch => "patch",
        ReleaseBump::Pre => "pre",
    }
}

/// What the release asks for before it is shipped: `needs --allow-major`.
pub fn consents(release: &Release) -> Option<String> {
    let asked: Vec<String> = release.needs.iter().map(|need| format!("--{}", line(need))).collect();
    (!asked.is_empty()).then(|| format!("needs {}", asked.join(", ")))
}

/// One line where nothing is to be released.
fn nothing(plan: &Plan, width: usize, verbose: bool) -> String {
    let commits = plan.left_out.iter().filter(|row| row.commit.is_some()).count();
    let text = match commits {
        0 => "nothing to release".to_owned(),
        _ if verbose => format!("nothing to release; {} left out", count(commits, "commit")),
        _ => format!("nothing to release; {} left out (-v lists them)", count(commits, "commit")),
    };
    paragraph(&text, width, 2)
}

fn releases(plan: &Plan, width: usize, color: bool) -> String {
    let place = match &plan.base.branch {
        Some(name) => format!("{name} at {}", short(&plan.base.commit)),
        None => short(&plan.base.commit),
    };
    let title = format!("{} to release from {}", count(plan.releases.len(), "package"), line(&place));
    let mut rows = vec![heading()];
    rows.extend(plan.releases.iter().map(row));
    let mut text = paragraph(&title, width, 2);
    text.push('\n');
    text.push_str(&table(&rows, width, color));
    for release in &plan.releases {
        if let Some(consents) = consents(release) {
            let asks = format!("{} {} {consents}", line(&release.package), line(&release.to));
            text.push_str(&labelled("!", Paint::Red, &asks, width, color));
        }
    }
    text
}

fn heading() -> Vec<Cell> {
    let dim = |text: &str| Cell::new(text).paint(Paint::Dim);
    vec![
        Cell::default(),
        dim("package"),
        dim("from").right(),
        Cell::default(),
        dim("to"),
        dim("size"),
        dim("why"),
    ]
}

/// A major stands out by its mark and its word; color only adds to that.
fn row(release: &Release) -> Vec<Cell> {
    let major = release.bump == ReleaseBump::Major;
    let paint = if major { Paint::Red } else { Paint::Plain };
    let (reason, more) = main_reason(release);
    let mut why = Vec::new();
    if release.from.is_none() {
        why.push("first release".to_owned());
    }
    if !reason.is_empty() {
        why.push(reason);
    }
    let tail = if more > 0 { format!(", +{more} more") } else { String::new() };
    vec![
        Cell::new(if major { "!" } else { "" }).paint(paint),
        Cell::new(&release.package).paint(Paint::Bold),
        Cell::new(release.from.as_deref().unwrap_or("new")).right(),
        Cell::new("→"),
        Cell::new(&release.to).paint(Paint::Green),
        Cell::new(size(release.bump)).paint(paint),
        Cell::new(&why.join("; ")).tail(&tail),
    ]
}

/// The rewritten requirements in one or two lines; all of them, a line each, where `verbose`.
fn requirements(plan: &Plan, width: usize, verbose: bool) -> String {
    let changes: Vec<String> = plan
        .releases
        .iter()
        .flat_map(|release| {
            let package = line(&release.package);
            release
                .requirements
                .iter()
                .map(move |change| format!("{package}: {} → {}", line(&change.from), line(&change.to)))
        })
        .collect();
    if changes.is_empty() {
        return String::new();
    }
    if verbose {
        let lines: String =
            changes.iter().map(|change| paragraph(change, width.saturating_sub(2), 2)).collect();
        return format!("requirements rewritten\n{}", indented(&lines, 2));
    }
    let most = (1..=changes.len())
        .rev()
        .find(|most| wrap(&in_words(&changes, *most), width, 2).len() <= 2)
        .unwrap_or(1);
    first_lines(&in_words(&changes, most), width, 2, 2)
}

fn in_words(changes: &[String], most: usize) -> String {
    let mut text = format!("requirements rewritten: {}", changes[..most].join("; "));
    if changes.len() > most {
        text.push_str(&format!("; +{} more", changes.len() - most));
    }
    text
}

/// What ship will do, in one line.
fn effects(plan: &Plan, width: usize) -> String {
    let of = |wanted: fn(&Action) -> bool| plan.steps.iter().filter(|step| wanted(&step.action)).count();
    let mut effects = Vec::new();
    match branch(plan) {
        Some(branch) => effects.push(format!("commit on {}", line(branch))),
        None => effects.push("commit on no branch (HEAD is detached)".to_owned()),
    }
    effects.push(count(of(|action| matches!(action, Action::Tag { .. })), "tag"));
    effects.push(count(of(|action| matches!(action, Action::Build { .. })), "build"));
    let images = of(|action| matches!(action, Action::Image { .. }));
    if images > 0 {
        effects.push(count(images, "image"));
    }
    let mut indexes: Vec<&str> = plan.releases.iter().map(|release| release.index.as_str()).collect();
    indexes.sort_unstable();
    indexes.dedup();
    effects.push(format!("publish to {}", line(&indexes.join(" and "))));
    let mut registries: Vec<&str> = plan
        .releases
        .iter()
        .filter_map(|release| release.image.as_ref())
        .map(|image| image.repository.as_str())
        .collect();
    registries.sort_unstable();
    registries.dedup();
    if !registries.is_empty() {
        effects.push(format!("push to {}", line(&registries.join(" and "))));
    }
    let smokes = of(|action| matches!(action, Action::Smoke { .. }));
    if smokes > 0 {
        effects.push(count(smokes, "smoke test"));
    }
    let announced = of(|action| matches!(action, Action::Announce { .. }));
    if announced > 0 {
        effects.push(format!("{} at GitHub", count(announced, "release")));
    }
    if of(|action| matches!(action, Action::Tell { .. })) > 0 {
        effects.push("tell pull requests and issues".to_owned());
    }
    if let Some(deploy) = &plan.deploy {
        let packages: Vec<&str> = deploy.packages.keys().map(String::as_str).collect();
        effects.push(format!("deploy {} to {}", line(&packages.join(" and ")), line(&deploy.environment)));
    }
    paragraph(&format!("ship will do: {}", effects.join(", ")), width, 2)
}

fn refused(plan: &Plan, width: usize, color: bool) -> String {
    let mut text = String::new();
    for refusal in &plan.refused {
        let reason = format!("{} can not be planned: {}", line(&refusal.package), line(&refusal.reason));
        text.push_str(&labelled("error:", Paint::Red, &reason, width, color));
        text.push_str(&labelled("hint:", Paint::Cyan, &line(&refusal.way_out), width, color));
    }
    text
}

fn warnings(plan: &Plan, width: usize, color: bool) -> String {
    plan.warnings.iter().map(|text| labelled("warning:", Paint::Yellow, &line(text), width, color)).collect()
}

fn labelled(label: &str, paint: Paint, message: &str, width: usize, color: bool) -> String {
    let text = paragraph(&format!("{label} {message}"), width, 2);
    match text.strip_prefix(label) {
        Some(rest) => paint.on(label, color) + rest,
        None => text,
    }
}

#[cfg(test)]
#[path = "plan_text_tests.rs"]
mod tests;
