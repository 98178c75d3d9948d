//! Tests that run the built binary on real repositories, and one that reads its source.
//!
//! `world` is the ground they stand on, `script` the small language that histories are written in.

#![allow(clippy::unwrap_used, reason = "a test that can not go on should stop at once")]
#![allow(clippy::print_stderr, reason = "a skipped test says so in one line")]

mod assume;
mod at_github;
mod bad_input;
mod builds;
mod cases;
mod clones;
mod crash;
mod demo;
mod deploy_faults;
mod deploys;
mod distributions;
mod double;
mod engine;
mod github;
mod github_told;
mod histories;
mod images;
mod large_repositories;
mod matrix;
mod other_indexes;
mod publish_faults;
mod publish_wire;
mod publishing;
mod pull_preview;
mod pull_request;
mod readme;
mod relay;
mod replay;
mod sample_deploys;
mod sample_ship;
mod schemas;
mod script;
mod servers;
mod service;
mod shared_sample;
mod single_package;
mod stores;
mod targets;
mod targets_container;
mod targets_python;
mod targets_swarm;
mod trusted_wire;
mod validation;
mod walls;
mod web;
mod workflow_tools;
mod workflows;
mod world;
mod yard;
