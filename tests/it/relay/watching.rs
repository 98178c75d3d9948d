//! `release ship --watch`: a laptop follows what others do with a claimed release.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::relay::{Relay, check};
use crate::world::Answer;

const WATCH: [&str; 5] = ["ship", "--tag", "base-v1.1.0", "--watch", "--yes"];

/// A watch that has begun: it has said what it follows.
struct Watching {
    child: Child,
    telling: BufReader<ChildStderr>,
    said: String,
}

impl Watching {
    fn begin(relay: &Relay, number: usize, words: &[&str]) -> Watching {
        let clone = relay.clone(number);
        let mut child = relay.command(&clone, words).stdin(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        let mut telling = BufReader::new(child.stderr.take().unwrap());
        while !said.contains("watching ") {
            assert!(telling.read_line(&mut said).unwrap() > 0, "{said}");
        }
        Watching { child, telling, said }
    }

    fn end(mut self) -> Answer {
        self.telling.read_to_string(&mut self.said).unwrap();
        let answer = Answer::of(self.child.wait_with_output().unwrap());
        Answer { err: self.said, ..answer }
    }
}

#[test]
fn a_laptop_claims_and_follows_to_the_end() {
    let relay = Relay::new();
    let words = ["ship", "--yes", "--until", "claim", "--watch"];
    let laptop = Watching::begin(&relay, 0, &words);
    let second = Watching::begin(&relay, 1, &[&WATCH[..], &["--output", "json"]].concat());
    // The laptop's clone is free meanwhile, and so is the release.
    relay.run(&relay.clone(2), &["ship", "--tag", "base-v1.1.0", "--yes"]).well();
    check(
        &laptop.end(),
        0,
        &["in hand of ", "published base 1.1.0", "installed and tried solo 1.1.0", "shipped 4 packages"],
    );
    let second = second.end().well().json();
    assert_eq!((&second["outcome"], second["releases"].as_array().unwrap().len()), (&"finished".into(), 4));
    assert!(second["releases"][0]["remaining"].as_array().unwrap().is_empty(), "{second}");
    check(&relay.run(&relay.clone(3), &WATCH), 0, &["the release of `base-v1.1.0` is done"]);
}

#[test]
fn a_watch_ends_as_the_release_does_and_stops_nothing() {
    let relay = Relay::new();
    let laptop = relay.clone(0);
    check(&relay.run(&laptop, &["ship", "--yes", "--watch"]), 2, &["release ship --until claim --watch"]);
    check(
        &relay.run(&laptop, &["ship", "--yes", "--until", "claim", "--watch=soon"]),
        2,
        &["no span of time"],
    );
    let late = relay.run(&laptop, &["ship", "--yes", "--until", "claim", "--watch=1s"]);
    check(&late, 10, &["is not finished after 1s", "`release ship --tag base-v1.1.0 --watch` watches again"]);

    let left = Watching::begin(&relay, 1, &WATCH);
    kill_process(Pid::from_child(&left.child), Signal::INT).unwrap();
    check(&left.end(), 10, &["stopped watching by SIGINT", "goes on without this", "watches again"]);

    // Somebody else's file stands under our name.
    let place = relay.index().join("files/light-base");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("light_base-1.1.0-py3-none-any.whl"), "other bytes").unwrap();
    let watch = Watching::begin(&relay, 2, &WATCH);
    let failed = relay.run(&relay.clone(3), &["ship", "--tag", "base-v1.1.0", "--yes"]);
    check(&failed, 11, &["light_base-1.1.0"]);
    check(&watch.end(), 10, &["failed to publish base 1.1.0", "publish:base failed", "run the job again"]);
    fs::remove_dir_all(place).unwrap();

    relay.run(&laptop, &["halt", "--all", "--reason", "the sky falls"]).well();
    let watch = Watching::begin(&relay, 4, &WATCH);
    check(&relay.run(&relay.clone(5), &["ship", "--tag", "base-v1.1.0", "--yes"]), 9, &["halted"]);
    check(&watch.end(), 9, &["is halted: the sky falls", "release resume"]);
    relay.run(&laptop, &["resume", "--all", "--reason", "it does not"]).well();

    let watch = Watching::begin(&relay, 6, &WATCH);
    relay.run(&laptop, &["abandon", "base-v1.1.0", "--reason", "no use", "--yes"]).well();
    check(&watch.end(), 9, &["was closed: no use"]);
}
