//! What every keeper of a shared chain must do, and each keeper at a real place doing it.

pub mod bucket;
mod git;
mod http;
pub mod postgres;
mod proxy;
pub mod server;

use std::sync::Arc;

use release::world::git::Person;
use release::world::store::error::StoreError;
use release::world::store::{Entry, Link, Store, Version};
use release::world::write::Stamp;

/// A shared place that stores are kept at, as its keeper's own tools see it.
trait Place {
    /// The place as a machine sees it that never saw it before.
    fn machine(&self) -> Arc<dyn Store>;

    /// Makes an older link the newest one, behind everybody's back.
    fn rewind(&self, link: &Link);

    /// Puts another chain there.
    fn replace(&self);

    /// Lets the next append happen and its answer never arrive.
    fn lose_an_answer(&self);

    /// A machine that asks where nobody is.
    fn nowhere(&self) -> Arc<dyn Store>;

    /// How many rounds each race has.
    fn rounds(&self) -> usize {
        20
    }
}

/// A secret that stands where credentials stand; no message may hold it.
const SECRET: &str = "hunter2-hunter2";

fn entry(state: &str) -> Entry {
    let who = Person { name: "Ada Example".to_owned(), email: "ada@example.org".to_owned() };
    let files = [("state.json", state.as_bytes()), ("events/1.json", b"{}"), ("raw", b"\0\xff\n")];
    Entry {
        files: files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect(),
        message: format!("state {}", state.len()),
        by: Stamp { who, time: 1_736_150_400 },
    }
}

/// All that is asked of a keeper that other machines share.
async fn conform(place: &dyn Place) {
    let begun = grows_and_is_read_by_all(place).await;
    an_old_link_is_no_place_to_append(place, &begun).await;
    the_same_again_is_the_same(place).await;
    a_lost_answer_is_no_failure(place).await;
    large_files_are_kept(place).await;
    for writers in [2, 8] {
        one_wins_each_round(place, writers).await;
    }
    what_was_seen_must_stay(place, &begun[0]).await;
    nobody_there_is_said(place).await;
}

async fn grows_and_is_read_by_all(place: &dyn Place) -> Vec<Link> {
    let (ours, theirs) = (place.machine(), place.machine());
    assert_eq!(ours.read().await.unwrap(), None);
    assert_eq!(ours.head().await.unwrap(), None);
    assert_eq!(ours.history().await.unwrap(), []);
    let first = ours.append(None, &entry("one")).await.unwrap();
    let link = theirs.read().await.unwrap().unwrap();
    assert_eq!((&link.version, &link.files), (&first, &entry("one").files));
    let second = theirs.append(Some(&first), &entry("two")).await.unwrap();
    assert_eq!(ours.head().await.unwrap().as_ref(), Some(&second));
    let history = ours.history().await.unwrap();
    let expected = [(first, "one"), (second, "two")];
    let expected = expected.map(|(version, state)| Link { version, files: entry(state).files });
    assert_eq!(history, expected);
    assert_eq!(ours.read().await.unwrap().as_ref(), history.last());
    history
}

async fn an_old_link_is_no_place_to_append(place: &dyn Place, begun: &[Link]) {
    for store in [place.machine(), place.machine()] {
        for expected in [None, Some(&begun[0].version)] {
            let error = store.append(expected, &entry("late")).await.unwrap_err();
            assert!(matches!(error, StoreError::Lost { .. }), "{error}");
            let found = &begun[begun.len() - 1].version.0;
            assert!(error.to_string().contains(found), "{error} names {found}");
        }
    }
    assert_eq!(place.machine().history().await.unwrap(), begun);
}

