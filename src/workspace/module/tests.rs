use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use super::*;

fn check(text: &str, expected: Result<&str, &str>) {
    let names = ["__version__".to_owned(), "VERSION".to_owned()];
    match (python_version("m.py", text, &names), expected) {
        (Ok((version, span)), Ok(expected)) => {
            assert_eq!((version.as_str(), &text[span]), (expected, expected), "{text}");
        }
        (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
        (found, expected) => panic!("{found:?}, not {expected:?} in {text:?}"),
    }
}

#[test]
fn a_plain_assignment_is_found() {
    check("__version__ = \"1.2.3\"\n", Ok("1.2.3"));
    check("\u{feff}__version__='1.2.3'\r\nx = 1\r\n", Ok("1.2.3"));
    check("from typing import Final\n__version__: Final[str] = '1.2.3'  # here\n", Ok("1.2.3"));
    check("__version__ = VERSION = \"1.2.3\"; x = 1\n", Ok("1.2.3"));
    check("x = 1; __version__ = \"1.2.3\"", Ok("1.2.3"));
    check("__version__ = \"\"\"1.2.3\"\"\"\n", Ok("1.2.3"));
    check("__version__ = u\"v1.2.3\"\n", Ok("1.2.3"));
    check("if __name__ == \"__main__\":\n\n    run()\n__version__ = \"é1\"\n", Ok("é1"));
}

#[test]
fn text_that_only_looks_like_an_assignment_is_none() {
    check("\"\"\"\n__version__ = \"0\"\n\"\"\"\n__version__ = \"1.0\"\n", Ok("1.0"));
    check("# __version__ = \"0\"\n__version__ = \"1.0\"\n", Ok("1.0"));
    check("x = (\n__version__ == \"0\"\n)\n__version__ = \"1.0\"\n", Ok("1.0"));
    check("x = \\\n__version__ = \"0\"\n__version__ = \"1.0\"\n", Ok("1.0"));
    check("class A:\n    __version__ = \"0\"\n\n    y = 1\n__version__ = \"1.0\"\n", Ok("1.0"));
    check("my__version__ = \"0\"\n__version__ = \"1.0\"\n", Ok("1.0"));
    check("__version__ == \"0\"\n", Err("assigns no `__version__` or `VERSION`"));
    check("try:\n    __version__ = \"1\"\nexcept E:\n    __version__ = \"2\"\n", Err("assigns no"));
    check("from a import __version__\n", Err("assigns no"));
    check("", Err("assigns no"));
}

#[test]
fn what_is_no_plain_string_is_refused() {
    check("VERSION = (1, 2, 3)\n", Err("`VERSION` is a tuple or an expression"));
    check("__version__ = version(\"acme\")\n", Err("`__version__` is computed"));
    check("__version__ = f\"{major}.0\"\n", Err("computed"));
    check("__version__ = \"1.\" + \"2\"\n", Err("computed"));
    check("__version__ = \"1.\" \"2\"\n", Err("computed"));
    check("__version__ = 1.2\n", Err("a number"));
    check("__version__ = \"1\\x2e2\"\n", Err("escapes"));
    check("__version__ =", Err("computed"));
    check("__version__ = \"1.2", Err("`__version__`"));
}

#[test]
fn several_assignments_of_one_name_are_refused() {
    check("__version__ = \"1\"\n__version__ = \"2\"\n", Err("assigns `__version__` more than once"));
    check("__version__ = \"1\"\nVERSION = \"2\"\n", Ok("1"));
}

/// The text with each found place in angle brackets.
fn check_file(path: &str, text: &str, expected: &str) {
    let found = find_in_version_file(path, text, "1.2.3").unwrap();
    let mut marked = text.to_owned();
    for span in found.iter().rev() {
        let inside = format!("<{}>", &text[span.clone()]);
        marked.replace_range(span.clone(), &inside);
    }
    assert_eq!(marked, expected);
}

#[test]
fn a_module_repeats_the_version_in_its_attributes() {
    check_file(
        "a/b.py",
        "VERSION = '1.2.3'\nother = '1.2.3'\n__version__ = \"1.2.3\"\n",
        "VERSION = '<1.2.3>'\nother = '1.2.3'\n__version__ = \"<1.2.3>\"\n",
    );
    check_file("docs/conf.py", "release = '1.2.3'\n", "release = '<1.2.3>'\n");
}

#[test]
fn toml_and_ini_files_repeat_it_in_their_keys() {
    check_file(
        "Cargo.toml",
        "[package]\nversion = \"1.2.3\"\n[dependencies]\na = { version = \"1.2.3\" }\n[dependencies.b]\nversion = \"1.2.3\"\n",
        "[package]\nversion = \"<1.2.3>\"\n[dependencies]\na = { version = \"1.2.3\" }\n[dependencies.b]\nversion = \"1.2.3\"\n",
    );
    check_file("setup.cfg", "[metadata]\r\nversion = 1.2.3\r\n", "[metadata]\r\nversion = <1.2.3>\r\n");
    check_file("x.toml", "release = \"1.2.3\"\n", "release = \"<1.2.3>\"\n");
}

#[test]
fn elsewhere_each_whole_occurrence_counts() {
    check_file(
        "README.md",
        "Version 1.2.3. `pip install acme==1.2.3`, v1.2.3, acme-1.2.3.tar.gz, acme:1.2.3-alpine",
        "Version <1.2.3>. `pip install acme==<1.2.3>`, v<1.2.3>, acme-<1.2.3>.tar.gz, acme:<1.2.3>-alpine",
    );
    check_file(
        "README.md",
        "1.2.3 11.2.3 1.2.31 0.1.2.3 1.2.3.4 1.2.3rc1 1.2.3-beta.1 1.2.3.dev4 1.2.3+local 1!1.2.3 rev1.2.3 1.2.3-1",
        "<1.2.3> 11.2.3 1.2.31 0.1.2.3 1.2.3.4 1.2.3rc1 1.2.3-beta.1 1.2.3.dev4 1.2.3+local 1!1.2.3 rev1.2.3 1.2.3-1",
    );
}

#[test]
fn a_file_without_the_version_is_named() {
    let error = find_in_version_file("docs/x.md", "1.2.30", "1.2.3").unwrap_err();
    assert_eq!(error.to_string(), "`docs/x.md` does not hold the version 1.2.3");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_places_lie_in_it(text in "(V = |VERSION|[\\\\\"'=:;()# \r\nvé1.]){0,24}") {
        for one in assignments(&text) {
            if let Ok((value, span)) = one.value {
                prop_assert!(text.get(span) == Some(value));
            }
        }
        for path in ["a.py", "a.toml", "a.md"] {
            for span in find_in_version_file(path, &text, "1.1").unwrap_or_default() {
                prop_assert!(text.get(span).is_some());
            }
        }
    }
}
