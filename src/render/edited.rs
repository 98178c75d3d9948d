//! Notes that people edited: in the words of a release, and in the section of a changelog.

use crate::render::format::Format;
use crate::render::headings::{self, Names, Spelling};

/// What a changelog says of a version, below its heading. `None` where no heading names it.
pub fn section_of<'t>(changelog: &'t str, version: &str, format: Format) -> Option<&'t str> {
    let lines = headings::lines(changelog);
    let found = headings::headings(&lines, format);
    let ours = Spelling::of(version);
    let is_it = |names: Names<'_>| matches!(names, Names::Version(named) if ours.is(named));
    let at = found.iter().position(|heading| is_it(heading.names))?;
    let title = lines[found[at].line..].iter().position(|line| line.text.contains(version)).unwrap_or(0);
    let underlined = format == Format::ReStructuredText;
    let first = found[at].line + title + if underlined { 2 } else { 1 };
    let next = found[at + 1..].iter().find(|next| next.level <= found[at].level);
    let end = next.map_or(changelog.len(), |next| lines[next.line].start);
    let start = lines.get(first).map_or(changelog.len(), |line| line.start);
    Some(trimmed(changelog.get(start..end.max(start))?))
}

/// The section of a changelog that says edited notes in place of the rendered ones. What the rendered notes say beyond
/// the rendered section, such as a link to all changes, stays out of it. Where the section is no Markdown it stays.
pub fn section_with(section: &str, rendered: &str, edited: &str, format: Format) -> String {
    if format != Format::Markdown {
        return section.to_owned();
    }
    let lines = headings::lines(section);
    let Some(heading) = headings::headings(&lines, format).into_iter().next() else {
        return section.to_owned();
    };
    let below = lines[heading.line..].iter().position(|line| line.text.trim_start().starts_with('#'));
    let end = lines[heading.line + below.unwrap_or(0)].next;
    let (head, body) = section.split_at(end);
    let tail = rendered.trim().strip_prefix(body.trim()).map_or("", str::trim);
    let kept = edited.trim().strip_suffix(tail).unwrap_or(edited).trim();
    format!("{}\n\n{kept}\n", head.trim_end())
}

/// The notes in which a changelog's edited words stand in place of the planned ones.
pub fn notes_with(notes: &str, planned: &str, edited: &str) -> String {
    let edited = edited.replace("\r\n", "\n");
    match planned.is_empty() {
        false if notes.contains(planned) => notes.replacen(planned, &edited, 1),
        _ => format!("{edited}\n"),
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str =
        "# Changelog\n\n## [1.3.0](https://h/c) (2025-01-06)\n\n### Features\n\n- one\n\n## 1.2.0\n\n- old\n";

    #[test]
    fn a_version_has_the_words_below_its_heading() {
        let check = |version, expected| {
            assert_eq!(section_of(CHANGELOG, version, Format::Markdown), expected);
        };
        check("1.3.0", Some("### Features\n\n- one"));
        check("1.2.0", Some("- old"));
        check("1.1.0", None);
        let rst = "Changelog\n=========\n\n1.3.0 (2025)\n------------\n\n- one\n\n1.2.0\n-----\n\n- old\n";
        assert_eq!(section_of(rst, "1.3.0", Format::ReStructuredText), Some("- one"));
    }

    #[test]
    fn a_section_says_what_people_wrote() {
        let section = "## 1.3.0 (2025-01-06)\n\n### Features\n\n- one\n";
        let rendered = "### Features\n\n- one\n\nContributors: Ada.\n";
        let edited = "Read this.\n\n### Features\n\n- one, at last\n\nContributors: Ada.\n";
        let expected = "## 1.3.0 (2025-01-06)\n\nRead this.\n\n### Features\n\n- one, at last\n";
        assert_eq!(section_with(section, rendered, edited, Format::Markdown), expected);
        assert_eq!(
            section_with(section, rendered, "just this", Format::Markdown),
            "## 1.3.0 (2025-01-06)\n\njust this\n"
        );
        assert_eq!(section_with("1.3.0\n-----\n", "", "x", Format::ReStructuredText), "1.3.0\n-----\n");
    }

    #[test]
    fn notes_take_over_what_a_changelog_says() {
        let notes = "### Features\n\n- one\n\nContributors: Ada.\n";
        let check = |planned, edited, expected| assert_eq!(notes_with(notes, planned, edited), expected);
        check("### Features\n\n- one", "- one, at last", "- one, at last\n\nContributors: Ada.\n");
        check("#### Features\n\n- one", "- other", "- other\n");
    }
}
