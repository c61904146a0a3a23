//! Ports for a world of a test.

use std::net::TcpListener;

/// Six ports in a row that nobody uses now. Another program may take one before we do: then the test fails by
/// saying so.
pub(crate) fn free_ports() -> u16 {
    (0..50_u16)
        .map(|attempt| 20_000 + u16::try_from(std::process::id() % 3000).unwrap() * 10 + attempt * 6 % 10_000)
        .find(|base| (0..6).all(|offset| TcpListener::bind(("127.0.0.1", base + offset)).is_ok()))
        .unwrap()
}
