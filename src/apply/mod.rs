//! Does the steps of a plan, in order, and takes them back. Decides nothing.

pub mod artifacts;
pub mod book;
pub mod build;
pub mod catch_up;
pub mod claim;
pub mod claiming;
pub mod clamp;
pub mod crash;
pub mod effect;
pub mod environment;
pub mod examine;
pub mod fence;
pub mod gate;
pub mod github;
pub mod ground;
#[cfg(unix)]
mod hooked;
pub mod hooks;
pub mod hub_deployment;
pub mod image;
pub mod image_error;
pub mod images;
pub mod index;
pub mod install_set;
pub mod journal;
pub mod lane;
pub mod lease;
pub mod link_words;
pub mod mint;
pub mod mirror;
pub mod notes;
pub mod one_comment;
pub mod pace;
pub mod part;
pub mod preflight;
pub mod proposal;
pub mod publish;
pub mod publish_error;
pub mod publisher;
pub mod push;
#[cfg(unix)]
mod recipe;
pub mod refusal;
pub mod release_variables;
pub mod rollout;
pub mod rooms;
mod sending;
pub mod shelf;
pub mod ship;
pub mod smoke;
pub mod stage;
pub mod stash;
pub mod supply;
pub mod take_back;
pub mod target;
pub mod tell;
#[cfg(unix)]
mod traces;
#[cfg(unix)]
mod unpack;
#[cfg(unix)]
mod uv_scope;
pub mod validate;
pub mod watch;
#[cfg(unix)]
pub mod workbench;
#[cfg(not(unix))]
#[path = "workbench_elsewhere.rs"]
pub mod workbench;
pub mod workflow;
pub mod workflow_files;
pub mod workshop;
