//! Places where a test may kill the program: before and after every effect.
//!
//! Debug builds count these places and, at the one that `RELEASE_CRASH_AT` names, send themselves SIGKILL. Each one that is
//! passed adds a byte to the file that `RELEASE_CRASH_COUNT` names. Release builds hold none of it.

/// One such place.
#[cfg(all(debug_assertions, unix))]
pub fn point() {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: LazyLock<Option<u64>> =
        LazyLock::new(|| std::env::var("RELEASE_CRASH_AT").ok().and_then(|text| text.parse().ok()));
    static PASSED: AtomicU64 = AtomicU64::new(0);
    count();
    let Some(wanted) = *WANTED else { return };
    if PASSED.fetch_add(1, Ordering::SeqCst) + 1 == wanted {
        crate::world::interrupt::end_at_once();
    }
}

/// Lets a test see how many places there are, and how far a run is.
#[cfg(all(debug_assertions, unix))]
fn count() {
    use std::io::Write;

    let Some(path) = std::env::var_os("RELEASE_CRASH_COUNT") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    let counted = file.and_then(|mut file| file.write_all(b"."));
    assert!(counted.is_ok(), "the file of `RELEASE_CRASH_COUNT` can be written");
}

#[cfg(not(all(debug_assertions, unix)))]
pub fn point() {}
