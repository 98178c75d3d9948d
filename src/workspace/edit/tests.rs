use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::*;

fn edited(text: &str, changes: &[Change]) -> String {
    String::from_utf8(apply(text.as_bytes(), changes).unwrap()).unwrap()
}

fn check_version(text: &str, new: &str, expected: &str) {
    let manifest = Manifest::read(text, "pyproject.toml").unwrap();
    assert_eq!(edited(text, &set_version(text, &manifest, new).unwrap()), expected);
}

/// Rewrites the first dependency.
fn check_requirement(text: &str, new: &str, expected: &str) {
    let manifest = Manifest::read(text, "pyproject.toml").unwrap();
    let changes = set_requirement(text, &manifest, &manifest.dependencies[0], new).unwrap();
    assert_eq!(edited(text, &changes), expected);
}

#[test]
fn only_the_version_changes() {
    check_version(
        "\u{feff}[project]\r\nname = \"a\"\r\nversion = '1.0'  # \"1.0\"\r\n[tool.poetry]\r\nversion=\"1.0\"\r\n",
        "1.1.0rc1",
        "\u{feff}[project]\r\nname = \"a\"\r\nversion = '1.1.0rc1'  # \"1.0\"\r\n[tool.poetry]\r\nversion=\"1.1.0rc1\"\r\n",
    );
    check_version(
        "project = { name = \"a\", version = \"\"\"1.0\"\"\" }",
        "2.0",
        "project = { name = \"a\", version = \"2.0\" }",
    );
}

#[test]
fn the_same_version_changes_nothing() {
    let text = "[project]\nname = \"a\"\nversion = \"1.0\"\n";
    let manifest = Manifest::read(text, "p").unwrap();
    assert_eq!(set_version(text, &manifest, "1.0").unwrap(), []);
}

#[test]
fn a_manifest_without_a_version_is_refused() {
    let text = "[project]\nname = \"a\"\ndynamic = [\"version\"]\n";
    let manifest = Manifest::read(text, "p.toml").unwrap();
    let error = set_version(text, &manifest, "1.0").unwrap_err().to_string();
    assert_eq!(error, "`p.toml` holds no version to edit");
}

#[test]
fn a_requirement_keeps_its_quotes_and_surroundings() {
    let project = |list: &str| format!("[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [{list}]\n");
    check_requirement(&project("\"b>=1\", # c\n"), "b>=2", &project("\"b>=2\", # c\n"));
    check_requirement(&project("'b>=1'"), "b>=2 ; x == \"y\"", &project("'b>=2 ; x == \"y\"'"));
    check_requirement(&project("\"b>=1\""), "b>=2 ; x == 'y'", &project("\"b>=2 ; x == 'y'\""));
    check_requirement(&project("\"b>=1\""), "b>=2 ; x == \"y\"", &project("'b>=2 ; x == \"y\"'"));
    check_requirement(
        &project("\"b>=1; x == \\\"y\\\"\""),
        "b>=2; x == \"y\"",
        &project("'b>=2; x == \"y\"'"),
    );
    check_requirement(&project("'''b>=1'''"), "b>=2", &project("\"b>=2\""));
    check_requirement(
        "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\nb = { version = \"^1.0\", extras = [\"x\"] }\n",
        "^2.0",
        "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\nb = { version = \"^2.0\", extras = [\"x\"] }\n",
    );
}

#[test]
fn an_entry_without_a_constraint_is_refused() {
    let text = "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\nb = { path = \"../b\" }\n";
    let manifest = Manifest::read(text, "p.toml").unwrap();
    let error = set_requirement(text, &manifest, &manifest.dependencies[0], "^1").unwrap_err().to_string();
    assert_eq!(error, "`p.toml`: `b` in poetry dependencies has no constraint to edit");
}

#[test]
fn an_edit_that_would_mean_something_else_is_refused() {
    let text = "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"b\"]\n";
    let manifest = Manifest::read(text, "p.toml").unwrap();
    let error = set_requirement(text, &manifest, &manifest.dependencies[0], "c>=1").unwrap_err().to_string();
    assert_eq!(error, "the edit would break `p.toml`");
    let error = set_requirement(text, &manifest, &manifest.dependencies[0], ">=1").unwrap_err().to_string();
    assert_eq!(error, "the edit would break `p.toml`");
}

#[test]
fn changes_that_overlap_are_refused() {
    let change = |at, delete| Change { at, delete, insert: String::new() };
    assert!(apply(b"abc", &[change(0, 2), change(1, 1)]).is_err());
    assert!(apply(b"abc", &[change(2, 2)]).is_err());
    assert!(apply(b"abc", &[change(4, 0)]).is_err());
    assert!(apply(b"abc", &[change(1, usize::MAX)]).is_err());
    assert_eq!(apply(b"abc", &[change(2, 1), change(0, 1)]).unwrap(), b"b");
    assert_eq!(apply(b"\xff\xfe", &[]).unwrap(), b"\xff\xfe");
}

