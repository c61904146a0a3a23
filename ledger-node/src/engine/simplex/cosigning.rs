//! Carries cosignatures between validators, on a channel of its own.
//!
//! A message is one byte (1: the sender lacks ours for the same tree, else 0), the size as eight bytes, big-endian, the
//! root, and the cosignature as in a note's line: eight bytes of time and 64 of signature. Who may say what is decided
//! behind [`Host::hear`]; here is only the way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use commonware_macros::select;
use commonware_p2p::{Receiver, Recipients, Sender};
use ledger::Hash;
use tokio::sync::mpsc;

use super::members::Members;
use super::{Host, PublicKey, Runtime};
use crate::certifier::Cosignature;
use crate::engine::Standing;
use crate::node::Spoken;

/// Bytes of a message.
pub(super) const MESSAGE: usize = 1 + 8 + Hash::LENGTH + Cosignature::LENGTH;
/// A validator that has said nothing for so long is not counted as a peer: an idle one cosigns every 30 s.
const SILENCE: Duration = Duration::from_secs(45);
/// How often peers are counted.
const COUNTING: Duration = Duration::from_secs(5);

/// Runs until the node or the network ends.
pub(super) async fn run<E: Runtime>(
    clock: E,
    host: Arc<impl Host>,
    members: Members,
    standing: Arc<Standing>,
    mut voice: mpsc::Receiver<Spoken>,
    (mut sender, mut receiver): (impl Sender<PublicKey = PublicKey>, impl Receiver<PublicKey = PublicKey>),
) {
    let mut heard: BTreeMap<usize, SystemTime> = BTreeMap::new();
    let mut counted = clock.current();
    loop {
        select! {
            spoken = voice.recv() => {
                let Some(spoken) = spoken else { return };
                sender.send(Recipients::All, encode(&spoken).to_vec(), false);
            },
            message = receiver.recv() => {
                let Ok((peer, message)) = message else { return };
                let (Some(place), Some(spoken)) = (members.place(&peer), decode(message.as_ref())) else {
                    tracing::warn!(?peer, "a validator sends what is no cosignature");
                    continue;
                };
                heard.insert(place, clock.current());
                if let Some(answer) = host.hear(place, spoken) {
                    sender.send(Recipients::One(peer), encode(&answer).to_vec(), false);
                }
            },
            () = clock.sleep_until(counted + COUNTING) => {},
        }
        let now = clock.current();
        if now >= counted + COUNTING {
            counted = now;
            let since = |at: &SystemTime| now.duration_since(*at).unwrap_or_default();
            standing.count_peers(heard.values().filter(|at| since(at) < SILENCE).count());
        }
    }
}

pub(super) fn encode(spoken: &Spoken) -> [u8; MESSAGE] {
    let Cosignature { size, root, bytes } = &spoken.cosignature;
    let parts = [&[u8::from(spoken.wanted)][..], &size.to_be_bytes(), root.as_bytes(), bytes];
    let mut message = [0; MESSAGE];
    message.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
    message
}

pub(super) fn decode(message: &[u8]) -> Option<Spoken> {
    let message: &[u8; MESSAGE] = message.try_into().ok()?;
    let (wanted, rest) = message.split_first()?;
    let wanted = match wanted {
        0 => false,
        1 => true,
        _ => return None,
    };
    let (size, rest) = rest.split_first_chunk()?;
    let (root, bytes) = rest.split_at_checked(Hash::LENGTH)?;
    let root = Hash::from_slice(root).ok()?;
    let cosignature = Cosignature { size: u64::from_be_bytes(*size), root, bytes: bytes.try_into().ok()? };
    Some(Spoken { cosignature, wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written_and_no_other() {
        let cosignature = Cosignature { size: 7, root: ledger::sha256(b"root"), bytes: [9; Cosignature::LENGTH] };
        for wanted in [false, true] {
            let spoken = Spoken { cosignature: cosignature.clone(), wanted };
            let message = encode(&spoken);
            assert_eq!(decode(&message), Some(spoken));
            assert_eq!(decode(&message[1..]), None);
        }
        let mut other = encode(&Spoken { cosignature, wanted: false });
        other[0] = 2;
        assert_eq!(decode(&other), None);
    }
}
