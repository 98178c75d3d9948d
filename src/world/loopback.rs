//! Which hosts are this machine itself, where a connection needs no TLS.

use std::net::IpAddr;

/// Whether a host, with or without a port, is this machine by its name or number.
pub(in crate::world) fn leads_to_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if authority.matches(':').count() == 1 => authority.split(':').next().unwrap_or_default(),
        None => authority,
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