#[test]
fn files_of_a_dynamic_version_are_edited() {
    let names = FileKind::PythonAttribute { names: vec!["__version__".to_owned()] };
    let text = "__version__ = 'v1.0'  # x\r\n";
    let changes = set_file_version("a.py", text, &names, "1.1").unwrap();
    assert_eq!(edited(text, &changes), "__version__ = 'v1.1'  # x\r\n");
    let changes = set_version_file("README.md", "1.0 and v1.0", "1.0", "1.1").unwrap();
    assert_eq!(edited("1.0 and v1.0", &changes), "1.1 and v1.1");
    assert_eq!(set_version_file("README.md", "1.0", "1.0", "1.0").unwrap(), []);
    let error = set_version_file("README.md", "2.0", "1.0", "1.1").unwrap_err().to_string();
    assert_eq!(error, "`README.md` does not hold the version 1.0");
}

/// A piece of a manifest: text, and whether it is the inside of a string that may be edited.
type Pieces = Vec<(String, bool)>;

fn literal_pieces(value: &str, quotes: usize) -> Pieces {
    let quote = ["\"", "'", "\"\"\"", "'''"][quotes % 4];
    let single = quote.len() == 1;
    // The quotes of a multi-line string may be exchanged, so that they belong to what changes.
    match single {
        true => vec![(quote.to_owned(), false), (value.to_owned(), true), (quote.to_owned(), false)],
        false => vec![(format!("{quote}{value}{quote}"), true)],
    }
}

/// A manifest in pieces: a version and requirements in random quotes, comments, blanks and line ends.
fn manifest() -> impl Strategy<Value = (Pieces, usize)> {
    let blank = prop_oneof![Just(""), Just(" "), Just("\t "), Just("  # é \" comment\n"), Just("\n")];
    let items = proptest::collection::vec((0_usize..4, any::<u8>(), blank), 0..6);
    (any::<bool>(), any::<bool>(), 0_usize..4, items).prop_map(|(mark, returns, quotes, items)| {
        let count = items.len();
        let mut pieces: Pieces = Vec::new();
        let mut push = |text: &str| pieces.push((text.to_owned(), false));
        if mark {
            push("\u{feff}");
        }
        push("# head\n[project] # p\nname='x'\nversion = ");
        pieces.extend(literal_pieces("1.0", quotes));
        pieces.push((" # v\ndependencies = [\n".to_owned(), false));
        for (quotes, number, blank) in items {
            pieces.extend(literal_pieces(&format!("p{number}[x] >= 1.{number}"), quotes));
            pieces.push((format!(",{blank}"), false));
        }
        pieces.push(("]\n[tool.other]\nx = [1,2 ,3]\n".to_owned(), false));
        if returns {
            pieces.iter_mut().for_each(|(text, _)| *text = text.replace('\n', "\r\n"));
        }
        (pieces, count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_changes_nothing_outside_its_strings((pieces, count) in manifest(), which in any::<proptest::sample::Index>()) {
        let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        let manifest = Manifest::read(&text, "p").unwrap();
        prop_assert_eq!(apply(text.as_bytes(), &[]).unwrap(), text.as_bytes());
        prop_assert_eq!(manifest.dependencies.len(), count);

        let mut changes = set_version(&text, &manifest, "2.0").unwrap();
        let chosen = (count > 0).then(|| which.index(count));
        if let Some(chosen) = chosen {
            let dependency = &manifest.dependencies[chosen];
            changes.extend(set_requirement(&text, &manifest, dependency, &format!("{}>=9", dependency.name)).unwrap());
        }
        let after = edited(&text, &changes);

        // Every fixed piece stands in the result, in order, with only the edited strings between.
        let mut rest = after.as_str();
        let mut string = 0;
        for (piece, is_string) in &pieces {
            let new = match string {
                0 => Some("2.0".to_owned()),
                one if Some(one - 1) == chosen => Some(format!("{}>=9", manifest.dependencies[one - 1].name)),
                _ => None,
            };
            let expected = match (is_string, new) {
                (true, Some(new)) if piece.starts_with(['"', '\'']) => format!("\"{new}\""),
                (true, Some(new)) => new,
                _ => piece.clone(),
            };
            string += usize::from(*is_string);
            prop_assert_eq!(rest.get(..expected.len()), Some(expected.as_str()));
            rest = &rest[expected.len()..];
        }
        prop_assert_eq!(rest, "");
        let again = Manifest::read(&after, "p").unwrap();
        prop_assert_eq!(again.version(), Some("2.0"));
        prop_assert_eq!(again.dependencies.len(), count);
    }
}
