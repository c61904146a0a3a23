//! What a stranger may send, and how long they may take. Each number says where it comes from.

use std::time::Duration;

/// Largest request body, in bytes, unless a route names its own: a presentation of ten credentials with proofs has
/// about 100 KiB.
pub const BODY_BYTES: usize = 1024 * 1024;

/// Time for a request's head to arrive: an honest one is one packet; a trickling one holds a connection for ever.
pub const HEAD: Duration = Duration::from_secs(5);

/// Time for a request's body to arrive: 1 MiB over the slowest mobile link we serve (1 Mbit/s) takes 8 s.
pub const BODY: Duration = Duration::from_secs(15);

/// Time a kept-alive connection may idle: long enough for the next step of a protocol run.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Time for a TLS handshake to finish.
pub const HANDSHAKE: Duration = Duration::from_secs(5);

/// Time for a client to go away after we hung up.
pub const DISCONNECT: Duration = Duration::from_secs(2);

/// Time for requests under way to finish when the service stops, in seconds.
pub const STOP_SECONDS: u64 = 5;

/// Open connections per worker thread: each costs about 20 KiB, so 40 MiB at the limit.
pub const CONNECTIONS: usize = 2048;

/// TLS handshakes at a time per worker thread: they are the costliest thing an unknown peer can ask for.
pub const HANDSHAKES: usize = 128;

/// Connections waiting to be accepted.
pub const BACKLOG: u32 = 1024;
