//! Any text is a manifest: reading never panics, no edit changes nothing, and a new version changes only its place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use release::workspace::edit::{apply, set_requirement, set_version};
use release::workspace::manifest::Manifest;

const PATH: &str = "pyproject.toml";
const VERSION: &str = "97.98.99";

fuzz_target!(|text: &str| {
    let Ok(manifest) = Manifest::read(text, PATH) else { return };
    let untouched = apply(text.as_bytes(), &[]).expect("no change can not overlap");
    assert_eq!(untouched, text.as_bytes());

    if let Ok(changes) = set_version(text, &manifest, VERSION) {
        let edited = apply(text.as_bytes(), &changes).expect("changes of one edit do not overlap");
        let edited = String::from_utf8(edited).expect("an edit of text gives text");
        let again = Manifest::read(&edited, PATH).expect("an edited manifest can be read");
        assert!(again.declared.iter().all(|declared| declared.value == VERSION));
        assert_eq!(again.dependencies.len(), manifest.dependencies.len());
        assert_eq!(without(&edited, &again), without(text, &manifest), "only the version changes");
    }

    for dependency in &manifest.dependencies {
        let same = set_requirement(text, &manifest, dependency, &dependency.text);
        assert!(same.is_ok_and(|changes| changes.is_empty()) || dependency.span.is_empty(), "the same is no change");
    }
});

/// The text with the literals of its versions taken out, quotes and all: an edit may quote anew.
fn without(text: &str, manifest: &Manifest) -> String {
    let mut spans: Vec<_> = manifest.declared.iter().map(|declared| declared.span.clone()).collect();
    spans.sort_by_key(|span| span.start);
    let mut rest = String::new();
    let mut done = 0;
    for span in spans {
        rest.push_str(text[done..span.start].trim_end_matches(['"', '\'']));
        done = span.end + text[span.end..].len() - text[span.end..].trim_start_matches(['"', '\'']).len();
    }
    rest.push_str(&text[done..]);
    rest
}
