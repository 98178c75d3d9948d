//! Ships whose releases are made at GitHub too, against the double of it.

mod faults;
mod kills;
mod place;
mod refusals;
mod stories;
