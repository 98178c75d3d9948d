//! How to talk to the outside: git, commands, files, the clock. Plain data in and out.
//!
//! Does not know packages, releases or plans.

pub mod answer;
pub mod attest;
pub mod beside;
pub mod checkout;
pub mod ci_run;
pub mod clock;
pub mod command;
pub mod commit_text;
pub mod credential;
mod delta;
pub mod encoding;
pub mod engine;
pub mod files;
pub mod form;
pub mod git;
pub mod git_command;
pub mod git_error;
pub mod github;
pub mod grafts;
pub mod held;
mod hex;
pub mod holder;
pub mod http;
pub mod identity;
mod index_table;
#[cfg(unix)]
pub mod interpreter;
pub mod interrupt;
pub mod json_api;
pub mod kept;
pub mod ledger_ref;
pub mod listing;
pub mod loopback;
mod merge_base;
pub mod objects;
pub mod oci;
mod pack_index;
pub mod packs;
pub mod pins;
pub mod plan_ref;
mod ported;
pub mod push;
pub mod range;
pub mod refs;
pub mod registry;
pub mod remote;
pub mod remote_refs;
pub mod sha256;
pub mod simple_index;
pub mod snapshot;
pub mod store;
#[cfg(test)]
pub mod testing;
pub mod tools;
pub mod tree;
pub mod trusted;
pub mod unpush;
pub mod upload;
pub mod variable;
pub mod webhook;
pub mod worktree;
pub mod write;
