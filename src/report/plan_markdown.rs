//! A plan as a pull request shows it.

use crate::plan::{Plan, Release, ReleaseBump};
use crate::report::assumed::assumed_markdown;
use crate::report::left_out::{groups, kind_in_words};
use crate::report::markdown::{block, cell, folded, head, row};
use crate::report::plan_text::{consents, main_reason, size};
use crate::report::words::{count, short_id};

/// A table of the releases, their notes folded below, then what was left out.
pub fn plan_markdown(plan: &Plan) -> String {
    let mut parts = vec![assumed_markdown(plan), releases(plan)];
    parts.push(requirements(plan));
    parts.push(refused(plan));
    parts.extend(plan.releases.iter().map(notes));
    parts.push(left_out(plan));
    parts.push(plan.warnings.iter().map(|text| format!("- warning: {}\n", cell(text))).collect());
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

pub fn releases(plan: &Plan) -> String {
    if plan.releases.is_empty() {
        return "nothing to release\n".to_owned();
    }
    let mut text = head(&["package", "from", "to", "size", "why"]);
    for release in &plan.releases {
        let major = release.bump == ReleaseBump::Major;
        let bump = if major { "**major**" } else { size(release.bump) };
        text.push_str(&row(&[
            cell(&release.package),
            release.from.as_deref().map_or("new".to_owned(), cell),
            format!("**{}**", cell(&release.to)),
            bump.to_owned(),
            why(release),
        ]));
    }
    text
}

fn why(release: &Release) -> String {
    let (reason, more) = main_reason(release);
    let mut why = Vec::new();
    if let Some(consents) = consents(release) {
        why.push(format!("**{}**", cell(&consents)));
    }
    if release.from.is_none() {
        why.push("first release".to_owned());
    }
    if !reason.is_empty() {
        why.push(cell(&reason));
    }
    if more > 0 {
        why.push(format!("+{more} more"));
    }
    why.join("; ")
}

pub fn requirements(plan: &Plan) -> String {
    let mut text = String::new();
    for release in &plan.releases {
        for change in &release.requirements {
            let (package, from, to) = (cell(&release.package), cell(&change.from), cell(&change.to));
            text.push_str(&format!("- {package}: {from} → {to}\n"));
        }
    }
    if text.is_empty() { text } else { format!("Requirements rewritten:\n\n{text}") }
}

pub fn refused(plan: &Plan) -> String {
    let one = |refusal: &crate::plan::Refusal| {
        let (package, reason) = (cell(&refusal.package), cell(&refusal.reason));
        format!("- **{package} can not be planned**: {reason}; {}\n", cell(&refusal.way_out))
    };
    plan.refused.iter().map(one).collect()
}

fn notes(release: &Release) -> String {
    let notes = block(&release.notes);
    if notes.trim().is_empty() {
        return String::new();
    }
    folded(&format!("{} {}", cell(&release.package), cell(&release.to)), &notes)
}

pub fn left_out(plan: &Plan) -> String {
    let groups = groups(plan);
    let total: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    if total == 0 {
        return String::new();
    }
    let mut text = head(&["commit", "subject", "why left out"]);
    for (kind, rows) in groups {
        for one in rows.iter().take(20) {
            let sha = short_id(one.commit.as_ref());
            text.push_str(&row(&[sha, cell(one.subject.as_deref().unwrap_or("")), cell(&one.reason)]));
        }
        if let Some(more) = rows.len().checked_sub(20).filter(|more| *more > 0) {
            text.push_str(&row(&[String::new(), format!("{more} more"), kind_in_words(kind)]));
        }
    }
    folded(&format!("left out: {}", count(total, "commit")), &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{empty, plan};

    #[test]
    fn a_plan_is_a_table_with_notes_below() {
        let text = plan_markdown(&plan());
        let expected = "\
| package | from | to | size | why |
| --- | --- | --- | --- | --- |
| core | 2.0.3 | **2.1.0** | minor | feat(core): stream results; +2 more |
| mlops | 1.4.0 | **2.0.0** | **major** | **needs --allow-major**; feat(mlops)\\!: drop the old trainer; +1 more |
| anomaly-detection | new | **0.1.0** | minor | first release; feat: detect anomalies in streams of sensor data |

Requirements rewritten:

- mlops: acme-core&gt;=2.0,&lt;2.1 → acme-core&gt;=2.1,&lt;2.2
";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains(
            "<summary>core 2.1.0</summary>\n\n### Features\n\n- stream results (@\u{200d}ada)\n\n</details>"
        ));
        assert!(text.contains("<summary>left out: 6 commits</summary>"));
    }

    #[test]
    fn hostile_text_stays_text() {
        let text = plan_markdown(&plan());
        assert!(text.contains("fix: eviltxt \\| &lt;img&gt; @\u{200d}all \\`x\\` AAA"), "{text}");
        assert!(!text.contains("<img"));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
        assert!(text.lines().all(|line| line.len() < 1_000));
    }

    #[test]
    fn nothing_is_one_line() {
        assert_eq!(plan_markdown(&empty()), "nothing to release\n");
    }
}
