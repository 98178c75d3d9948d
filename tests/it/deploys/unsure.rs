//! Checks that can not be decided: nothing goes back, nothing goes on, and a later look decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::deploys::place::{Place, environment, refused};
use crate::service::{Reply, Service, free_port};

const DEPLOY: [&str; 4] = ["deploy", "staging", "core@1.1.0", "--yes"];

fn judged(url: &str) -> String {
    environment("staging", "")
        + &format!(
            "[[environment.staging.validate]]\nkind = \"metrics\"\nurl = \"{url}\"\nquery = \"errors\"\n\
             expect = {{ max = 0.01 }}\ninterval = \"1s\"\ndeadline = \"2s\"\nerror-limit = 0\n"
        )
}

#[test]
fn without_a_judge_or_data_it_stays_until_a_tick_can_tell() {
    let data = Arc::new(AtomicUsize::new(0));
    let known = Arc::clone(&data);
    let judge = Service::start(move |_, _| {
        let result = match known.load(Ordering::SeqCst) {
            0 => "[]",
            _ => "[{\"metric\":{},\"value\":[1700000000,\"0.001\"]}]",
        };
        let data = format!("{{\"resultType\":\"vector\",\"result\":{result}}}");
        Reply::Answer(200, format!("{{\"status\":\"success\",\"data\":{data}}}"))
    });
    let place = Place::released(&judged(&format!("http://127.0.0.1:{}", free_port())));
    refused(&place.release(&DEPLOY), 8, &["undecided: metrics-3", "the release stays where it is"]);
    assert_eq!(place.version("staging", "core"), "1.1.0");
    let status = place.release(&["status", "--output", "json"]).well().json();
    assert_eq!(status["in_flight"][0]["environment"], "staging", "{status}");
    let state = place.state();
    let rollouts = state["rollouts"].as_object().unwrap();
    assert!(rollouts.values().all(|rollout| rollout["holder"].is_null()), "nobody has it in hand");

    // The judge is there and knows nothing: no data is no pass.
    place.configure(&judged(&judge.url("")));
    refused(&place.release(&["tick"]), 8, &["undecided: metrics-3"]);
    assert_eq!(place.status("staging", "core")["verified"], false);
    data.store(1, Ordering::SeqCst);
    place.release(&["tick"]).well();
    place.agrees("staging", ["1.1.0", "-"]);
    assert_eq!(place.status("staging", "core")["verified"], true);
    assert_eq!(place.done(), ["staging core 1.1.0"], "it was brought there once");
}

#[test]
fn a_service_that_flaps_is_undecided() {
    let service =
        Service::start(|number, _| Reply::Answer(if number % 2 == 0 { 200 } else { 500 }, "{}".to_owned()));
    let config = environment("staging", "")
        + &format!(
            "[[environment.staging.validate]]\nkind = \"http\"\nurl = \"{}\"\nconsecutive-success = 2\n\
             failure-limit = 50\ninterval = \"1s\"\ndeadline = \"3s\"\n",
            service.url("/health")
        );
    let place = Place::released(&config);
    refused(&place.release(&DEPLOY), 8, &["undecided: http-3"]);
    assert!(service.count() >= 2, "it was asked more than once");
    assert_eq!(place.version("staging", "core"), "1.1.0");
    // A person may still go away from it; there is nothing to go back to yet.
    refused(&place.release(&["rollback", "staging", "--yes"]), 9, &["nothing that staging could go back to"]);
}
