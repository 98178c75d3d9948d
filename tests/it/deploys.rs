//! The stories of deployments through the built binary: what is shipped comes into environments, is proven, goes on and
//! goes back, whatever fails, dies or comes at the same time.
//!
//! `place` is where a story happens: an origin, fresh clones, environments that `target` looks after. Each story asks
//! four witnesses: the exit code and the words, `release status`, what really runs, and the ledger, which must replay.
//! `docs/deployments.md` lists the faults.

mod back;
mod failing;
mod gates;
mod hooks;
mod kills;
mod lines;
mod mirror;
mod onward;
mod orders;
mod place;
mod races;
mod series;
mod target;
mod template;
mod unsure;
