//! Pins move to releases that have been out for a while, and never because a tag has moved.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::matrix::light::light;
use crate::world::{Answer, World};

/// 2026-03-01.
const NOW: &str = "1772323200";
const OLD: &str = "de0fac2e4500dabe0009e67214ff5f5447ce83dd";

/// Answers by path; what it does not know is 404.
struct Service {
    address: String,
    answers: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Service {
    fn start() -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let answers: Arc<Mutex<BTreeMap<String, Value>>> = Arc::default();
        let known = answers.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                reader.read_line(&mut first).unwrap();
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap() > 2 {
                    line.clear();
                }
                let path = first.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap();
                let path = path.strip_prefix("/api/v3/repos/").unwrap_or_default();
                let (status, body) = match known.lock().unwrap().get(path) {
                    Some(body) => ("200 OK", body.to_string()),
                    None => ("404 Not Found", json!({ "message": "Not Found" }).to_string()),
                };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        Service { address, answers }
    }

    fn answer(&self, path: &str, body: Value) {
        self.answers.lock().unwrap().insert(path.to_owned(), body);
    }

    /// A release of checkout, its tag annotated: the ref leads to a tag object, which leads to the commit.
    fn release(&self, tag: &str, commit: &str) {
        let object = format!("{:0<40}", tag.replace(|one: char| !one.is_ascii_hexdigit(), ""));
        self.answer(
            &format!("actions/checkout/git/ref/tags/{tag}"),
            json!({ "ref": format!("refs/tags/{tag}"), "object": { "type": "tag", "sha": object } }),
        );
        self.answer(
            &format!("actions/checkout/git/tags/{object}"),
            json!({ "tag": tag, "object": { "type": "commit", "sha": commit } }),
        );
    }
}

/// A repository that pins one action, and the service that knows it.
fn pinned() -> (World, Service) {
    let service = Service::start();
    let world = light();
    let config = format!(
        "[workspace]\npackages = [\"packages/*\"]\n\n[github]\nrepository = \"acme/light\"\napi = \"{}\"\n\n\
         [workflows]\ninstall = \"source\"\nwrite = [\"plan\"]\n",
        service.address
    );
    fs::write(world.repository().join("release.toml"), config).unwrap();
    fs::create_dir(world.repository().join(".release")).unwrap();
    let pins =
        format!("[\"actions/checkout\"]\ntag = \"v6.0.2\"\ncommit = \"{OLD}\"\ndate = \"2026-01-09\"\n");
    fs::write(world.repository().join(".release/pins.toml"), pins).unwrap();
    service.release("v6.0.2", OLD);
    service.release("v6.1.0", &"a".repeat(40));
    service.release("v6.2.0", &"b".repeat(40));
    let release = |tag: &str, at: &str, prerelease: bool| json!({ "tag_name": tag, "published_at": at, "draft": false, "prerelease": prerelease });
    service.answer(
        "actions/checkout/releases",
        json!([
            release("v7.0.0", "2026-01-01T00:00:00Z", true),
            release("v6.2.0", "2026-02-27T00:00:00Z", false),
            release("v6.1.0", "2026-02-10T00:00:00Z", false),
            release("v6.0.2", "2026-01-09T00:00:00Z", false),
        ]),
    );
    (world, service)
}

fn update(world: &World, more: &[&str]) -> Answer {
    let words = [&["generate", "--update-pins"], more].concat();
    world.release_with(
        words,
        &[("RELEASE_CLOCK", NOW), ("RELEASE_PACE", "quick"), ("GITHUB_TOKEN", "hunter2")],
    )
}

fn pins(world: &World) -> String {
    fs::read_to_string(world.repository().join(".release/pins.toml")).unwrap()
}

#[test]
fn a_pin_moves_to_a_release_that_has_been_out_for_a_week() {
    let (world, _service) = pinned();
    let moved = update(&world, &[]).well();
    assert!(moved.out.starts_with("actions/checkout v6.0.2 → v6.1.0\n"), "{}", moved.out);
    let expected = format!("tag = \"v6.1.0\"\ncommit = \"{}\"\ndate = \"2026-02-10\"\n", "a".repeat(40));
    assert!(pins(&world).ends_with(&expected), "{}", pins(&world));
    let written = fs::read_to_string(world.repository().join(".github/workflows/release-plan.yml")).unwrap();
    assert!(written.contains(&format!("uses: actions/checkout@{} # v6.1.0\n", "a".repeat(40))), "{written}");
    let again = update(&world, &["--cooldown", "30d"]).well();
    assert!(again.out.starts_with("the pins are up to date\n"), "{}", again.out);
    let soon = update(&world, &["--cooldown", "1d"]).well();
    assert!(soon.out.starts_with("actions/checkout v6.1.0 → v6.2.0\n"), "{}", soon.out);
}

#[test]
fn a_tag_that_has_moved_stops_everything() {
    let (world, service) = pinned();
    service.release("v6.0.2", &"e".repeat(40));
    let refused = update(&world, &[]);
    assert_eq!(refused.code, Some(11), "{}", refused.err);
    assert!(refused.err.contains("tag `v6.0.2` of `actions/checkout` leads to eeee"), "{}", refused.err);
    assert!(pins(&world).contains(OLD) && !world.repository().join(".github").exists());
}

#[test]
fn pins_that_can_not_be_read_are_told_and_an_action_without_one_too() {
    let (world, _service) = pinned();
    assert_eq!(update(&world, &["--cooldown", "soon"]).code, Some(2));
    let file = world.repository().join(".release/pins.toml");
    fs::write(&file, "[\"actions/checkout\"]\ntag = \"v6\"\ncommit = \"main\"\ndate = \"2026-01-09\"\n")
        .unwrap();
    let refused = world.release(["generate"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("`.release/pins.toml` is no file of pins"), "{}", refused.err);
    fs::write(&file, "").unwrap();
    let refused = world.release(["generate"]);
    assert!(refused.err.contains("the pins have no commit of `actions/checkout`"), "{}", refused.err);
}
