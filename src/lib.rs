//! `release` takes a Python monorepo from commits to production.
//!
//! Every verb walks one hallway: survey → Facts → plan → Plan → apply → Ledger → report.
//! `ARCHITECTURE.md` draws the rooms; each room's `mod.rs` says what it knows and what it does not.

pub mod apply;
pub mod check;
pub mod cli;
pub mod history;
pub mod ledger;
pub mod plan;
pub mod render;
pub mod report;
pub mod survey;
pub mod version;
pub mod workspace;
pub mod world;
