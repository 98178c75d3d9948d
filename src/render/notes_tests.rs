use super::*;

fn notes(data: &NotesData, template: Option<&Parsed<'_>>) -> Result<String, RenderError> {
    super::notes(&Shown::of(data), template)
}

fn changelog_section(
    data: &NotesData,
    format: Format,
    template: Option<&Parsed<'_>>,
) -> Result<String, RenderError> {
    super::changelog_section(&Shown::of(data), format, template)
}

/// What is said of a template that fails on a package without changes.
fn refusal(own: Template<'_>) -> String {
    Parsed::parse(own).and_then(|own| notes(&core(), Some(&own))).unwrap_err().to_string()
}

fn entry(text: &str) -> NotesEntry {
    NotesEntry { text: text.to_owned(), ..NotesEntry::default() }
}

fn linked(text: &str, scope: &str, number: u64) -> NotesEntry {
    NotesEntry {
        scope: Some(scope.to_owned()),
        commit: Some("1a2b3c4d5e6f".to_owned()),
        short: Some("1a2b3c4d".to_owned()),
        commit_url: Some("https://github.com/a/b/commit/1a2b3c4d5e6f".to_owned()),
        pull_request: Some(number),
        pull_request_url: Some(format!("https://github.com/a/b/pull/{number}")),
        ..entry(text)
    }
}

fn section(title: &str, entries: Vec<NotesEntry>) -> NotesSection {
    NotesSection { title: title.to_owned(), entries }
}

fn core() -> NotesData {
    NotesData {
        package: "core".to_owned(),
        distribution: "acme-core".to_owned(),
        version: "2.0.0".to_owned(),
        previous: Some("1.4.2".to_owned()),
        date: "2026-11-24".to_owned(),
        tag: "core-v2.0.0".to_owned(),
        previous_tag: Some("core-v1.4.2".to_owned()),
        compare_url: Some("https://github.com/a/b/compare/core-v1.4.2...core-v2.0.0".to_owned()),
        ..NotesData::default()
    }
}

fn full() -> NotesData {
    let mut breaking = linked("drop the old reader (#7)", "io", 7);
    breaking.breaking = true;
    breaking.breaking_notes = vec!["`read` takes a path now:\n\n```python\nread(Path(x))\n```".to_owned()];
    let mut detailed = entry("speed up");
    detailed.details = Some("Twice as *fast*.".to_owned());
    NotesData {
        breaking: section("Breaking changes", vec![breaking]),
        sections: vec![
            section("Features", vec![linked("stream", "io", 8), entry("write <b>")]),
            section("Performance", Vec::new()),
            section("Bug fixes", vec![detailed, entry("close files")]),
        ],
        dependencies: vec![
            NotesDependency {
                package: "base".to_owned(),
                to: "2.1.0".to_owned(),
                ..NotesDependency::default()
            },
            NotesDependency {
                package: "io".to_owned(),
                to: "0.3.0".to_owned(),
                ..NotesDependency::default()
            },
        ],
        contributors: vec!["Ada".to_owned(), "Grace @hopper".to_owned()],
        text_from_fragments: vec!["A **large** release.".to_owned()],
        ..core()
    }
}

