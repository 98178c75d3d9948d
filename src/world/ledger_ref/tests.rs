use super::*;
use crate::world::testing::{TestRepository, stamp};

const LEDGER: &str = "refs/release/ledger";

fn files(state: &str) -> Files {
    Files::from([("state.json".to_owned(), state.into()), ("events/1.json".to_owned(), b"{}".to_vec())])
}

/// A link on top of the one that was last seen.
fn append(
    opened: &Repository,
    expected: Option<&str>,
    files: &Files,
    message: &str,
    by: &Stamp,
) -> Result<String, GitError> {
    let commit = opened.write_link(expected, files, message, by)?;
    opened.move_link(LEDGER, expected, &commit, by)?;
    Ok(commit)
}

#[test]
fn the_chain_grows_and_is_read_back() {
    let repository = TestRepository::init();
    repository.change("a", "1", "one");
    let opened = repository.open();
    assert_eq!(opened.ledger_head(LEDGER).unwrap(), None);
    let first = append(&opened, None, &files("1"), "begun", &stamp(1)).unwrap();
    let second = append(&opened, Some(&first), &files("2"), "done", &stamp(2)).unwrap();
    let head = opened.ledger_head(LEDGER).unwrap().unwrap();
    assert_eq!((&head.commit, &head.files), (&second, &files("2")));
    repository.git(&["pack-refs", "--all"]);
    let third = append(&opened, Some(&second), &files("3"), "more", &stamp(3)).unwrap();
    let history: Result<Vec<_>, _> = opened.ledger_history(LEDGER).unwrap().collect();
    let commits: Vec<String> = history.unwrap().into_iter().map(|link| link.commit).collect();
    assert_eq!(commits, [third, second, first]);
    assert_eq!(repository.git(&["log", "--format=%s", LEDGER]), "more\ndone\nbegun");
    repository.git(&["fsck", "--strict"]);
}

#[test]
fn a_lost_race_changes_nothing_and_is_said() {
    let repository = TestRepository::init();
    let opened = repository.open();
    let first = append(&opened, None, &files("1"), "x", &stamp(1)).unwrap();
    let second = append(&opened, Some(&first), &files("2"), "x", &stamp(1)).unwrap();
    for expected in [None, Some(first.as_str())] {
        let error = append(&opened, expected, &files("3"), "x", &stamp(1)).unwrap_err();
        assert!(matches!(error, GitError::LostRace { .. }), "{error}");
    }
    assert_eq!(opened.ledger_head(LEDGER).unwrap().unwrap().commit, second);
}

#[test]
fn of_many_writers_at_once_one_wins_each_link() {
    let repository = TestRepository::init();
    let opened = repository.open();
    let write = |writer: usize| {
        let mut appended = 0;
        while appended < 5 {
            let head = opened.ledger_head(LEDGER).unwrap();
            let seen = head.as_ref().map(|head| head.commit.as_str());
            let state = format!("writer {writer}, link {appended}");
            match append(&opened, seen, &files(&state), "x", &stamp(1)) {
                Ok(_) => appended += 1,
                Err(GitError::LostRace { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || write(writer));
        }
    });
    assert_eq!(opened.ledger_history(LEDGER).unwrap().count(), 20);
}

#[test]
fn a_lock_that_a_killed_run_left_stops_nobody() {
    let repository = TestRepository::init();
    let opened = repository.open();
    let first = append(&opened, None, &files("1"), "x", &stamp(1)).unwrap();
    let left = opened.common_dir().join(format!("{LEDGER}.lock"));
    std::fs::write(&left, "").unwrap();
    let second = append(&opened, Some(&first), &files("2"), "x", &stamp(1)).unwrap();
    assert_eq!(opened.ledger_head(LEDGER).unwrap().unwrap().commit, second);
    assert!(!left.exists());
}
