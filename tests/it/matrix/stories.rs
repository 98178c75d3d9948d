//! What people see of a shared ship: who goes on where, what the doctor says, what is given up, how it is stopped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::clones::Clone;
use crate::matrix::field::Field;
use crate::matrix::ground::Ground;
use crate::world::Answer;

#[test]
fn the_claim_of_one_machine_is_finished_on_another() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.untouched());
    let laptop = field.fresh();
    // On a laptop no CI vouches for anybody, and none is needed up to the claim.
    let mut claim = field.command(&laptop, &["ship", "--yes", "--until", "claim"]);
    for (name, _) in ground.runner() {
        claim.env_remove(name);
    }
    Answer::of(claim.output().unwrap()).well();
    assert_eq!(field.index(), "", "nothing is published");

    let runner = field.fresh();
    let answer =
        field.run(&runner, &["ship", "--yes", "--tag", "base-v1.1.0", "--output", "json"], &[]).well().json();
    assert_eq!(answer["outcome"], "finished");
    for release in answer["releases"].as_array().unwrap() {
        assert_eq!((&release["remaining"], &release["why"]), (&json!([]), &Value::Null), "{release}");
    }
    assert_eq!(field.index().lines().count(), 8);
    let links: usize = field.git(&["rev-list", "--count", "refs/release/ledger"]).parse().unwrap();
    assert!(links <= 5, "two runs made {links} pushes, for four packages");
    // The laptop's branch follows when somebody pulls; there is nothing to do on it.
    assert_eq!(field.run(&laptop, &["ship", "--yes", "--detailed-exitcode"], &[]).code, Some(3));
}

#[test]
fn a_ship_is_three_pushes_however_many_packages() {
    let Some(ground) = Ground::light() else { return };
    let field = ground.field(&ground.untouched());
    field.ship(&field.fresh(), &[]).well();
    assert_eq!(field.git(&["rev-list", "--count", "refs/release/ledger"]), "3");
}

#[test]
fn outside_of_a_ci_trusted_publishing_is_refused_before_anything_is_done() {
    let Some(ground) = Ground::light() else { return };
    let field = ground.field(&ground.untouched());
    let before = field.git(&["for-each-ref"]);
    let mut ship = field.command(&field.fresh(), &["ship", "--yes"]);
    for (name, _) in ground.runner() {
        ship.env_remove(name);
    }
    let answer = Answer::of(ship.output().unwrap());
    assert_eq!(answer.code, Some(9), "{}", answer.err);
    assert!(answer.err.contains("`release ship --until claim`"), "the way out is named: {}", answer.err);
    assert_eq!(field.git(&["for-each-ref"]), before);
}

#[test]
fn a_dependent_waits_and_an_unrelated_package_goes_on() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    ground.double.fault(&json!({
        "kind": "status", "status": 503, "path": "/legacy/", "filename": "light_base*", "times": 1000,
    }));
    let answer = field.run(&field.fresh(), &["ship", "--yes", "--until", "publish", "--output", "json"], &[]);
    ground.double.clear_faults();
    assert_eq!(answer.code, Some(10), "{}", answer.err);
    let releases = answer.json()["releases"].clone();
    let of =
        |name: &str| releases.as_array().unwrap().iter().find(|one| one["package"] == name).unwrap().clone();
    assert!(of("base")["why"].as_str().unwrap().starts_with("publish:base failed"), "{}", of("base"));
    assert!(of("left")["why"].as_str().unwrap().starts_with("publish:base failed"), "{}", of("left"));
    assert_eq!(of("solo")["why"], Value::Null, "an unrelated package went on: {}", of("solo"));
    assert!(field.index().lines().all(|line| line.starts_with("light-solo")), "{}", field.index());
    assert!(field.converge() <= 2);
    assert_eq!(field.index().lines().count(), 8);
}

