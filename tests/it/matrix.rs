//! The fault matrix of `release ship`: whatever dies, and wherever, the same command from a fresh clone ends as if nothing
//! had been.
//!
//! `ground` is what the runs of a test share, `field` the place of one of them, `dice` chooses which are made. Each test
//! compares with a twin that nobody disturbed. `docs/faults.md` lists the faults.

mod answers;
pub mod dice;
mod disk;
pub mod field;
pub mod ground;
mod keepers;
mod kills;
pub mod light;
mod overlap;
mod races;
mod remote;
mod room;
mod stories;

use std::collections::BTreeMap;

/// Both ends, word by word.
#[track_caller]
pub fn compare(twin: &BTreeMap<String, String>, found: &BTreeMap<String, String>, what: &str) {
    for word in twin.keys().chain(found.keys()) {
        assert_eq!(found.get(word), twin.get(word), "{word}: {what}");
    }
}

/// One line for each class of faults.
pub fn tell(class: &str, what: &str) {
    eprintln!("matrix: {class}: {what}");
}
