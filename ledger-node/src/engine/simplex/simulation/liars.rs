//! A validator that lies, with its real keys.

use std::convert::Infallible;
use std::time::Duration;

use commonware_macros::select;
use commonware_p2p::simulated::{Error, Receiver, Sender};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::deterministic::Context;
use commonware_runtime::{Clock as _, IoBuf, Spawner as _, Supervisor as _};
use identity_core::crypto::Signer as _;
use identity_core::registry::MAX_TRANSACTION_BYTES;
use ledger::checkpoint::Checkpoint;
use ledger::note::{SignatureKind, VerifierKey};
use ledger::{Hash, sha256};

use super::super::wiring::channel;
use super::super::{PublicKey, cosigning, sizing};
use super::chain::{Purpose, transport, validator_key};
use super::cluster::Cluster;
use super::dice::Dice;
use super::faults::CLOCK_OFF_MILLIS;
use super::wires::Bend;
use crate::certifier::Cosignature;
use crate::node::Spoken;

/// How a validator lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lie {
    /// It does not.
    None,
    /// It says nothing, proposes nothing, answers nothing.
    Silence,
    /// It sends bytes that mean nothing, on every channel.
    Garbage,
    /// It sends back to everybody whatever it hears, on the channel where it heard it.
    Echo,
    /// It floods every channel with what it heard, old or new, as fast as it may, and with transactions that are too long.
    Flood,
    /// It cosigns two roots for every size that it hears of, neither of them right.
    Cosignatures,
    /// There are two of it. Each half of the others hears one: two blocks proposed in a round, two votes in each.
    Twins,
    /// There are two of it, and everybody hears both.
    LoudTwins,
    /// It proposes and votes, and shows its blocks to one other validator only.
    WithholdBlocks,
    /// It shows its blocks and tells its votes to one other validator only.
    WithholdVotes,
    /// What it proposes is not what it voted for.
    SpoilBlocks,
    /// It forgets whatever it voted, and dies often.
    Amnesia,
    /// Its clock is off by an hour, all the time.
    Clock,
}

impl Lie {
    pub(super) const ALL: [Self; 13] = [
        Self::None,
        Self::Silence,
        Self::Garbage,
        Self::Echo,
        Self::Flood,
        Self::Cosignatures,
        Self::Twins,
        Self::LoudTwins,
        Self::WithholdBlocks,
        Self::WithholdVotes,
        Self::SpoilBlocks,
        Self::Amnesia,
        Self::Clock,
    ];
}

/// Messages that a flooding liar remembers for each channel.
const REMEMBERED: usize = 64;
/// Between two of its messages on a channel: within the quota, for all of it.
const FLOODING: Duration = Duration::from_millis(5);
/// Between two messages that mean nothing.
const LITTERING: Duration = Duration::from_millis(40);

/// Starts a liar at a place where nobody runs.
pub(super) async fn start(context: &Context, cluster: &mut Cluster, place: usize, lie: Lie, dice: &mut Dice) {
    let others: Vec<_> = (0..cluster.places()).filter(|other| *other != place).collect();
    let key = |place: &usize| transport(u8::try_from(*place).unwrap(), 0);
    let accomplice = vec![key(&others[dice.below(others.len())])];
    let bend = match lie {
        Lie::WithholdBlocks => Bend::WithholdBlocks(accomplice),
        Lie::WithholdVotes => Bend::WithholdVotes(accomplice),
        Lie::SpoilBlocks => Bend::SpoilBlocks,
        Lie::Twins => {
            let (one, other) = others.iter().map(key).partition(|_| dice.below(2) == 0);
            return cluster.start_twins(place, [Bend::Only(one), Bend::Only(other)], dice).await;
        }
        Lie::LoudTwins => return cluster.start_twins(place, [Bend::None, Bend::None], dice).await,
        Lie::Clock => {
            let ahead = if dice.below(2) == 0 { CLOCK_OFF_MILLIS } else { -CLOCK_OFF_MILLIS };
            cluster.hardware(place).set_clock(ahead);
            Bend::None
        }
        Lie::Amnesia => {
            cluster.make_forgetful(place);
            Bend::None
        }
        Lie::None => Bend::None,
        Lie::Silence | Lie::Garbage | Lie::Echo | Lie::Flood | Lie::Cosignatures => {
            return talk(context, cluster, place, lie, dice).await;
        }
    };
    cluster.bend(place, bend);
    cluster.start(place);
}

