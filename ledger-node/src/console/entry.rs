//! A log entry, read for people: what kind it is and what it says. Nothing is verified here: what stands in the log was,
//! before it was ordered.

use identity_core::did::Did;
use identity_core::registry::{Create, Operation, RecoveryOperation, Relayed, Transaction};
use ledger::{Hash, Seal};

/// What stands at an index.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    Seal(Seal),
    /// A founder's creation: in block 0 they stand bare.
    Create(Box<Create>),
    Transaction(Transaction),
    /// Nothing that this program reads.
    Unknown,
}

/// A kind of entry, as pages name and filter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
    Deactivate,
    Compromise,
    Recover,
    Accredit,
    EndAccreditation,
    Delegate,
    EndDelegation,
    Anchor,
    Schema,
    Propose,
    Approve,
    Withdraw,
    Evidence,
    Tally,
    Seal,
    Unknown,
}

impl Kind {
    pub(super) const ALL: [Self; 18] = [
        Self::Create,
        Self::Update,
        Self::Deactivate,
        Self::Compromise,
        Self::Recover,
        Self::Accredit,
        Self::EndAccreditation,
        Self::Delegate,
        Self::EndDelegation,
        Self::Anchor,
        Self::Schema,
        Self::Propose,
        Self::Approve,
        Self::Withdraw,
        Self::Evidence,
        Self::Tally,
        Self::Seal,
        Self::Unknown,
    ];

    /// The name in addresses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Deactivate => "deactivate",
            Self::Compromise => "compromise",
            Self::Recover => "recover",
            Self::Accredit => "accredit",
            Self::EndAccreditation => "end-accreditation",
            Self::Delegate => "delegate",
            Self::EndDelegation => "end-delegation",
            Self::Anchor => "anchor",
            Self::Schema => "schema",
            Self::Propose => "propose",
            Self::Approve => "approve",
            Self::Withdraw => "withdraw",
            Self::Evidence => "evidence",
            Self::Tally => "tally",
            Self::Seal => "seal",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The id of its text.
    pub(super) fn text(self) -> String {
        format!("console-kind-{}", self.name())
    }
}

impl Entry {
    pub(super) fn read(bytes: &[u8]) -> Self {
        if let Ok(seal) = Seal::parse(bytes) {
            return Self::Seal(seal);
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Self::Unknown };
        let transaction = Transaction::parse(text).map(Self::Transaction);
        let creation = || Create::parse(text).map(|create| Self::Create(Box::new(create)));
        transaction.or_else(|_| creation()).unwrap_or(Self::Unknown)
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Seal(_) => Kind::Seal,
            Self::Create(_) => Kind::Create,
            Self::Transaction(transaction) => of_operation(transaction.operation()),
            Self::Unknown => Kind::Unknown,
        }
    }

    /// Whose act it is; a seal is nobody's.
    pub(super) fn subject(&self) -> Option<&Did> {
        match self {
            Self::Create(create) => Some(create.did()),
            Self::Transaction(transaction) => Some(match transaction.operation() {
                Operation::Relay(relayed) => relayed.subject(),
                _ => transaction.sender(),
            }),
            Self::Seal(_) | Self::Unknown => None,
        }
    }

    /// The digest by which a transaction is found again.
    pub(super) fn digest(&self) -> Option<Hash> {
        match self {
            Self::Create(create) => Transaction::digest_of(create.as_str()),
            Self::Transaction(transaction) => Some(transaction.digest()),
            Self::Seal(_) | Self::Unknown => None,
        }
    }
}

/// What is relayed counts as what it is, whoever carried it.
fn of_operation(operation: &Operation) -> Kind {
    match operation {
        Operation::Update(_) => Kind::Update,
        Operation::Deactivate => Kind::Deactivate,
        Operation::Compromise(_) => Kind::Compromise,
        Operation::Relay(Relayed::Create(_)) => Kind::Create,
        Operation::Relay(Relayed::Change(change)) => of_operation(change.operation()),
        Operation::Relay(Relayed::Recovery(act)) => match act.operation() {
            RecoveryOperation::Recover(_) => Kind::Recover,
            RecoveryOperation::Deactivate => Kind::Deactivate,
            RecoveryOperation::Compromise(_) => Kind::Compromise,
        },
        Operation::Anchor(_) => Kind::Anchor,
        Operation::Accredit(_) => Kind::Accredit,
        Operation::EndAccreditation(_) => Kind::EndAccreditation,
        Operation::Delegate(_) => Kind::Delegate,
        Operation::EndDelegation(_) => Kind::EndDelegation,
        Operation::Schema(_) => Kind::Schema,
        Operation::Propose(_) => Kind::Propose,
        Operation::Approve(_) => Kind::Approve,
        Operation::Withdraw(_) => Kind::Withdraw,
        Operation::Evidence(_) => Kind::Evidence,
        Operation::Tally(_) => Kind::Tally,
    }
}
