//! Ports for a world of a test.

use std::net::TcpListener;

/// Six ports in a row that nobody uses now, below those that systems give to outgoing connections (32,768 up on
/// Linux): there, a client of the world's own could sit on a service's port while the service is down. Another program
/// may still take one before we do: then the test fails by saying so.
pub(crate) fn free_ports() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 1_000).unwrap() * 12;
    (0..50_u16)
        .map(|attempt| first + attempt * 6)
        .find(|base| (0..6).all(|offset| TcpListener::bind(("127.0.0.1", base + offset)).is_ok()))
        .unwrap()
}
