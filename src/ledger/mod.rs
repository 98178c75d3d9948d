//! What happened: events, and what state they add up to. Refuses illegal orders.
//!
//! Does not know where events are stored.

pub mod environments;
pub mod event;
pub mod mirrors;
pub mod orders;
mod rollouts;
pub mod state;
