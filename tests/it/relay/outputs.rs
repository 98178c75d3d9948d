//! `release plan --output github`: outputs of a step and its summary.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::relay::{Relay, check};
use crate::world::Answer;

/// Outputs that stand on a line each.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    text.lines().map(|line| pair(line).unwrap_or_else(|| panic!("an output: {line}"))).collect()
}

fn json_of(outputs: &BTreeMap<String, String>, name: &str) -> Value {
    serde_json::from_str(&outputs[name]).unwrap()
}

/// The packages of each wave.
fn waves(outputs: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let name = |row: &Value| row["package"].as_str().unwrap().to_owned();
    let names = |wave: &Value| wave["include"].as_array().unwrap().iter().map(name).collect();
    json_of(outputs, "waves").as_array().unwrap().iter().map(names).collect()
}

#[test]
fn a_plan_is_outputs_of_a_step_and_its_summary() {
    let relay = Relay::new();
    let clone = relay.clone(0);
    let printed = relay.run(&clone, &["plan", "--output", "github"]).well();
    let told = outputs(&printed.out);
    assert_eq!(
        (told["any"].as_str(), told["packages"].as_str()),
        ("true", r#"["base","solo","left","right"]"#)
    );
    assert_eq!(waves(&told), [vec!["base", "solo"], vec!["left", "right"]]);
    let row = &json_of(&told, "matrix")["include"][2];
    assert_eq!(
        (&row["tag"], &row["wave"], &row["from"]),
        (&json!("left-v1.1.0"), &json!(1), &json!("1.0.0"))
    );
    let plan = relay.run(&clone, &["plan", "--output", "json"]).well().json();
    assert_eq!(json!(told["plan"]), plan["digest"]);

    let [output, summary] = ["output", "summary"].map(|name| clone.folder.join(name));
    fs::write(&output, "earlier=1\n").unwrap();
    let mut command = relay.command(&clone, &["plan", "--output", "github"]);
    command.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", &summary);
    let written = Answer::of(command.output().unwrap()).well();
    assert_eq!((written.out.as_str(), written.err.as_str()), ("", "4 packages in 2 waves\n"));
    assert_eq!(fs::read_to_string(&output).unwrap(), format!("earlier=1\n{}", printed.out));
    assert!(fs::read_to_string(&summary).unwrap().contains("| base | 1.0.0 | **1.1.0** | minor |"));

    // A step that has said nearly all that it may.
    fs::write(&summary, "x".repeat(1024 * 1024 - 100)).unwrap();
    Answer::of(command.output().unwrap()).well();
    let said = fs::read_to_string(&summary).unwrap();
    assert!(
        said.len() <= 1024 * 1024 && said.ends_with("`release plan` shows all of it.\n"),
        "{}",
        said.len()
    );

    let mut nowhere = relay.command(&clone, &["plan", "--output", "github"]);
    nowhere.env("GITHUB_OUTPUT", clone.folder.join("no/folder"));
    check(&Answer::of(nowhere.output().unwrap()), 2, &["no/folder"]);
}

#[test]
fn what_is_left_of_a_claimed_release_is_told_by_its_tag() {
    let relay = Relay::new();
    let clone = relay.clone(0);
    let plan = outputs(&relay.run(&clone, &["plan", "--output", "github"]).well().out)["plan"].clone();
    let words = ["plan", "--tag", "left-v1.1.0", "--output", "github"];
    check(&relay.run(&clone, &words), 2, &["there is no tag `left-v1.1.0`"]);
    relay.run(&clone, &["ship", "--yes", "--until", "claim"]).well();

    let claimed = outputs(&relay.run(&relay.clone(1), &words).well().out);
    assert_eq!(waves(&claimed), [vec!["base", "solo"], vec!["left", "right"]]);
    assert_eq!(claimed["plan"], plan);
    let some = [&words[..], &["-p", "left"]].concat();
    assert_eq!(outputs(&relay.run(&clone, &some).well().out)["packages"], r#"["left"]"#);
    check(&relay.run(&clone, &words[..3]), 2, &["say `--output github` too"]);

    relay.run(&clone, &["ship", "--tag", "solo-v1.1.0", "--yes", "--until", "publish"]).well();
    let published = outputs(&relay.run(&clone, &words).well().out);
    assert_eq!(waves(&published), [vec!["base", "solo", "left", "right"]], "a trial needs nobody else's");

    relay.run(&clone, &["ship", "--yes"]).well();
    let mut done = relay.command(&clone, &[&words[..], &["--detailed-exitcode"]].concat());
    let summary = clone.folder.join("summary");
    let done = Answer::of(done.env("GITHUB_STEP_SUMMARY", &summary).output().unwrap());
    check(&done, 3, &["any=false", "matrix={\"include\":[]}", "waves=[]", &plan]);
    assert_eq!(fs::read_to_string(summary).unwrap(), "the release of `left-v1.1.0` is done; nothing to do\n");
    check(&relay.run(&clone, &["plan", "--tag", "left-v1.0.0", "--output", "github"]), 2, &["not made by"]);
}
