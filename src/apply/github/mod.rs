//! Releases at GitHub: a draft keeps the sealed files, and is published last.

pub mod announce;
pub mod draft;
pub mod error;
pub mod fetch;
pub mod files;
pub mod left;
