//! Jobs of one run that ship together: each its packages, all in the same ledger, to the same end as one runner.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::clones::Clone;
use crate::matrix::dice::{Dice, runs};
use crate::matrix::field::Field;
use crate::matrix::ground::Ground;
use crate::matrix::light::PACKAGES;
use crate::matrix::{compare, tell};
use crate::relay::check;
use crate::world::Answer;

/// A run of GitHub Actions whose interface nobody can reach.
fn job(command: &mut Command, run: &str, attempt: usize) {
    command
        .env("GITHUB_API_URL", "http://127.0.0.1:9")
        .env("GITHUB_REPOSITORY", "ada/light")
        .env("GITHUB_RUN_ID", run)
        .env("GITHUB_RUN_ATTEMPT", attempt.to_string());
}

fn part(package: &str) -> [&str; 6] {
    ["ship", "--tag", "base-v1.1.0", "--yes", "-p", package]
}

fn run(field: &Field<'_>, run: &str, attempt: usize, words: &[&str]) -> Answer {
    let clone = field.fresh();
    let mut command = field.command(&clone, words);
    job(&mut command, run, attempt);
    field.note(Answer::of(command.output().unwrap()))
}

/// Jobs that run at once, a package each; some die at a place. What they said and how they ended.
fn side_by_side(field: &Field<'_>, attempt: usize, kills: &BTreeMap<&str, usize>) -> Vec<(String, Answer)> {
    let clones: Vec<Clone> = PACKAGES.iter().map(|_| field.fresh()).collect();
    let spawn = |((package, _), clone): (&(&'static str, &[&str]), &Clone)| -> (String, Child) {
        let mut command = field.command(clone, &part(package));
        job(&mut command, "71", attempt);
        if let Some(place) = kills.get(package) {
            command.env("RELEASE_CRASH_AT", place.to_string());
        }
        ((*package).to_owned(), command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let jobs: Vec<(String, Child)> = PACKAGES.iter().zip(&clones).map(spawn).collect();
    let end = |(package, job): (String, Child)| {
        let output = job.wait_with_output().unwrap();
        let was_killed = output.status.signal() == Some(9);
        let answer = field.note(Answer::of(output));
        assert!(was_killed || matches!(answer.code, Some(0 | 10)), "{package}: {answer:?}");
        (package, answer)
    };
    jobs.into_iter().map(end).collect()
}

fn said(answers: &[(String, Answer)]) -> String {
    answers
        .iter()
        .map(|(package, one)| format!("{package}: {:?}\n{}{}\n", one.code, one.out, one.err))
        .collect()
}

#[test]
fn jobs_of_one_run_ship_together_as_one_runner_does() {
    let Some(ground) = Ground::light() else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let field = ground.field(&claimed);
    let answers = side_by_side(&field, 1, &BTreeMap::new());
    let told = said(&answers);
    assert!(answers.iter().all(|(_, answer)| answer.code == Some(0)), "{told}");
    let last = |(_, answer): &&(String, Answer)| answer.out.contains("that was the last of the release");
    assert_eq!(answers.iter().filter(last).count(), 1, "{told}");
    for (package, answer) in &answers {
        let published: Vec<&str> = answer.err.lines().filter(|line| line.starts_with("published ")).collect();
        assert_eq!(published, [format!("published {package} 1.1.0  2 files")], "{told}");
    }
    check(&run(&field, "71", 1, &part("solo")), 0, &["is done; nothing to do"]);
    compare(&twin, &field.end(), &told);
}

#[test]
fn jobs_that_die_anywhere_are_made_up_for_by_the_next_attempt() {
    let Some(ground) = Ground::light() else { return };
    let claimed = ground.claimed();
    let (twin, _) = ground.twin(&claimed);
    let mut dice = Dice::of("shared kills");
    let (mut kills, rounds) = (0, runs(3));
    for round in 0..rounds {
        let field = ground.field(&claimed);
        let mut told = String::new();
        for attempt in 1.. {
            assert!(attempt < 6, "it comes to an end: {told}");
            let mut deaths = BTreeMap::new();
            for (package, _) in PACKAGES {
                if attempt < 3 && dice.below(3) > 0 {
                    deaths.insert(package, 1 + dice.below(45));
                }
            }
            let answers = side_by_side(&field, attempt, &deaths);
            kills += answers.iter().filter(|(_, answer)| answer.code.is_none()).count();
            told.push_str(&format!("attempt {attempt}, {deaths:?}\n{}", said(&answers)));
            if answers.iter().all(|(_, answer)| answer.code == Some(0)) {
                break;
            }
        }
        compare(&twin, &field.end(), &format!("round {round}\n{told}"));
    }
    tell("jobs of one run", &format!("{rounds} rounds, {kills} kills, all converged"));
}

#[test]
fn a_runner_of_another_run_is_refused_and_a_later_attempt_takes_over() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let claimed = ground.claimed();
    let field = ground.field(&claimed);
    let until = |package| [&part(package)[..], &["--until", "publish"]].concat();
    check(&run(&field, "71", 1, &part("core")), 2, &["no package is called `core`"]);
    check(&run(&field, "71", 1, &until("base")), 0, &["done: base 1.1.0; other jobs do the rest"]);
    let whole = ["ship", "--tag", "base-v1.1.0", "--yes", "--until", "publish"];
    let held = "run 71 of ada/light, attempt 1 is at work on base 1.1.0";
    check(&run(&field, "72", 1, &until("left")), 7, &[held, "--take-over"]);
    check(&field.run(&field.fresh(), &whole, &[]), 7, &[held]);
    check(&run(&field, "71", 2, &until("left")), 0, &["published left 1.1.0", "done: left 1.1.0"]);
    // The first attempt has nothing to say any more; a job of the second that does all that is left joins it.
    check(&run(&field, "71", 1, &until("solo")), 7, &["attempt 2 is at work"]);
    check(&run(&field, "71", 2, &whole), 0, &["published right 1.1.0", "published solo 1.1.0"]);
    check(&run(&field, "71", 2, &["ship", "--tag", "base-v1.1.0", "--yes"]), 0, &["shipped 4 packages"]);
    field.end();
}

#[test]
fn without_a_run_a_part_waits_for_nobody() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.claimed());
    let alone =
        |package| field.run(&field.fresh(), &[&part(package)[..], &["--until", "publish"]].concat(), &[]);
    check(
        &alone("left"),
        10,
        &["publish:left failed: it needs what is not done here: publish:base", "all of it"],
    );
    check(&alone("base"), 0, &["done: base 1.1.0"]);
    check(&alone("left"), 0, &["done: left 1.1.0"]);
    let unclaimed = ground.field(&ground.untouched());
    check(&unclaimed.run(&unclaimed.fresh(), &part("base"), &[]), 2, &["there is no tag `base-v1.1.0`"]);
}

