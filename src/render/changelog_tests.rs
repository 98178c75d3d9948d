use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};

use super::*;

const SECTION: &str = "## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n";

fn inserted(existing: &str) -> String {
    with(existing, SECTION, Format::Markdown)
}

fn with(existing: &str, section: &str, format: Format) -> String {
    let Insertion { at, text } = insert(existing, section, "2.0.0", format).unwrap();
    format!("{}{text}{}", &existing[..at], &existing[at..])
}

#[track_caller]
fn check(existing: &str, expected: &str) {
    assert_eq!(inserted(existing), expected);
}

#[test]
fn an_empty_changelog_gets_a_title() {
    check("", "# Changelog\n\n## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n");
    check("\u{feff}", "\u{feff}# Changelog\n\n## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n");
}

#[test]
fn keep_a_changelog_keeps_its_unreleased_entries() {
    check(
        "# Changelog\n\nAll notable changes.\n\n## [Unreleased]\n\n### Added\n\n- by hand\n\n\
         ## [1.0.0] - 2024-01-01\n\n- first\n\n[unreleased]: https://x/compare\n[1.0.0]: https://x/1.0.0\n",
        "# Changelog\n\nAll notable changes.\n\n## [Unreleased]\n\n### Added\n\n- by hand\n\n\
         ## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n\n\
         ## [1.0.0] - 2024-01-01\n\n- first\n\n[unreleased]: https://x/compare\n[1.0.0]: https://x/1.0.0\n",
    );
}

#[test]
fn an_unreleased_section_alone_stays_above() {
    check(
        "# Changelog\n\n## Unreleased\n\n- by hand\n\n[unreleased]: https://x\n",
        "# Changelog\n\n## Unreleased\n\n- by hand\n\n## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n\n[unreleased]: https://x\n",
    );
    check(
        "# Changelog\n## Unreleased\n## Older\nsee git\n",
        "# Changelog\n## Unreleased\n\n## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n\n## Older\nsee git\n",
    );
}

#[test]
fn the_new_section_stands_above_the_last_version_in_every_style() {
    for heading in [
        "## [1.9.0](https://github.com/a/b/compare/v1.8.0...v1.9.0) (2024-05-01)",
        "## v1.9.0 (2024-05-01)",
        "## [1.9.0] - 2024-05-01",
        "## 1.9.0",
        "## core-v1.9.0",
        "## core 1.9.0 (2024-05-01)",
        "## Version 1.9.0",
        "## [core@1.9.0]",
        "## 1.9.0-next.3 - 2024",
        "## 4.1.0 Bumblebee",
    ] {
        let after = format!("{heading}\n\n- old\n");
        assert_eq!(
            inserted(&format!("# Changelog\n\n{after}")),
            format!("# Changelog\n\n{SECTION}\n{after}"),
            "{heading}"
        );
    }
}

#[test]
fn headings_take_the_level_of_the_file() {
    check("# 1.9.0\n\n- old\n", "# 2.0.0 (2026-11-24)\n\n## Features\n\n- a\n\n# 1.9.0\n\n- old\n");
    check(
        "1.9.0 (2024-01-01)\n==================\n\n- old\n",
        "# 2.0.0 (2026-11-24)\n\n## Features\n\n- a\n\n1.9.0 (2024-01-01)\n==================\n\n- old\n",
    );
    let code = "## 2.0.0\n\n```\n# comment\n```\n";
    assert_eq!(
        with("### 1.9.0\n", code, Format::Markdown),
        "### 2.0.0\n\n```\n# comment\n```\n\n### 1.9.0\n"
    );
}

#[test]
fn markers_win() {
    let marked = "# CHANGELOG\n\n<!-- version list -->\n\n## v1.0.0 (2024-01-01)\n\n- Initial Release\n";
    check(
        marked,
        "# CHANGELOG\n\n<!-- version list -->\n\n## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n\n\
         ## v1.0.0 (2024-01-01)\n\n- Initial Release\n",
    );
    check(
        "intro\n<!-- release: insert here -->\ntext\n## 1.0\n",
        "intro\n<!-- release: insert here -->\n\n## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n\ntext\n## 1.0\n",
    );
}

#[test]
fn anchors_stay_with_their_heading() {
    check(
        "<a name=\"1.9.0\"></a>\n## 1.9.0\n\n- old\n",
        &format!("{SECTION}\n<a name=\"1.9.0\"></a>\n## 1.9.0\n\n- old\n"),
    );
}

#[test]
fn code_and_comments_hold_no_headings() {
    check(
        "# Changelog\n\n<!--\n## 0.1.0\n-->\n\n```\n## 0.2.0\n```\n\n## 1.0.0\n",
        &format!("# Changelog\n\n<!--\n## 0.1.0\n-->\n\n```\n## 0.2.0\n```\n\n{SECTION}\n## 1.0.0\n"),
    );
}

