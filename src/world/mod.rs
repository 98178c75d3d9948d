//! How to talk to the outside: git, commands, files, the clock. Plain data in and out.
//!
//! Does not know packages, releases or plans.

pub mod checkout;
pub mod clock;
pub mod command;
pub mod commit_text;
pub mod encoding;
pub mod files;
pub mod git;
pub mod git_command;
pub mod git_error;
pub mod holder;
pub mod ledger_ref;
pub mod objects;
pub mod pins;
pub mod push;
pub mod refs;
pub mod remote;
pub mod remote_refs;
pub mod store;
#[cfg(test)]
pub mod testing;
pub mod tools;
pub mod tree;
pub mod worktree;
pub mod write;
