//! The versions of the tools that are provisioned where the machine has none.

/// `uv`, from the package index.
pub const UV: &str = "0.13.9";
/// `build`, the PEP 517 frontend of the Python packaging authority.
pub const BUILD: &str = "1.6.1";
/// The oldest `uv` on PATH that knows all options used here.
pub const UV_OLDEST: &str = "0.5.0";
