//! Does the steps of a plan, in order, and takes them back. Decides nothing.

pub mod build;
pub mod crash;
pub mod environment;
pub mod index;
pub mod install_set;
pub mod smoke;