/// A liar without any honest code.
async fn talk(context: &Context, cluster: &Cluster, place: usize, lie: Lie, dice: &mut Dice) {
    let control = cluster.oracle.control(transport(u8::try_from(place).unwrap(), 0));
    for number in 0..channel::COUNT {
        let (sender, receiver) = control.register(number, sizing::quota()).await.unwrap();
        let line = Line { place, channel: number, sender, receiver, dice: Dice::new(dice.next()) };
        let origin = cluster.world.chain.origin().to_owned();
        let context = context.child("liar").with_attribute("channel", number);
        let _running = context.spawn(move |context| async move {
            let _closed = match lie {
                Lie::Garbage => line.litter(context).await,
                Lie::Echo => line.echo().await,
                Lie::Flood => line.flood(context).await,
                Lie::Cosignatures if number == channel::COSIGNATURES => line.contradict(&origin).await,
                _ => line.ignore().await,
            };
        });
    }
}

/// One channel of a liar's.
struct Line {
    place: usize,
    channel: u64,
    sender: Sender<PublicKey, Context>,
    receiver: Receiver<PublicKey>,
    dice: Dice,
}

impl Line {
    async fn ignore(mut self) -> Result<Infallible, Error> {
        loop {
            self.receiver.recv().await?;
        }
    }

    async fn echo(mut self) -> Result<Infallible, Error> {
        loop {
            let (_, message) = self.receiver.recv().await?;
            self.sender.send(Recipients::All, message, false);
        }
    }

    async fn litter(mut self, context: Context) -> Result<Infallible, Error> {
        loop {
            context.sleep(LITTERING).await;
            let length = self.dice.below(400);
            let bytes: Vec<u8> = (0..length).map(|_| self.dice.next().to_be_bytes()[0]).collect();
            self.sender.send(Recipients::All, bytes, false);
        }
    }

    async fn flood(mut self, context: Context) -> Result<Infallible, Error> {
        let mut heard: Vec<IoBuf> = Vec::new();
        loop {
            select! {
                message = self.receiver.recv() => {
                    let (_, message) = message?;
                    match heard.len() {
                        REMEMBERED => heard[self.dice.below(REMEMBERED)] = message,
                        _ => heard.push(message),
                    }
                },
                () = context.sleep(FLOODING) => {
                    if self.channel == channel::TRANSACTIONS && self.dice.below(8) == 0 {
                        self.sender.send(Recipients::All, too_long(), false);
                    } else if !heard.is_empty() {
                        let message = heard[self.dice.below(heard.len())].clone();
                        self.sender.send(Recipients::All, message, false);
                    }
                },
            }
        }
    }

    async fn contradict(mut self, origin: &str) -> Result<Infallible, Error> {
        loop {
            let (_, message) = self.receiver.recv().await?;
            let Some(heard) = cosigning::decode(message.as_ref()) else { continue };
            for root in ["one", "other"] {
                let said = lying(self.place, origin, heard.cosignature.size, sha256(root.as_bytes()));
                let spoken = Spoken { cosignature: said, wanted: false };
                self.sender.send(Recipients::All, cosigning::encode(&spoken).to_vec(), false);
            }
        }
    }
}

/// A message with one transaction that nobody may take.
fn too_long() -> Vec<u8> {
    let length = u32::try_from(MAX_TRANSACTION_BYTES + 1).unwrap();
    [length.to_be_bytes().as_slice(), &vec![b'e'; MAX_TRANSACTION_BYTES + 1]].concat()
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
