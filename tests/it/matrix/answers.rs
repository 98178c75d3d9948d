//! Every fault of the index at every request of a ship, once and for as long as the run lasts.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::distributions::Distribution;
use crate::matrix::dice::{is_all, some};
use crate::matrix::field::Field;
use crate::matrix::ground::{Ground, Start};
use crate::matrix::{compare, tell};
use crate::publishing::{ALICE, index, keep, publisher};
use crate::world::Answer;
use release::workspace::config::tables::Auth;

/// What a ship may end with while the index fails: done, not allowed, incomplete.
const ENDS: [Option<i32>; 3] = [Some(0), Some(9), Some(10)];

fn faults() -> Vec<Value> {
    let mut faults = vec![
        json!({ "kind": "drop", "after_bytes": 0 }),
        json!({ "kind": "drop", "after_bytes": 1000 }),
        json!({ "kind": "drop", "after_bytes": 200, "how": "fin" }),
        json!({ "kind": "lose-response" }),
        json!({ "kind": "truncate-response" }),
        json!({ "kind": "hang", "seconds": 0.2 }),
        json!({ "kind": "slow-response", "seconds": 0.2 }),
        json!({ "kind": "status", "status": 429, "retry_after": 1 }),
        json!({ "kind": "status", "status": 401 }),
        json!({ "kind": "status", "status": 502, "early": true }),
    ];
    faults.extend([500, 503].map(|status| json!({ "kind": "status", "status": status })));
    if is_all() {
        // Longer than a client waits for an answer.
        faults.push(json!({ "kind": "hang", "seconds": 25 }));
    }
    faults
}

#[test]
fn a_ship_gets_over_every_fault_of_the_index_at_every_request() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let requests = requests(&ground, &claimed);
    let mut runs = 0;
    for fault in faults() {
        for request in some(&fault.to_string(), (0..requests).collect(), 1) {
            fail_and_finish(&ground, &claimed, &twin, &fault, request, 1);
            runs += 1;
        }
    }
    // While this run lasts, nothing gets better.
    for fault in [
        json!({ "kind": "drop", "after_bytes": 100 }),
        json!({ "kind": "status", "status": 503 }),
        json!({ "kind": "status", "status": 401 }),
    ] {
        for request in some(&format!("{fault} for ever"), (0..requests).collect(), 1) {
            fail_and_finish(&ground, &claimed, &twin, &fault, request, 100_000);
            runs += 1;
        }
    }
    tell("the index fails", &format!("{requests} requests, {runs} runs, all converged"));
}

fn requests(ground: &Ground, start: &Start) -> usize {
    let field = ground.field(start);
    field.ship(&field.fresh(), &[]).well();
    ground.double.log().len()
}

fn fail_and_finish(
    ground: &Ground,
    start: &Start,
    twin: &BTreeMap<String, String>,
    fault: &Value,
    request: usize,
    times: usize,
) {
    let field = ground.field(start);
    let mut ordered = fault.clone();
    (ordered["skip"], ordered["times"]) = (json!(request), json!(times));
    ground.double.fault(&ordered);
    let answer = field.ship(&field.fresh(), &[]);
    let said = format!("{ordered}: {:?}\n{}{}", answer.code, answer.out, answer.err);
    assert!(ENDS.contains(&answer.code), "{said}");
    ground.double.clear_faults();
    field.converge();
    compare(twin, &field.end(), &said);
}

#[test]
fn an_index_that_shows_files_a_minute_later_is_waited_for() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    ground.double.configure(&json!({ "limits": { "index_lag": 60 } }));
    let mut command = field.command(&field.fresh(), &field.words());
    let mut ship = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut files, mut skew) = (ground.double.files(), 0);
    while ship.try_wait().unwrap().is_none() {
        // The double's minute goes by once it holds something to show: what is still on its way is not yet shown later.
        let now = ground.double.files();
        if now != files {
            (files, skew) = (now, skew + 61);
            ground.double.clock(skew);
        }
        sleep(Duration::from_millis(20));
    }
    field.note(Answer::of(ship.wait_with_output().unwrap())).well();
    assert_eq!(ground.double.requests("POST", "/legacy/").len(), 8, "each file once");
    compare(&twin, &field.end(), "a lag of a minute");
}

#[tokio::test]
async fn a_file_with_other_bytes_stops_before_the_claim_and_after_it() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    for (start, is_claimed) in [(ground.untouched(), false), (claimed, true)] {
        let field = ground.field(&start);
        let before = field.git(&["for-each-ref"]);
        let theirs = put_other_wheel(&field).await;
        for _ in 0..2 {
            let answer = field.ship(&field.fresh(), &[]);
            assert_eq!(answer.code, Some(11), "{}{}", answer.out, answer.err);
            assert!(answer.err.contains("light_base-1.1.0-py3-none-any.whl"), "names it: {}", answer.err);
        }
        let index = field.index();
        assert!(index.contains(&theirs), "their file stands: {index}");
        assert!(!index.contains("light_base-1.1.0.tar.gz"), "nothing is put beside it: {index}");
        // What does not need it is released all the same.
        assert_eq!(index.contains("light_solo"), is_claimed, "{index}");
        if !is_claimed {
            assert_eq!(field.git(&["for-each-ref"]), before, "nothing is claimed");
        }
        take_the_way_out(&field, is_claimed);
        assert!(field.index().contains(&theirs), "their file stands still: {}", field.index());
    }
}

/// What the message says: another number before the claim, giving it up after it.
fn take_the_way_out(field: &Field<'_>, is_claimed: bool) {
    let clone = field.fresh();
    let conflict = field.ship(&clone, &[]).err;
    if is_claimed {
        assert!(conflict.contains("`release abandon --reason TEXT`"), "{conflict}");
        field.run(&clone, &["abandon", "--yes", "--reason", "somebody else has this number"], &[]).well();
    } else {
        assert!(conflict.contains("`Release-As: VERSION`"), "{conflict}");
        std::fs::write(clone.repository().join("packages/base/light_base.py"), "WORDS = 3\n").unwrap();
        let message = "fix(base): take another number\n\nRelease-As: 1.1.1";
        field.git_in(&clone, &["commit", "--quiet", "--all", "-m", message]);
        field.git_in(&clone, &["push", "--quiet", "origin", "main"]);
    }
    assert_eq!(field.ship(&clone, &[]).code, Some(0));
    let index = field.index();
    let new = index
        .lines()
        .filter(|line| line.starts_with("light-base ") && !line.starts_with("light-base 1.1.0 "));
    assert_eq!(new.count(), 2, "another version of base is whole: {index}");
    field.end();
}

/// Somebody else's wheel under our name; its digest.
async fn put_other_wheel(field: &Field<'_>) -> String {
    let double = &field.ground.double;
    double.configure(&json!({ "api_tokens": [{ "token": ALICE, "user": "alice" }] }));
    let index = index(&double.upload(), Some(&double.simple()), Auth::Token);
    let publisher = publisher(index, &[("RELEASE_TOKEN_TEST", ALICE)]);
    let file =
        keep(field.folder(), Distribution::new("light-base", "1.1.0").module("other = True\n").wheel());
    crate::publishing::ensure(&publisher, &file).await.unwrap();
    file.digest.hex().to_owned()
}
