//! What happened: events, and what state they add up to. Refuses illegal orders.
//!
//! Does not know where events are stored.

pub mod event;
pub mod state;
