//! Gathers Facts: reads the repository, its configuration, history, tags and index. Changes nothing.

pub mod closed;
pub mod config_file;
pub mod error;
pub mod facts;
pub mod home;
pub mod inside;
pub mod manifests;
pub mod older_tags;
pub mod packages;
pub mod proposal;
pub mod tags;
pub mod version_tags;
pub mod walk;
pub mod walk_batches;
pub mod walk_compare;
pub mod walk_files;
pub mod walk_folders;
pub mod walk_graph;
pub mod walk_moves;
pub mod walk_releases;
pub mod walk_sets;
pub mod walk_version;
pub mod withdrawn;
