//! The environment that programs read: this process's own, or one that stands in for it.

use std::ffi::OsString;
use std::sync::Arc;

/// Reads a variable, for whoever asks later.
pub type Env = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// This process's own environment.
pub fn of_this_process() -> Env {
    Arc::new(|name: &str| std::env::var_os(name))
}
