//! Releases by merging a pull request: the branch, the three kinds of merge, what people write meanwhile, kills.
//!
//! The remote is a bare repository; who merges is a second clone.

mod branch;
mod hub;
mod hub_faults;
mod merges;
mod place;