#[test]
fn the_doctor_names_holder_and_next_command() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    let healthy = field.run(&field.fresh(), &["doctor", "--output", "json"], &[]);
    assert_eq!(healthy.code, Some(10), "a claim waits: {}", healthy.out);
    ground.double.fault(&json!({ "kind": "hang", "path": "/legacy/", "seconds": 600 }));
    let mut ship = begun(&field, &field.fresh());
    let doctor = field.run(&field.fresh(), &["doctor", "--output", "json"], &[]).json();
    assert_eq!(doctor["ships"][0]["liveness"], "alive");
    let other = field.ship(&field.fresh(), &[]);
    assert_eq!(other.code, Some(7), "who lives is not taken over: {}", other.err);
    ship.kill().unwrap();
    ship.wait().unwrap();
    let doctor = field.run(&field.fresh(), &["doctor"], &[]);
    assert!(doctor.out.contains("which is dead"), "{}", doctor.out);
    assert!(doctor.out.contains("next: release ship\n"), "{}", doctor.out);
    ground.double.clear_faults();
    field.converge();
    assert_eq!(field.run(&field.fresh(), &["doctor"], &[]).code, Some(10), "trials are left to do");
}

#[test]
fn what_is_given_up_keeps_its_numbers_and_is_released_under_higher_ones() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    let words = ["abandon", "base-v1.1.0", "--reason", "a test", "--yes"];
    let said = field.run(&field.fresh(), &words, &[]).well().out;
    assert!(said.contains("given up: base 1.1.0"), "{said}");
    assert_eq!(field.run(&field.fresh(), &words, &[]).code, Some(2), "it is over");
    // A clone that never saw the ledger learns of it when it ships.
    field.ship(&field.fresh(), &[]).well();
    let versions: Vec<String> =
        field.index().lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
    assert_eq!(versions, ["1.1.1"; 8]);
    let tags = field.git(&["tag", "--list", "base-*"]);
    assert_eq!(tags.lines().collect::<Vec<_>>(), ["base-v1.0.0", "base-v1.1.0", "base-v1.1.1"]);
}

#[test]
fn asked_to_stop_it_puts_the_ship_down_within_five_seconds() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    for signal in ["-INT", "-TERM"] {
        let field = ground.field(&ground.claimed());
        ground.double.fault(&json!({ "kind": "hang", "path": "/legacy/", "seconds": 600, "times": 8 }));
        let mut ship = begun(&field, &field.fresh());
        let asked = Instant::now();
        send(signal, &ship);
        let status = ship.wait().unwrap();
        assert!(asked.elapsed().as_secs_f64() < 5.0, "it took {:?}", asked.elapsed());
        let mut said = String::new();
        ship.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(10), "{signal}: {said}");
        let state = field.git(&["show", "refs/release/ledger:state.json"]);
        let state: Value = serde_json::from_str(&state).unwrap();
        let held = state["in_flight"].as_object().unwrap().values().next().unwrap()["holder"].clone();
        assert!(held.is_null(), "the lease is given back: {held}");
        ground.double.clear_faults();
        assert_eq!(field.converge(), 1, "the next run takes it up without a word");
    }
}

#[test]
fn asked_to_stop_while_a_push_has_no_answer_it_ends_within_five_seconds() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.untouched());
    // A hook that does not end, until it is made to: then the push is refused.
    let pid = field.folder().join("hook.pid");
    let hook = field.origin().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\necho $$ > '{}'\nexec sleep 600\n", pid.display())).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = field.command(&field.fresh(), &field.words());
    let mut ship = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let asked = Instant::now();
    while std::fs::read_to_string(&pid).map_or(true, |pid| pid.trim().is_empty()) {
        assert!(asked.elapsed().as_secs() < 120, "the push is on its way");
        std::thread::yield_now();
    }
    let asked = Instant::now();
    send("-TERM", &ship);
    let status = ship.wait().unwrap();
    assert!(asked.elapsed().as_secs_f64() < 5.0, "it took {:?}", asked.elapsed());
    assert_eq!(status.code(), Some(10));
    let hung = std::fs::read_to_string(&pid).unwrap();
    assert!(std::process::Command::new("kill").arg(hung.trim()).status().unwrap().success());
    std::fs::remove_file(&hook).unwrap();
    field.converge();
    assert_eq!(field.index().lines().count(), 8);
}

