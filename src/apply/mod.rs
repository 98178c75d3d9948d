//! Does the steps of a plan, in order, and takes them back. Decides nothing.

pub mod book;
pub mod build;
pub mod clamp;
pub mod crash;
pub mod effect;
pub mod environment;
pub mod gate;
pub mod index;
pub mod install_set;
pub mod mint;
pub mod pace;
pub mod publish_error;
pub mod publisher;
pub mod refusal;
pub mod shelf;
pub mod ship;
pub mod smoke;
pub mod workshop;
