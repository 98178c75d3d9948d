//! Generated workflows: written and kept fresh, looked at by linters, and run as a runner would run them.
//!
//! `runner` runs the steps of a job, `origin` is a git server that asks for a token, `wheel` builds our own wheel.

mod action;
mod files;
mod lint;
mod origin;
mod own;
mod pins;
mod runner;
mod tag;
mod wheel;