#[test]
fn a_second_signal_ends_at_once_and_is_as_safe_as_a_kill() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let (twin, _) = ground.twin(&ground.claimed());
    let field = ground.field(&ground.claimed());
    ground.double.fault(&json!({ "kind": "hang", "path": "/legacy/", "seconds": 600, "times": 8 }));
    let mut ship = begun(&field, &field.fresh());
    send("-TERM", &ship);
    send("-INT", &ship);
    let status = ship.wait().unwrap();
    assert!(status.code().is_none_or(|code| code == 10), "{status}");
    ground.double.clear_faults();
    field.converge();
    crate::matrix::compare(&twin, &field.end(), "after two signals");
}

#[test]
fn the_ledger_on_a_branch_serves_as_well() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let config = std::fs::read_to_string(ground.config()).unwrap();
    std::fs::write(ground.config(), format!("[ledger]\nstore = \"branch\"\n\n{config}")).unwrap();
    let undisturbed = ground.field(&ground.untouched());
    let count = undisturbed.folder().join("places");
    undisturbed.ship(&undisturbed.fresh(), &[("RELEASE_CRASH_COUNT", count.to_str().unwrap())]).well();
    let place = (std::fs::read(&count).unwrap().len() * 3 / 4).to_string();
    let field = ground.field(&ground.untouched());
    let first = field.ship(&field.fresh(), &[("RELEASE_CRASH_AT", &place)]);
    assert_eq!(first.code, None, "it was killed: {}", first.err);
    field.converge();
    assert_eq!(field.git(&["for-each-ref", "refs/release/ledger"]), "", "no other ref than the branch");
    let subjects = field.git(&["log", "--format=%s", "release-ledger"]);
    assert!(subjects.lines().all(|line| line.ends_with("[skip ci]")), "{subjects}");
    assert_eq!(field.index().lines().count(), 8);
}

#[test]
fn the_same_clone_goes_on_where_a_file_was_announced_and_stored() {
    let Some(ground) = Ground::light() else { return };
    let (_, places) = ground.twin(&ground.claimed());
    let field = ground.field(&ground.claimed());
    let clone = field.fresh();
    // Killed again and again in one clone, further on each time: some of the places lie between a file's storing and
    // the word of it.
    let mut finished = false;
    for part in 1..=6 {
        let place = (places * part / 12).max(1).to_string();
        let run = field.ship(&clone, &[("RELEASE_CRASH_AT", &place)]);
        match run.code {
            None => {}
            Some(0) => finished = true,
            other => panic!("{other:?}: {}{}", run.out, run.err),
        }
    }
    if !finished {
        field.ship(&clone, &[]).well();
    }
    assert_eq!(in_flight(&field), json!({}), "it is finished");
    assert_eq!(field.index().lines().count(), 8);
}

#[test]
fn a_file_that_is_stored_with_its_fate_unknown_ends_with_its_package() {
    let Some(ground) = Ground::light() else { return };
    let field = ground.field(&ground.claimed());
    let clone = field.fresh();
    // The last file of a package is stored, and its answer does not come.
    let fault = json!({
        "kind": "slow-response", "path": "/legacy/", "filename": "light_*.tar.gz", "seconds": 600, "times": 8,
    });
    ground.double.fault(&fault);
    let mut ship = begun(&field, &clone);
    let asked = Instant::now();
    while !field.index().contains(".tar.gz") {
        assert!(asked.elapsed().as_secs() < 60, "a last file is stored");
        std::thread::yield_now();
    }
    ship.kill().unwrap();
    ship.wait().unwrap();
    ground.double.clear_faults();
    // The same clone has the announcement in its journal; all files of the package are there.
    field.ship(&clone, &[]).well();
    assert_eq!(in_flight(&field), json!({}), "it is finished");
}

