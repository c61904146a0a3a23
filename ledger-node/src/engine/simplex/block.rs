//! A block as validators propose, vote on, store and fetch it.
//!
//! | bytes | what |
//! |---|---|
//! | 32 | digest of the block before |
//! | 8 | height in the term, big-endian: the first block is 1 |
//! | 8 | time, milliseconds since the epoch, big-endian |
//! | 4 | number of transactions, big-endian |
//! | per transaction: 4, and so many | its length, big-endian, and its text |
//!
//! The digest is SHA-256 of all of it. There are no roots in it, because nothing is executed before it is final. What
//! does not parse as so many transactions within the bounds is no block: a proposer cannot make anybody keep it.

use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, Encode as _, EncodeSize, Error, FixedSize as _, Read, ReadExt as _, Write};
use commonware_consensus::types::Height;
use commonware_consensus::{Block as ConsensusBlock, BoundedBlock, Heightable};
use commonware_cryptography::{Digestible, Hasher as _, Sha256, sha256::Digest};
use identity_core::registry::Transaction;
use identity_core::time::UnixMillis;

use crate::engine::pool::{Pool, Room};
use crate::term::Term;

/// What one block may hold: about 50 ms of work for each validator, and a message that crosses a slow line in seconds.
pub(crate) const ROOM: Room = Room { count: 1000, bytes: 1024 * 1024 };

/// Bytes before the transactions.
const HEADER: usize = 32 + 8 + 8 + 4;
/// Bytes before each transaction.
const LENGTH: usize = 4;

/// A block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) parent: Digest,
    pub(crate) height: u64,
    pub(crate) time: UnixMillis,
    pub(crate) transactions: Vec<Transaction>,
}

impl Block {
    /// Block 0 of a term, which nobody proposes: it stands for the seal that the term begins with.
    pub(crate) fn first_of(term: &Term) -> Self {
        Self { parent: Digest::from(*term.seal.as_bytes()), height: 0, time: term.time, transactions: Vec::new() }
    }
}

impl Write for Block {
    fn write(&self, buf: &mut impl BufMut) {
        self.parent.write(buf);
        self.height.write(buf);
        u64::try_from(self.time.0).unwrap_or(0).write(buf);
        count(self.transactions.len()).write(buf);
        for transaction in &self.transactions {
            let text = transaction.as_str().as_bytes();
            count(text.len()).write(buf);
            buf.put_slice(text);
        }
    }
}

impl EncodeSize for Block {
    fn encode_size(&self) -> usize {
        let transactions = self.transactions.iter().map(|transaction| LENGTH + transaction.as_str().len());
        HEADER + transactions.sum::<usize>()
    }
}

impl Read for Block {
    /// Most of what a block holds was forwarded before, and waits: it need not be parsed again.
    type Cfg = Pool;

    fn read_cfg(buf: &mut impl Buf, pool: &Pool) -> Result<Self, Error> {
        let parent = Digest::read(buf)?;
        let height = u64::read(buf)?;
        let time = i64::try_from(u64::read(buf)?).map_err(|_| Error::Invalid("block", "time"))?;
        let number = usize::try_from(u32::read(buf)?).unwrap_or(usize::MAX);
        if number > ROOM.count {
            return Err(Error::Invalid("block", "too many transactions"));
        }
        let (mut transactions, mut room) = (Vec::with_capacity(number), ROOM.bytes);
        for _ in 0..number {
            let length = usize::try_from(u32::read(buf)?).unwrap_or(usize::MAX);
            room = room.checked_sub(length).ok_or(Error::Invalid("block", "too many bytes"))?;
            if buf.remaining() < length {
                return Err(Error::EndOfBuffer);
            }
            transactions.push(parse(&buf.copy_to_bytes(length), pool)?);
        }
        Ok(Self { parent, height, time: UnixMillis(time), transactions })
    }
}

fn parse(bytes: &Bytes, pool: &Pool) -> Result<Transaction, Error> {
    let malformed = || Error::Invalid("block", "a transaction is malformed");
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    match pool.find(text) {
        Some(known) => Ok(known),
        None => Transaction::parse(text).map_err(|_| malformed()),
    }
}

/// Bounded far below four bytes by what is admitted into a block.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Digestible for Block {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        Sha256::hash(&[&self.encode()])
    }
}

impl Heightable for Block {
    fn height(&self) -> Height {
        Height::new(self.height)
    }
}

impl ConsensusBlock for Block {
    fn parent(&self) -> Digest {
        self.parent
    }
}

impl BoundedBlock for Block {
    fn max_encode_size(_: &Pool) -> usize {
        HEADER + ROOM.count * LENGTH + ROOM.bytes
    }
}

/// Bytes of a block's digest.
const _: () = assert!(Digest::SIZE == 32, "the table above");
