//! Numbers: PEP 440 versions, the size of a step, the next number.
//!
//! Knows PEP 440 and semver. Does not know commits, packages, files or anything outside.

pub mod bump;
pub mod label;
pub mod next;
pub mod number;
pub mod semver;
