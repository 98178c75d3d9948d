//! Listeners hear how deployments end: an address and a program.

use std::fs;

use serde_json::Value;

use crate::deploys::place::{Place, refused, two};
use crate::service::{Reply, Service};

#[test]
fn an_address_and_a_program_hear_of_every_end() {
    let listener = Service::start(|_, _| Reply::Answer(204, String::new()));
    let hooks = format!(
        "\n[[hook]]\non = [\"verified\", \"rolled-back\", \"rollback-failed\", \"halted\"]\nurl = \"{}\"\n\
         secret-from = \"CHAT_SECRET\"\n\n\
         [[hook]]\non = [\"rolled-back\"]\ncommand = [\"sh\", \"-c\", \"cat >> {{here}}/heard; echo >> {{here}}/heard\"]\n\
         environments = [\"staging\"]\n",
        listener.url("/chat")
    );
    let place = Place::released(&(two("") + &hooks));
    let more = [("CHAT_SECRET", "hunter2-chat")];
    let run = |words: &[&str]| place.run_with(&place.fresh(), words, &more);
    run(&["deploy", "staging", "core@1.1.0", "--yes"]).well();
    place.order("sick", "staging-core-1.2.0");
    let failed = run(&["deploy", "staging", "core@1.2.0", "--yes"]);
    refused(&failed, 5, &[]);
    run(&["halt", "--all", "--reason", "enough"]).well();

    let requests = listener.requests.lock().unwrap().clone();
    let told: Vec<Value> = requests.iter().map(|one| serde_json::from_slice(&one.body).unwrap()).collect();
    let occasions: Vec<&str> = told.iter().map(|one| one["occasion"].as_str().unwrap()).collect();
    assert_eq!(occasions, ["verified", "rolled-back", "halted"]);
    assert_eq!((&told[0]["package"], &told[0]["version"]), (&"core".into(), &"1.1.0".into()));
    assert_eq!((&told[1]["version"], &told[1]["from"]), (&"1.2.0".into(), &"1.1.0".into()));
    assert!(told[1]["reason"].as_str().unwrap().starts_with("command-1"), "{}", told[1]);
    assert!(requests.iter().all(|one| one.header("x-release-signature-256").is_some()));
    let heard = fs::read_to_string(place.folder().join("heard")).unwrap();
    let heard: Value = serde_json::from_str(heard.trim()).unwrap();
    assert_eq!(heard, told[1], "both hear the same");
    let said = format!("{}{}{:?}", failed.out, failed.err, place.log());
    assert!(!said.contains("hunter2-chat"), "the secret stays hidden");
}

#[test]
fn a_listener_that_fails_changes_nothing() {
    let listener = Service::start(|_, _| Reply::Answer(403, "go away\u{1b}[31m".to_owned()));
    let hook = format!("\n[[hook]]\non = [\"verified\"]\nurl = \"{}\"\n", listener.url("/"));
    let place = Place::released(&(two("") + &hook));
    let answer = place.release(&["deploy", "staging", "core@1.1.0", "--yes"]).well();
    assert!(answer.err.contains("a listener was not told of `verified`"), "{}", answer.err);
    assert!(!answer.err.contains('\u{1b}'), "what it answers is no command to a terminal: {:?}", answer.err);
    place.agrees("staging", ["1.1.0", "-"]);
}
