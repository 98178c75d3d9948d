//! Judges what a tool made or said.
//!
//! Does not know how tools are run.

pub mod artifact;
pub mod entry_points;
pub mod expression;
pub mod finding;
pub mod gate;
pub mod metadata;
pub mod modules;
pub mod plain;
pub mod proof;
pub mod record;
pub mod requires;
#[cfg(test)]
pub mod samples;
pub mod sdist;
pub mod trial;
pub mod wheel;
pub mod window;
