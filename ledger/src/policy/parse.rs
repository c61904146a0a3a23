//! Reading a policy file, line by line.

use std::collections::{HashMap, HashSet};

use super::{Party, Policy, Witness};
use crate::checkpoint::parse_decimal;
use crate::note::{KeyError, SignatureKind, VerifierKey};

/// The most bytes of a policy file.
const MAX_BYTES: usize = 64 * 1024;

/// The most logs, witnesses or groups of one policy: what C2SP strongly recommends to support.
const MAX_OF_EACH: usize = 32;

pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    if text.len() > MAX_BYTES {
        return Err(PolicyError::TooLong);
    }
    if text.bytes().any(|byte| (byte < 0x20 && byte != b'\t' && byte != b'\n') || byte == 0x7f) {
        return Err(PolicyError::Characters);
    }
    let lines = text.strip_suffix('\n').ok_or(PolicyError::NoFinalNewline)?;
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(lines.split('\n')) {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        reader.line(&words).map_err(|rule| PolicyError::Line { number, rule })?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader<'a> {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    parties: Vec<Party>,
    /// Place in `parties` of each name defined so far.
    places: HashMap<&'a str, usize>,
    /// Names that are a member of some group already.
    taken: HashSet<&'a str>,
    quorum: Option<Quorum>,
}

struct Quorum(Option<usize>);

impl<'a> Reader<'a> {
    fn line(&mut self, words: &[&'a str]) -> Result<(), LineRule> {
        match words {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => self.log(key),
            ["witness", name, key] | ["witness", name, key, _] => self.witness(name, key),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(LineRule::Form),
        }
    }

    fn log(&mut self, key: &str) -> Result<(), LineRule> {
        let key = parse_key(key, SignatureKind::Ed25519)?;
        self.refuse_known_key(&key)?;
        push_limited(&mut self.logs, key)
    }

    fn witness(&mut self, name: &'a str, key: &str) -> Result<(), LineRule> {
        let key = parse_key(key, SignatureKind::CosignatureV1)?;
        self.refuse_known_key(&key)?;
        let place = self.witnesses.len();
        push_limited(&mut self.witnesses, Witness { name: name.to_owned(), key })?;
        self.define(name, Party::Witness(place))
    }

    fn group(&mut self, name: &'a str, threshold: &str, names: &[&'a str]) -> Result<(), LineRule> {
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            members.push(*self.places.get(member).ok_or(LineRule::UnknownName)?);
            if !self.taken.insert(member) {
                return Err(LineRule::MemberTwice);
            }
        }
        let threshold = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => parse_decimal(number).and_then(|k| usize::try_from(k).ok()).ok_or(LineRule::Threshold)?,
        };
        if threshold < 1 || threshold > members.len() {
            return Err(LineRule::Threshold);
        }
        let groups = self.parties.len() - self.witnesses.len();
        if groups >= MAX_OF_EACH {
            return Err(LineRule::TooMany);
        }
        self.define(name, Party::Group { threshold, members })
    }

    fn quorum(&mut self, name: &str) -> Result<(), LineRule> {
        if self.quorum.is_some() {
            return Err(LineRule::SecondQuorum);
        }
        let place = match name {
            "none" => None,
            name => Some(*self.places.get(name).ok_or(LineRule::UnknownName)?),
        };
        self.quorum = Some(Quorum(place));
        Ok(())
    }

    fn define(&mut self, name: &'a str, party: Party) -> Result<(), LineRule> {
        if name == "none" || self.places.insert(name, self.parties.len()).is_some() {
            return Err(LineRule::NameTaken);
        }
        self.parties.push(party);
        Ok(())
    }

    /// One key under two names would count twice; and a log's key that also cosigns would be one key in two roles. Of two
    /// keys with one name and key id, signatures do not say whose they are.
    fn refuse_known_key(&self, key: &VerifierKey) -> Result<(), LineRule> {
        for known in self.logs.iter().chain(self.witnesses.iter().map(|witness| &witness.key)) {
            if known.public_key() == key.public_key() {
                return Err(LineRule::DuplicateKey);
            }
            if (known.name(), known.id()) == (key.name(), key.id()) {
                return Err(LineRule::DuplicateKeyId);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Policy, PolicyError> {
        let Quorum(quorum) = self.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(Policy { logs: self.logs, witnesses: self.witnesses, parties: self.parties, quorum })
    }
}

fn parse_key(text: &str, kind: SignatureKind) -> Result<VerifierKey, LineRule> {
    let key: VerifierKey = text.parse()?;
    if key.kind() == kind { Ok(key) } else { Err(LineRule::KeyKind) }
}

fn push_limited<T>(list: &mut Vec<T>, item: T) -> Result<(), LineRule> {
    if list.len() >= MAX_OF_EACH {
        return Err(LineRule::TooMany);
    }
    list.push(item);
    Ok(())
}

/// Why a text is not a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// More than 64 KiB.
    #[error("the policy is longer than 64 KiB")]
    TooLong,
    /// A control character other than tab and newline.
    #[error("the policy holds a control character")]
    Characters,
    /// The last line does not end in a newline.
    #[error("the policy does not end in a newline")]
    NoFinalNewline,
    /// No quorum line.
    #[error("the policy has no quorum line")]
    NoQuorum,
    /// A line breaks a rule.
    #[error("line {number} of the policy: {rule}")]
    Line {
        /// Counted from 1.
        number: usize,
        /// The rule.
        rule: LineRule,
    },
}

/// The rule that a line of a policy breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineRule {
    /// Not a log, witness, group or quorum line.
    #[error("it is not a log, witness, group or quorum line")]
    Form,
    /// The key is malformed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A log signs with type `0x01`, a witness with type `0x04`.
    #[error("the key's signature type does not fit its role")]
    KeyKind,
    /// The same public key stands on two lines.
    #[error("the same public key stands on an earlier line")]
    DuplicateKey,
    /// A key on an earlier line has the same name and key id.
    #[error("a key on an earlier line has the same name and key id")]
    DuplicateKeyId,
    /// The name is defined already, or is `none`.
    #[error("the name is taken")]
    NameTaken,
    /// The name is not defined on an earlier line.
    #[error("the name is not defined on an earlier line")]
    UnknownName,
    /// A name is a member of two groups, or twice of one.
    #[error("a name is a group member twice")]
    MemberTwice,
    /// The threshold is not `all`, `any` or a number from 1 to the number of members.
    #[error("the threshold does not fit the members")]
    Threshold,
    /// A second quorum line.
    #[error("there is a quorum line already")]
    SecondQuorum,
    /// More than 32 logs, witnesses or groups.
    #[error("there are more than 32 of a kind")]
    TooMany,
}
