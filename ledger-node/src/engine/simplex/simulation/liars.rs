//! A validator that lies, with its real keys.

use std::time::Duration;

use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use identity_core::crypto::Signer as _;
use ledger::checkpoint::Checkpoint;
use ledger::note::{SignatureKind, VerifierKey};
use ledger::{Hash, sha256};

use super::super::cosigning;
use super::super::sizing;
use super::super::wiring::CHANNELS;
use super::chain::{Purpose, transport, validator_key};
use super::cluster::Cluster;
use super::dice::Dice;
use crate::certifier::Cosignature;
use crate::node::Spoken;

/// How a validator lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// It does not.
    None,
    /// It says nothing, proposes nothing, answers nothing.
    Silence,
    /// It floods every channel with bytes that mean nothing.
    Garbage,
    /// It sends back to everybody whatever it hears, on the channel where it heard it.
    Echo,
    /// It cosigns two roots for every size that it hears of, neither of them right.
    Cosignatures,
}

impl Lie {
    pub(super) const ALL: [Self; 5] = [Self::None, Self::Silence, Self::Garbage, Self::Echo, Self::Cosignatures];
}

/// Channel of cosignatures.
const COSIGNATURES: u64 = 5;

/// Starts the liar at a place where nobody runs.
pub(super) async fn start(context: &Context, cluster: &Cluster, place: usize, lie: Lie, dice: &mut Dice) {
    let control = cluster.oracle.control(transport(u8::try_from(place).unwrap(), 0));
    let origin = cluster.world.chain.origin().to_owned();
    for channel in 0..CHANNELS {
        let (mut sender, mut receiver) = control.register(channel, sizing::quota()).await.unwrap();
        let (mut dice, origin) = (Dice::new(dice.next()), origin.clone());
        let context = context.child("liar").with_attribute("channel", channel);
        let _running = context.spawn(move |context| async move {
            loop {
                match lie {
                    Lie::None | Lie::Silence => {
                        let Ok(_ignored) = receiver.recv().await else { return };
                    }
                    Lie::Garbage => {
                        context.sleep(Duration::from_millis(40)).await;
                        let length = dice.below(400);
                        let bytes: Vec<u8> = (0..length).map(|_| dice.next().to_be_bytes()[0]).collect();
                        sender.send(Recipients::All, bytes, false);
                    }
                    Lie::Echo => {
                        let Ok((_, message)) = receiver.recv().await else { return };
                        sender.send(Recipients::All, message, false);
                    }
                    Lie::Cosignatures => {
                        let Ok((_, message)) = receiver.recv().await else { return };
                        if channel == COSIGNATURES
                            && let Some(heard) = cosigning::decode(message.as_ref())
                        {
                            for root in ["one", "other"] {
                                let said = lying(place, &origin, heard.cosignature.size, sha256(root.as_bytes()));
                                let spoken = Spoken { cosignature: said, wanted: false };
                                sender.send(Recipients::All, cosigning::encode(&spoken).to_vec(), false);
                            }
                        }
                    }
                }
            }
        });
    }
}

fn lying(place: usize, origin: &str, size: u64, root: Hash) -> Cosignature {
    let secret = validator_key(u8::try_from(place).unwrap(), 0, Purpose::Witness);
    let public = ledger::ed25519::PublicKey::from_bytes(secret.public_key().bytes().try_into().unwrap()).unwrap();
    let key = VerifierKey::new(&format!("{origin}/node{place}"), SignatureKind::CosignatureV1, public).unwrap();
    let checkpoint = Checkpoint { origin: origin.to_owned(), size, root };
    let sign = |bytes: &[u8]| secret.sign(bytes).unwrap();
    let line = ledger::cosignature::cosign(&checkpoint, &key, 1, sign).unwrap();
    Cosignature { size, root, bytes: line.bytes.try_into().unwrap() }
}
