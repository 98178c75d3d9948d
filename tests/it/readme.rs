//! The README says one command to try it and one to test it, and both are what CI runs.

use std::fs;
use std::path::Path;

#[test]
fn the_readme_has_one_command_to_try_it_and_one_to_test_it() {
    assert_eq!(commands("Try it"), ["examples/demo.sh"]);
    assert_eq!(commands("Test it"), ["cargo test"]);
}

#[test]
fn ci_runs_the_command_of_the_readme() {
    let script = read(".ci/run");
    assert!(script.lines().any(|line| line.starts_with(&commands("Test it")[0])), "{script}");
}

/// The commands of the code block under a heading.
fn commands(heading: &str) -> Vec<String> {
    let text = read("README.md");
    let (_, after) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = after.split("\n## ").next().unwrap();
    let blocks: Vec<&str> = section.split("```").skip(1).step_by(2).collect();
    assert_eq!(blocks.len(), 1, "one code block under {heading}");
    blocks[0].lines().skip(1).map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
