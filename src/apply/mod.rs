//! Does the steps of a plan, in order, and takes them back. Decides nothing.

pub mod book;
pub mod build;
pub mod clamp;
pub mod crash;
pub mod effect;
pub mod environment;
pub mod index;
pub mod install_set;
pub mod ship;
pub mod smoke;
pub mod workshop;
