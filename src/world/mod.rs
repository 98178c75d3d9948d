//! How to talk to the outside: git, commands, files, the clock. Plain data in and out.
//!
//! Does not know packages, releases or plans.

pub mod clock;
pub mod command;
pub mod files;
pub mod pins;
pub mod tools;
