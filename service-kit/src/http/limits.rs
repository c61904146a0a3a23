//! What a stranger may send, how long they may take and how much of us they may hold. Each number says where it
//! comes from.

use std::time::Duration;

/// Largest request body, in bytes, unless a route names its own: a presentation of ten credentials with proofs has
/// about 100 KiB.
pub const BODY_BYTES: usize = 1024 * 1024;

/// Time for a request's head to arrive, from its first byte to its last; for the first request of a connection from
/// the end of the handshake. An honest one is one packet; a trickling one holds a connection for ever.
pub const HEAD: Duration = Duration::from_secs(5);

/// Time that a body may take beside what [`BODY_RATE`] gives it: a lost packet or two on a mobile link.
pub const BODY_GRACE: Duration = Duration::from_secs(5);

/// Bytes of a body that must arrive per second, on the whole: 256 kbit/s, the slowest mobile link we serve. So 1 MiB
/// may take 37 s, and one byte a second is cut when the grace is over.
pub const BODY_RATE: u64 = 32 * 1024;

/// Time a kept-alive connection may idle: long enough for the next step of a protocol run.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Time for a TLS handshake to finish, from the first byte of the connection.
pub const HANDSHAKE: Duration = Duration::from_secs(5);

/// Time for an answer to be taken, once the kernel takes no more of it ([`SENT_AHEAD`]): a client that reads nothing is cut
/// after it. 1 MiB at 512 kbit/s takes 16 s.
pub const ANSWER: Duration = Duration::from_secs(20);

/// Time for a client to go away after we hung up.
pub const DISCONNECT: Duration = Duration::from_secs(2);

/// Time for requests under way to finish when the service stops, in seconds.
pub const STOP_SECONDS: u64 = 5;

/// Open connections of the whole service, unless configured otherwise: 10,000 slow clients and room for others. Each
/// costs some 12 KiB in a handshake or a first head, and up to 30 KiB once it is inside. When the limit is reached,
/// whoever has kept us waiting longest is cut for whoever comes.
pub const CONNECTIONS: u32 = 10_240;

/// Open connections whose first head has come, so that the server has taken its buffers for them: each costs some 20 KiB
/// idle, 27 KiB with an answer that it does not take, 30 KiB in a body that trickles, and the length of a body that is
/// well under way besides. Room for half of 10,000 slow clients and for others, and not so many that clients which are
/// all slow in the costliest way fill 256 MB; `slow-clients` of devnet measures it.
pub const CONNECTIONS_INSIDE: u32 = 5_632;

/// Open connections of one address (IPv6: one /64), unless configured otherwise: an office behind one address, but
/// not a fortieth of the service.
pub const CONNECTIONS_PER_ADDRESS: u32 = 256;

/// File descriptors kept back for the store, logs and outgoing connections when the system allows fewer than
/// the connections configured.
pub const DESCRIPTORS_KEPT_BACK: u32 = 128;

/// Bytes of a client that are read at once, and that the server gets to look at before it gets more: most heads are
/// shorter. Until a first one is there, the server's own buffers, 16 KiB for each connection, are not taken.
pub const PORTION: usize = 2 * 1024;

/// Bytes of an answer that gather before they are sent. With a piece more this stays within the 8 KiB that the server
/// takes for each connection anyway.
pub const ANSWER_BUFFER: usize = 4 * 1024;

/// Bytes of an answer's body that are added to them at once: a piece, and the line before it in a chunked body.
pub const ANSWER_PIECE: usize = 4 * 1024 - 64;

/// Encrypted bytes of an answer that wait for room in the kernel.
pub const SEALED_BUFFER: usize = 4 * 1024;

/// Bytes of answers that wait in the kernel for room on the wire; what is on its way does not count, so a fast client is not
/// slowed down. The kernel would take some MiB from whoever asks and does not read, and its memory and our time with it.
pub const SENT_AHEAD: u32 = 64 * 1024;

/// Connections waiting to be accepted.
pub const BACKLOG: u32 = 1024;

/// The limits in force: those above, unless the configuration or a test says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) handshake: Duration,
    pub(crate) head: Duration,
    pub(crate) body_grace: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) answer: Duration,
    pub(crate) connections: u32,
    pub(crate) connections_inside: u32,
    pub(crate) connections_per_address: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: HANDSHAKE,
            head: HEAD,
            body_grace: BODY_GRACE,
            keep_alive: KEEP_ALIVE,
            answer: ANSWER,
            connections: CONNECTIONS,
            connections_inside: CONNECTIONS_INSIDE,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
        }
    }
}
