//! Two things at once.

use std::panic::resume_unwind;

use rayon::ThreadPoolBuilder;

/// From here on this thread, the program's first, works on what is shared among threads, as one of as many as there are
/// processors. Else it waits at each turn until another one has taken the work, and again until it has done it. What other
/// threads share is left to threads of their own.
pub fn take_part() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Whoever says how many there are to be gets just these.
    if threads == 1 || std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return;
    }
    // Not the one of all threads, which waits until each has begun. Where no other thread can be had, this one does all.
    let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build();
    // They serve to the program's end: nobody waits for theirs.
    std::mem::forget(pool);
}

/// Does one thing here and another beside it, on a thread that has nothing else to do. Where there is none, it waits for
/// one, or comes after the first: neither may wait for the other. A panic of the other goes on here.
pub fn beside<A, B: Send>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> (A, B) {
    let mut other = None;
    let done = rayon::in_place_scope(|scope| {
        scope.spawn(|_| other = Some(there()));
        here()
    });
    (done, other.expect("a scope ends once all in it was done"))
}

/// The same with a thread for the other alone, which ends with it. They may wait for each other, as long as the other shares
/// no work: those who could take it may be waiting for it.
pub fn apart<A, B: Send>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(there);
        let done = here();
        (done, other.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn both_are_done_at_once_and_no_panic_is_lost() {
        let ((to_there, from_here), (to_here, from_there)) = (channel(), channel());
        let here = || to_there.send(1).map(|()| from_there.recv().unwrap());
        let there = move || to_here.send(2).map(|()| from_here.recv().unwrap());
        assert_eq!(apart(here, there), (Ok(2), Ok(1)));
        let lost = catch_unwind(AssertUnwindSafe(|| apart(|| 1, || std::panic::panic_any("there"))));
        assert_eq!(lost.unwrap_err().downcast_ref(), Some(&"there"));
    }

    #[test]
    fn another_thread_does_its_part_or_this_one_in_the_end() {
        let ours = thread::current().id();
        let (here, there) = beside(|| thread::current().id(), || "done");
        assert_eq!((here, there), (ours, "done"));
        let lost =
            catch_unwind(AssertUnwindSafe(|| beside(|| 1, || -> u8 { std::panic::panic_any("there") })));
        assert_eq!(lost.unwrap_err().downcast_ref(), Some(&"there"));
        // One thread alone: nobody else is there to take it.
        let alone = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let on = alone.install(|| beside(|| thread::current().id(), || thread::current().id()));
        assert_eq!(on.0, on.1);
    }
}