#[test]
fn notes_put_what_breaks_first() {
    let expected = "\
A **large** release.

### Breaking changes

- **io:** drop the old reader ([#7](https://github.com/a/b/pull/7)) ([1a2b3c4d](https://github.com/a/b/commit/1a2b3c4d5e6f))

  `read` takes a path now:

  ```python
  read(Path(x))
  ```

### Features

- **io:** stream ([#8](https://github.com/a/b/pull/8)) ([1a2b3c4d](https://github.com/a/b/commit/1a2b3c4d5e6f))
- write &lt;b>

### Bug fixes

- speed up

  Twice as *fast*.
- close files

Updated dependencies: base 2.1.0, io 0.3.0.

Contributors: Ada, Grace `@hopper`.

[All changes](https://github.com/a/b/compare/core-v1.4.2...core-v2.0.0)
";
    assert_eq!(notes(&full(), None).unwrap(), expected);
}

#[test]
fn a_changelog_section_has_a_heading_that_links() {
    let text = changelog_section(&full(), Format::Markdown, None).unwrap();
    assert!(text.starts_with(
        "## [2.0.0](https://github.com/a/b/compare/core-v1.4.2...core-v2.0.0) (2026-11-24)\n\nA **large**"
    ));
    assert!(text.ends_with("Updated dependencies: base 2.1.0, io 0.3.0.\n"));
    let unlinked =
        NotesData { compare_url: None, sections: vec![section("Features", vec![entry("a")])], ..core() };
    assert_eq!(
        changelog_section(&unlinked, Format::Markdown, None).unwrap(),
        "## 2.0.0 (2026-11-24)\n\n### Features\n\n- a\n"
    );
}

#[test]
fn a_changelog_section_in_restructured_text() {
    let expected = "\
2.0.0 (2026-11-24)
------------------

A \\*\\*large\\*\\* release.

Breaking changes
~~~~~~~~~~~~~~~~

- **io:** drop the old reader (`#7 <https://github.com/a/b/pull/7>`__) (`1a2b3c4d <https://github.com/a/b/commit/1a2b3c4d5e6f>`__)

  ``read`` takes a path now: \\`\\`\\`python read(Path(x)) \\`\\`\\`

Features
~~~~~~~~

- **io:** stream (`#8 <https://github.com/a/b/pull/8>`__) (`1a2b3c4d <https://github.com/a/b/commit/1a2b3c4d5e6f>`__)
- write <b>
";
    let text = changelog_section(&full(), Format::ReStructuredText, None).unwrap();
    let (before, after) = text.split_once("\nBug fixes\n~~~~~~~~~\n").unwrap();
    assert_eq!(before, expected);
    assert!(
        after.starts_with("\n- speed up\n\n  Twice as \\*fast\\*.\n\n- close files\n\nUpdated"),
        "{after}"
    );
}

#[test]
fn a_first_release_does_not_list_the_history() {
    let data = NotesData { first_release: true, text_from_fragments: Vec::new(), ..full() };
    let text = notes(&data, None).unwrap();
    assert!(text.starts_with("First release.\n"), "{text}");
    assert!(!text.contains("reader") && !text.contains("All changes"), "{text}");
}

#[test]
fn a_release_for_its_dependencies_says_only_that() {
    let moved =
        NotesDependency { package: "core".to_owned(), to: "2.1.0".to_owned(), ..NotesDependency::default() };
    let data = NotesData { dependencies: vec![moved], compare_url: None, ..core() };
    assert_eq!(notes(&data, None).unwrap(), "Updated dependencies: core 2.1.0.\n");
}

#[test]
fn a_users_template_replaces_ours_and_sees_neutral_text() {
    let own = Template {
        name: "own.md.j2",
        text: "{% for s in sections %}{% for e in s.entries %}[{{ e.text }}](https://x)\n{% endfor %}{% endfor %}",
    };
    let hostile = vec![
        entry("a](javascript:alert(1)) <script> @everyone"),
        entry("{{ package }} {% raw %}"),
        entry("\u{1b}[31mred\r\n# heading \u{202e}"),
    ];
    let data = NotesData { sections: vec![section("Features", hostile)], ..core() };
    assert_eq!(
        notes(&data, Some(&Parsed::parse(own).unwrap())).unwrap(),
        "[a\\](javascript:alert(1)) &lt;script> `@everyone`](https://x)\n\
         [{{ package }} {% raw %}](https://x)\n[red # heading](https://x)\n"
    );
}

#[test]
fn addresses_and_ids_that_are_none_give_no_links() {
    let mut odd = linked("x", "io", 1);
    odd.commit_url = Some("javascript:alert(1)".to_owned());
    odd.pull_request_url = Some("https://x/) [y](javascript:z".to_owned());
    odd.short = Some("<b>".to_owned());
    let data = NotesData { sections: vec![section("Features", vec![odd])], compare_url: None, ..core() };
    assert_eq!(notes(&data, None).unwrap(), "### Features\n\n- **io:** x (#1)\n");
}

#[test]
fn a_wrong_field_is_named_with_its_line_and_the_fields_that_exist() {
    let own = Template { name: "docs/notes.md.j2", text: "# {{ version }}\n\n{{ verison }}\n" };
    let error = refusal(own);
    assert!(error.starts_with("template `docs/notes.md.j2`, line 3: undefined value"), "{error}");
    assert!(error.contains("; there are breaking, compare_url, contributors, date,"), "{error}");
    assert!(error.contains("in an entry: author, breaking, breaking_notes, commit,"), "{error}");
}

#[test]
fn a_template_that_does_not_parse_is_named_with_its_line() {
    let own = Template { name: "notes.md.j2", text: "a\n{% for x in sections %}\n" };
    let error = refusal(own);
    assert!(error.starts_with("template `notes.md.j2`, line"), "{error}");
    assert!(error.contains("syntax error"), "{error}");
}

#[test]
fn a_template_reads_no_files() {
    let own = Template { name: "notes.md.j2", text: "{% include '/etc/passwd' %}" };
    let error = refusal(own);
    assert!(error.contains("line 1: template not found"), "{error}");
}