#[test]
fn sealed_files_are_handed_from_job_to_job() {
    let Some(ground) = Ground::light().map(Ground::without_trials) else { return };
    let field = ground.field(&ground.untouched());
    let folder = field.folder().join("artifacts");
    let handed = ["--artifacts", folder.to_str().unwrap()];
    let claim = field.fresh();
    field.run(&claim, &[&["ship", "--yes", "--until", "claim"], &handed[..]].concat(), &[]).well();
    let names = |folder: &Path| -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    };
    assert_eq!(names(&folder), ["base", "left", "right", "solo"]);
    let wheel = folder.join("base/light_base-1.1.0-py3-none-any.whl");
    let bytes = fs::read(&wheel).unwrap();

    // Another runner takes what is there, before it does anything.
    field.empty_stash();
    let clone = field.fresh();
    let mut command = field.command(&clone, &[&part("base")[..], &handed].concat());
    job(&mut command, "71", 1);
    let killed = Answer::of(command.env("RELEASE_CRASH_AT", "2").output().unwrap());
    assert_eq!(killed.code, None, "{}", killed.err);
    assert!(killed.err.contains("took the files of 4 packages from"), "{}", killed.err);
    let stash = fs::read_dir(ground.stash()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(stash.join("base").join(wheel.file_name().unwrap())).unwrap(), bytes);

    // Other bytes than the sealed ones are refused, and what is lost is built again.
    field.empty_stash();
    fs::write(&wheel, "other bytes").unwrap();
    let answer = run(&field, "71", 1, &[&part("base")[..], &handed].concat());
    check(&answer, 11, &["light_base-1.1.0-py3-none-any.whl was sealed as sha256:"]);
    fs::remove_dir_all(&folder).unwrap();
    field.empty_stash();
    run(
        &field,
        "71",
        1,
        &[&["ship", "--tag", "base-v1.1.0", "--yes", "--until", "claim"], &handed[..]].concat(),
    )
    .well();
    assert_eq!(fs::read(&wheel).unwrap(), bytes);
    run(&field, "71", 1, &[&part("base")[..], &["--until", "publish"], &handed].concat()).well();
}