async fn the_same_again_is_the_same(place: &dyn Place) {
    let store = place.machine();
    let head = store.read().await.unwrap().map(|link| link.version);
    let links = store.history().await.unwrap().len();
    let once = store.append(head.as_ref(), &entry("again")).await.unwrap();
    assert_eq!(store.append(head.as_ref(), &entry("again")).await.unwrap(), once);
    assert_eq!(place.machine().append(head.as_ref(), &entry("again")).await.unwrap(), once);
    let next = place.machine().append(Some(&once), &entry("after")).await.unwrap();
    for store in [store, place.machine()] {
        assert_eq!(store.append(head.as_ref(), &entry("again")).await.unwrap(), once);
        assert_eq!(store.head().await.unwrap().as_ref(), Some(&next));
        assert_eq!(store.history().await.unwrap().len(), links + 2);
    }
}

async fn a_lost_answer_is_no_failure(place: &dyn Place) {
    let store = place.machine();
    let head = store.read().await.unwrap().map(|link| link.version);
    let links = store.history().await.unwrap().len();
    place.lose_an_answer();
    let version = store.append(head.as_ref(), &entry("unheard")).await.unwrap();
    assert_eq!(place.machine().head().await.unwrap(), Some(version));
    assert_eq!(place.machine().history().await.unwrap().len(), links + 1);
}

async fn large_files_are_kept(place: &dyn Place) {
    let state: String = (0..40_000).map(|number| format!("{number:>31},")).collect();
    let store = place.machine();
    let head = store.head().await.unwrap();
    store.append(head.as_ref(), &entry(&state)).await.unwrap();
    let link = place.machine().read().await.unwrap().unwrap();
    assert!(link.files["state.json"] == state.as_bytes() && state.len() > 1_200_000);
}

async fn one_wins_each_round(place: &dyn Place, writers: usize) {
    let machines: Vec<Arc<dyn Store>> = (0..writers).map(|_| place.machine()).collect();
    let links = machines[0].history().await.unwrap().len();
    for round in 0..place.rounds() {
        let head = machines[0].read().await.unwrap().map(|link| link.version);
        let tasks = machines.iter().enumerate().map(|(writer, store)| {
            let (store, head) = (Arc::clone(store), head.clone());
            tokio::spawn(async move {
                store.append(head.as_ref(), &entry(&format!("{round} by {writer} of {writers}"))).await
            })
        });
        let mut won: Vec<Version> = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Ok(version) => won.push(version),
                Err(StoreError::Lost { .. }) => {}
                Err(error) => panic!("round {round}: {error:?}"),
            }
        }
        assert_eq!(won.len(), 1, "round {round} of {writers} writers");
        assert_eq!(machines[1].head().await.unwrap().as_ref(), Some(&won[0]));
    }
    assert_eq!(place.machine().history().await.unwrap().len(), links + place.rounds());
}

async fn what_was_seen_must_stay(place: &dyn Place, old: &Link) {
    let store = place.machine();
    let seen = store.read().await.unwrap().unwrap();
    place.rewind(old);
    for _ in 0..2 {
        let error = store.read().await.unwrap_err();
        assert!(matches!(error, StoreError::Rewound { .. }), "{error}");
        assert!(error.to_string().contains(&seen.version.0), "{error}");
    }
    assert!(matches!(store.history().await.unwrap_err(), StoreError::Rewound { .. }));
    let error = store.append(Some(&seen.version), &entry("on what is gone")).await.unwrap_err();
    assert!(matches!(error, StoreError::Lost { .. } | StoreError::Rewound { .. }), "{error}");
    assert_eq!(place.machine().read().await.unwrap().as_ref(), Some(old), "nobody else is stopped");
    place.replace();
    let error = store.read().await.unwrap_err();
    assert!(matches!(error, StoreError::Rewound { .. } | StoreError::Foreign { .. }), "{error}");
}

async fn nobody_there_is_said(place: &dyn Place) {
    let store = place.nowhere();
    let refusals = [
        store.read().await.map(drop).unwrap_err(),
        store.head().await.map(drop).unwrap_err(),
        store.append(None, &entry("unheard")).await.map(drop).unwrap_err(),
    ];
    for error in refusals {
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?} {}", store.name()).contains(SECRET), "{error:?}");
    }
}
