//! Two things at once.

use std::panic::resume_unwind;

/// Does one thing here and another on a thread of its own, which may wait for files and programs. A panic of the other
/// goes on here.
pub fn beside<A, B: Send>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + Send) -> (A, B) {
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

    use super::beside;

    #[test]
    fn both_are_done_at_once_and_no_panic_is_lost() {
        let ((to_there, from_here), (to_here, from_there)) = (channel(), channel());
        let here = || to_there.send(1).map(|()| from_there.recv().unwrap());
        let there = move || to_here.send(2).map(|()| from_here.recv().unwrap());
        assert_eq!(beside(here, there), (Ok(2), Ok(1)));
        let lost = catch_unwind(AssertUnwindSafe(|| beside(|| 1, || std::panic::panic_any("there"))));
        assert_eq!(lost.unwrap_err().downcast_ref(), Some(&"there"));
    }
}
