//! What a client has sent and the server has not got.
//!
//! The server reads for as long as there is something to read and keeps each request that it finds: a client that asks
//! faster than it takes answers fills it with hundreds. So it gets a portion at a time, none of which goes beyond the
//! end of a head.

use super::limits::PORTION;

/// Bytes that wait for the server; takes no memory while there are none.
#[derive(Debug, Default)]
pub(super) struct Inbox(Vec<u8>);

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Whether there is a whole head, or so much that the server may look at it.
    pub(super) fn is_worth_a_look(&self) -> bool {
        self.0.len() >= PORTION || end_of_head(&self.0).is_some()
    }

    /// Takes the next portion: to the end of a head if there is one, and at most `room` bytes.
    pub(super) fn take(&mut self, room: usize) -> Vec<u8> {
        let portion = end_of_head(&self.0).unwrap_or(self.0.len()).min(room);
        let rest = self.0.split_off(portion);
        std::mem::replace(&mut self.0, rest)
    }
}

/// Where the first empty line in `bytes` ends, whether its lines end as they should or with a bare LF, which the server
/// takes, too. In a body it may be no end of a head, which does no harm.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut after_line = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if after_line => return Some(at.saturating_add(1)),
            b'\n' => after_line = true,
            b'\r' => {}
            _ => after_line = false,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(text: &str) -> Inbox {
        Inbox(text.into())
    }

    #[test]
    fn a_portion_ends_with_a_head() {
        for line in ["\r\n", "\n"] {
            let (first, second) = (format!("GET /1{line}a: b{line}{line}"), format!("GET /2{line}{line}"));
            let mut inbox = inbox(&format!("{first}{second}GET /3{line}a:"));
            for expected in [first, second, format!("GET /3{line}a:")] {
                assert_eq!(inbox.take(PORTION), expected.into_bytes());
            }
            assert!(inbox.is_empty() && inbox.0.capacity() == 0, "nothing takes no memory");
        }
    }

    #[test]
    fn a_portion_has_no_more_than_there_is_room_for() {
        let mut inbox = inbox("GET /\r\n\r\nrest");
        assert_eq!((inbox.take(4), inbox.take(5), inbox.take(1)), (b"GET ".into(), b"/\r\n\r\n".into(), b"r".into()));
    }

    #[test]
    fn a_whole_head_or_a_long_part_is_worth_a_look() {
        assert!(!inbox("GET / HTTP/1.1\r\na: b\r\n\r").is_worth_a_look());
        assert!(inbox("GET / HTTP/1.1\r\na: b\r\n\r\n").is_worth_a_look());
        assert!(!inbox(&"a".repeat(PORTION - 1)).is_worth_a_look());
        assert!(inbox(&"a".repeat(PORTION)).is_worth_a_look());
    }
}
