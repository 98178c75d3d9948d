use super::*;
use crate::plan::Plan;
use crate::plan::preview::preview;
use crate::report::samples::{commit, empty, hostile, plan};
use crate::version::bump::Bump;

const HEAD: &str = "1111111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const BASE: &str = "2222222aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn shown(with: &Plan, without: Option<&Plan>) -> String {
    let made = Made { head: HEAD, base: BASE, how: "squashed" };
    preview_markdown(&preview(with, without), made, 0)
}

#[test]
fn what_the_pull_request_adds_is_a_table_with_notes_below() {
    let with = plan();
    let mut without = plan();
    without.refused.clear();
    without.releases.remove(2);
    without.releases[0].because.remove(1);
    without.releases[0].to = "2.0.4".to_owned();
    without.left_out.retain(|row| row.kind != "type");
    let text = shown(&with, Some(&without));
    let expected = "\
### Merging this releases 2 packages

| package | now | with this | without it | size | why |
| --- | --- | --- | --- | --- | --- |
| core | 2.0.3 | **2.1.0** | 2.0.4 | minor | feat(core): stream results |
| anomaly-detection | new | **0.1.0** | nothing | minor | feat: detect anomalies in streams of sensor data |
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("- **legacy can not be planned**"), "{text}");
    assert!(text.contains("<summary>core 2.1.0</summary>"), "{text}");
    assert!(text.contains("<summary>counts for nothing: 1 commit</summary>"), "{text}");
    assert!(text.ends_with("\nplanned at 1111111, squashed onto 2222222\n"), "{text}");
}

#[test]
fn a_pull_request_that_changes_nothing_says_so() {
    let plan = plan();
    let expected = "Merging this releases nothing new.\n\nplanned at 1111111, squashed onto 2222222\n";
    assert_eq!(shown(&plan, Some(&plan)), expected);
    assert_eq!(shown(&empty(), None), expected);
    let text = shown(&empty(), Some(&plan));
    assert!(
        text.starts_with("Merging this releases less.\n\nNot released any more: core 2.1.0, mlops 2.0.0")
    );
}

#[test]
fn hostile_text_stays_text() {
    let mut with = plan();
    with.releases[0].package = "<!-- release --> @all".to_owned();
    with.warnings.push(hostile());
    let text = shown(&with, None);
    assert!(!text.contains("<img") && !text.contains("<!--") && !text.contains("@all"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn a_comment_is_never_too_long() {
    let mut with = plan();
    with.releases[0].notes = format!("- {}\n", "ü".repeat(40_000));
    let text = shown(&with, None);
    assert!(text.len() <= LONGEST && text.contains("the notes of core"), "{}", text.len());
    assert!(text.contains("### Merging this releases 3 packages"), "{text}");
    let mut rows = Vec::new();
    for number in 0..400 {
        let mut release = with.releases[0].clone();
        release.package = format!("package-{number}-{}", "|".repeat(200));
        release.because = vec![commit('1', Bump::Minor, &"|".repeat(1_000))];
        release.notes = "|".repeat(2_000);
        rows.push(release);
    }
    with.releases = rows;
    let made = Made { head: HEAD, base: BASE, how: "merged" };
    let text = preview_markdown(&preview(&with, None), made, 300);
    assert!(text.len() + 300 <= LONGEST, "{}", text.len());
    assert!(text.contains(" more |  |  |  |  |  |\n"), "{}", &text[..500]);
}
