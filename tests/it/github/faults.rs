//! Faults to order: which request fails, and how.

use crate::github::state::State;

/// What happens to a request.
#[derive(Clone)]
pub enum Harm {
    /// The connection ends before anything is done.
    Drop,
    /// It is done, and the connection ends without an answer.
    Lose,
    /// It is done, and half of the answer arrives.
    Truncate,
    /// It is done, and the last byte of the answer is another.
    Corrupt,
    /// Nothing is done; this status is answered: 500, 502, 503, 401.
    Status(u16),
    /// It is done, and this status is answered nevertheless.
    Late(u16),
    /// 429 with `Retry-After`, in seconds.
    TooMany(u64),
    /// A secondary rate limit: 403 with `Retry-After`, in seconds.
    Secondary(u64),
    /// The primary rate limit: 403, nothing remaining, reset in so many seconds.
    Primary(i64),
    /// Nothing is done and nothing said for so many seconds, then the connection ends.
    Hang(u64),
    /// It is done, and the answer comes after so many milliseconds.
    Slow(u64),
    /// A read answers with the state of when the fault was ordered; git's refs are as they are.
    Stale,
}

/// A harm and the requests that it comes to.
#[derive(Clone)]
pub struct Fault {
    method: String,
    path: String,
    harm: Harm,
    skip: usize,
    times: usize,
    /// For `Stale`.
    pub past: Option<Box<State>>,
}

impl Fault {
    /// A harm to the next request with this method (`*`: any) and path: from `/repos/` on, without the query,
    /// `*` stands for anything. Git's own requests are at `/OWNER/NAME.git/…`.
    pub fn at(method: &str, path: &str, harm: Harm) -> Fault {
        Fault { method: method.to_owned(), path: path.to_owned(), harm, skip: 0, times: 1, past: None }
    }

    /// Leaves so many fitting requests alone first.
    pub fn after(mut self, skip: usize) -> Fault {
        self.skip = skip;
        self
    }

    /// Comes so many times.
    pub fn times(mut self, times: usize) -> Fault {
        self.times = times;
        self
    }

    pub fn is_stale(&self) -> bool {
        matches!(self.harm, Harm::Stale)
    }
}

/// The harm that comes to a request now, with the past it is answered from.
pub fn take(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<(Harm, Option<Box<State>>)> {
    for at in 0..faults.len() {
        let fault = &mut faults[at];
        if !(fault.method == "*" || fault.method == method) || !glob(&fault.path, path) {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            continue;
        }
        fault.times -= 1;
        let taken = (fault.harm.clone(), fault.past.clone());
        if fault.times == 0 {
            faults.remove(at);
        }
        return Some(taken);
    }
    None
}

fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..]))
        }),
    }
}