#[test]
fn an_end_that_could_not_be_told_is_told_by_the_next_run() {
    let Some(ground) = Ground::light() else { return };
    let field = ground.field(&ground.claimed());
    let clone = field.fresh();
    // The remote refuses the ledger's last link alone.
    let hook = field.origin().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    let script = "#!/bin/sh\nread old new name\n! git show $new:events.json | grep -q '\"finished\"'\n";
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let first = field.ship(&clone, &[]);
    assert_eq!(first.code, Some(9), "{}{}", first.out, first.err);
    std::fs::remove_file(&hook).unwrap();
    assert_eq!(field.run(&clone, &["doctor"], &[]).code, Some(10), "it says so");
    assert_eq!(field.ship(&clone, &[]).code, Some(3), "nothing else is left");
    assert_eq!(in_flight(&field), json!({}), "others know of the end");
}

#[test]
fn a_stash_that_lost_its_files_is_built_again() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    let mut lost = 0;
    for ship in std::fs::read_dir(ground.stash()).unwrap() {
        for package in std::fs::read_dir(ship.unwrap().path()).unwrap() {
            for file in std::fs::read_dir(package.unwrap().path()).unwrap() {
                let file = file.unwrap().path();
                if file.extension().is_some_and(|end| end == "gz") {
                    std::fs::remove_file(file).unwrap();
                    lost += 1;
                }
            }
        }
    }
    assert_eq!(lost, 4);
    field.converge();
    assert_eq!(field.index().lines().count(), 8, "{}", field.index());
}

#[test]
fn a_remote_that_git_does_not_know_is_refused() {
    let Some(ground) = Ground::light() else { return };
    let config = std::fs::read_to_string(ground.config()).unwrap();
    let config = config.replace("[workspace]", "[workspace]\nremote = \"upstream\"");
    std::fs::write(ground.config(), config).unwrap();
    let field = ground.field(&ground.untouched());
    let answer = field.ship(&field.fresh(), &[]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("`upstream`"), "{}", answer.err);
}

#[test]
fn a_tag_of_a_release_that_was_given_up_or_superseded_is_no_error() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    field.run(&field.fresh(), &["abandon", "--reason", "a test", "--yes"], &[]).well();
    let words = ["ship", "--yes", "--tag", "base-v1.1.0"];
    let said = field.run(&field.fresh(), &words, &[]).well().out;
    assert!(said.contains("was given up"), "{said}");
}

/// The ships under way, as everybody sees them.
fn in_flight(field: &Field<'_>) -> Value {
    let state: Value = serde_json::from_str(&field.git(&["show", "refs/release/ledger:state.json"])).unwrap();
    state["in_flight"].clone()
}

/// A ship that has an upload in hand, which the double lets hang.
fn begun(field: &Field<'_>, clone: &Clone) -> Child {
    let mut command = field.command(clone, &field.words());
    let mut ship = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(ship.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("finishing what was begun") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it began");
    }
    // The journal has the event before the effect is begun.
    let journal = clone.repository().join(".git/release/journal/events.jsonl");
    let is_uploading = || std::fs::read_to_string(&journal).is_ok_and(|text| text.contains("\"upload:"));
    let asked = Instant::now();
    while !is_uploading() {
        assert!(asked.elapsed().as_secs() < 60, "an upload is announced");
        std::thread::yield_now();
    }
    ship.stderr = Some(lines.into_inner());
    ship
}

fn send(signal: &str, ship: &Child) {
    let sent = std::process::Command::new("kill").args([signal, &ship.id().to_string()]).status().unwrap();
    assert!(sent.success());
}
