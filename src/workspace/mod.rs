//! What the repository is: configuration, packages, their manifests and dependencies.
//!
//! Parses and edits text that others read and write. Does not know the file system, git or the network.

pub mod file_name;
pub mod marker;
pub mod name;
pub mod path;
pub mod requirement;
pub mod specifier;
