//! The question before every outside effect: may it still be done?

use std::pin::Pin;
use std::sync::Arc;

/// Asked before each upload attempt and each mint; an `Err` stops at once, with nothing sent.
pub type Gate = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), GateClosed>> + Send>> + Send + Sync>;

/// Why nothing more may be done: halted, the lease lost, stopped by a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct GateClosed {
    pub reason: String,
}

/// A gate that is always open.
pub fn open() -> Gate {
    Arc::new(|| Box::pin(async { Ok(()) }))
}
