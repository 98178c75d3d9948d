//! What the repository is: configuration, packages, their manifests and dependencies.
//!
//! Parses and edits text that others read and write. Does not know the file system, git or the network.

pub mod action_pins;
pub mod config;
pub mod discover;
pub mod edit;
pub mod file_name;
pub mod graph;
pub mod lock;
pub mod lock_poetry;
pub mod manifest;
pub mod manifest_tables;
pub mod manifest_toml;
pub mod marker;
pub mod module;
pub mod name;
pub mod package;
pub mod path;
pub mod poetry;
pub mod requirement;
pub mod source;
pub mod source_backend;
pub mod specifier;
pub mod tag;