#[test]
fn line_breaks_and_byte_order_mark_stay() {
    check(
        "\u{feff}# Changelog\r\n\r\n## 1.0.0\r\n",
        "\u{feff}# Changelog\r\n\r\n## 2.0.0 (2026-11-24)\r\n\r\n### Features\r\n\r\n- a\r\n\r\n## 1.0.0\r\n",
    );
    check("\u{feff}## 1.0.0", &format!("\u{feff}{SECTION}\n## 1.0.0"));
    check("# Changelog", &format!("# Changelog\n\n{SECTION}"));
}

#[test]
fn a_version_is_not_put_in_twice() {
    let once = inserted("# Changelog\n\n## 1.0.0\n");
    let error = insert(&once, SECTION, "2.0", Format::Markdown).unwrap_err();
    assert_eq!(error.to_string(), "version 2.0 has a section already, in line 3");
    assert!(insert("# Changelog\n\n### Python 2.0.0 support\n", SECTION, "2.0.0", Format::Markdown).is_ok());
}

const RST_SECTION: &str = "2.0.0 (2026-11-24)\n------------------\n\nFeatures\n~~~~~~~~\n\n- a\n";

#[test]
fn restructured_text_takes_the_files_underlines() {
    let rst = |existing: &str| with(existing, RST_SECTION, Format::ReStructuredText);
    assert_eq!(rst(""), format!("Changelog\n=========\n\n{RST_SECTION}"));
    assert_eq!(
        rst("=======\nChanges\n=======\n\n.. _v1.9.0:\n\n1.9.0 (2024)\n~~~~~~~~~~~~\n\n* old\n"),
        "=======\nChanges\n=======\n\n2.0.0 (2026-11-24)\n~~~~~~~~~~~~~~~~~~\n\nFeatures\n--------\n\n- a\n\n\
         .. _v1.9.0:\n\n1.9.0 (2024)\n~~~~~~~~~~~~\n\n* old\n"
    );
    assert_eq!(
        rst("Changes\n=======\n\nUnreleased\n----------\n\n* by hand\n\nVersion 1.9.0\n-------------\n"),
        format!(
            "Changes\n=======\n\nUnreleased\n----------\n\n* by hand\n\n{RST_SECTION}\nVersion 1.9.0\n-------------\n"
        )
    );
    let twice = insert("1.0\n\n2.0.0\n-----\n", RST_SECTION, "2.0.0", Format::ReStructuredText).unwrap_err();
    assert_eq!(twice, ChangelogError::AlreadyThere { version: "2.0.0".to_owned(), line: 3 });
}

fn changelog() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("# Changelog"),
        Just("## [Unreleased]"),
        Just("## 1.2.3"),
        Just("1.2.2\n====="),
        Just(""),
        Just("- entry"),
        Just("```"),
        Just("<!--"),
        Just("-->"),
        Just("[1.2.3]: https://x"),
        Just("ü\u{feff}"),
        Just("<a name=x></a>"),
        Just("---"),
        Just(".. _x:"),
        Just("======"),
    ];
    (proptest::collection::vec(piece, 0..12), prop_oneof![Just("\n"), Just("\r\n")], "\u{feff}?", "\n?")
        .prop_map(|(pieces, end, mark, last)| format!("{mark}{}{last}", pieces.join("\n").replace('\n', end)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn nothing_but_the_section_changes(existing in changelog(), rst in proptest::bool::ANY) {
        let (format, section) =
            if rst { (Format::ReStructuredText, RST_SECTION) } else { (Format::Markdown, SECTION) };
        let Insertion { at, text } = insert(&existing, section, "2.0.0", format).unwrap();
        let (before, after) = existing.split_at(at);
        assert!(before.is_empty() || before.ends_with('\n') || after.is_empty() || before == "\u{feff}");
        assert!(text.contains("2.0.0 (2026-11-24)") && text.ends_with('\n'));
        assert!(!existing.contains("\r\n") || !text.replace("\r\n", "").contains('\n'));
        assert!(before.is_empty() || before == "\u{feff}" || format!("{before}{text}").contains("\n\n")
            || format!("{before}{text}").contains("\r\n\r\n"));
    }

    #[test]
    fn any_bytes_are_taken(existing in "(?s).{0,200}", rst in proptest::bool::ANY) {
        let format = if rst { Format::ReStructuredText } else { Format::Markdown };
        if let Ok(Insertion { at, .. }) = insert(&existing, SECTION, "2.0.0", format) {
            assert!(existing.is_char_boundary(at));
        }
    }
}
