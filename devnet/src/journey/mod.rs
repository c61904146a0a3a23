//! The journey of a first credential: steps in order, each a real check against the real services.

mod case;
mod evidence;
mod failure;
mod issue;
mod keys;
mod leaks;
mod official;
mod open;
pub(crate) mod patience;
mod present;
mod receipt;
mod record;
mod revoke;
pub(crate) mod runner;
mod tamper;
mod time_travel;
pub(crate) mod traveller;
mod withdraw;

pub use case::command as case_command;
pub use record::Record;
pub use runner::{Actor, Seen, Watcher, run};
pub use traveller::Traveller;

/// The steps, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The ledger stands on the genesis file, and a certified checkpoint proves it.
    Genesis,
    /// The authority accredits departments and service; the ledger proves it.
    Accredit,
    /// The service gives duties to its own service account; the ledger proves it.
    Delegate,
    /// The departments read their tables.
    Import,
    /// The wallet receives a resident identity.
    IssueResident,
    /// The wallet receives a business licence.
    IssueLicence,
    /// The wallet receives one credential of each other type.
    IssueOthers,
    /// The digests of all are anchored; the wallet holds proofs.
    Anchor,
    /// The wallet shows three of the claims; the service verifies.
    Present,
    /// What the data was wanted for, and who answers for it, was shown, and the holder's signature covers it.
    PurposeShown,
    /// The wallet holds the service's receipt for what it shared.
    Receipt,
    /// The ledger has the receipt, and the wallet the proof.
    ReceiptAnchored,
    /// A receipt is cut out of the service's log, and its audit names it.
    GapDetected,
    /// No value of a claim and no holder key stands on the ledger or in a metric.
    NothingLeaked,
    /// The evidence of the sharing is checked offline, and refused with one byte changed.
    Evidence,
    /// The same with ledger and departments switched off.
    VerifyOffline,
    /// A person answers for a question: shown at a terminal, signed, and named in the receipt.
    OfficialSigns,
    /// The service asks for more than it is accredited for; the wallet refuses.
    UnaccreditedAskerRefused,
    /// The service will not even make a request beyond its duty.
    OverAskingRefused,
    /// A presentation changed on its way is refused.
    TamperRefused,
    /// The citizen takes a sharing back: the service deletes and says so, the ledger has its word; nobody else can.
    Withdraw,
    /// The department replaces its signing key; what it anchored before stays good.
    RotateKey,
    /// It reports the old key as stolen; what it anchored before stays good.
    ReportStolenKey,
    /// A past day is judged by what the ledger shows of it; what came later and is dated back is refused.
    TimeTravel,
    /// The department revokes.
    Revoke,
    /// The revoked credential is refused.
    RevokedRefused,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 26] = [
        Self::Genesis,
        Self::Accredit,
        Self::Delegate,
        Self::Import,
        Self::IssueResident,
        Self::IssueLicence,
        Self::IssueOthers,
        Self::Anchor,
        Self::Present,
        Self::PurposeShown,
        Self::Receipt,
        Self::ReceiptAnchored,
        Self::Evidence,
        Self::VerifyOffline,
        Self::OfficialSigns,
        Self::UnaccreditedAskerRefused,
        Self::OverAskingRefused,
        Self::TamperRefused,
        Self::Withdraw,
        Self::RotateKey,
        Self::ReportStolenKey,
        Self::TimeTravel,
        Self::Revoke,
        Self::RevokedRefused,
        Self::GapDetected,
        Self::NothingLeaked,
    ];

    /// Its name in reports: stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Accredit => "accredit",
            Self::Delegate => "delegate",
            Self::Import => "import",
            Self::IssueResident => "issue-resident",
            Self::IssueLicence => "issue-licence",
            Self::IssueOthers => "issue-others",
            Self::Anchor => "anchor",
            Self::Present => "present",
            Self::PurposeShown => "purpose-shown",
            Self::Receipt => "receipt",
            Self::ReceiptAnchored => "receipt-anchored",
            Self::GapDetected => "gap-detected",
            Self::NothingLeaked => "nothing-leaked",
            Self::Evidence => "evidence",
            Self::VerifyOffline => "verify-offline",
            Self::OfficialSigns => "official-signs",
            Self::UnaccreditedAskerRefused => "unaccredited-asker-refused",
            Self::OverAskingRefused => "over-asking-refused",
            Self::TamperRefused => "tamper-refused",
            Self::Withdraw => "withdraw",
            Self::RotateKey => "rotate-key",
            Self::ReportStolenKey => "report-stolen-key",
            Self::TimeTravel => "time-travel",
            Self::Revoke => "revoke",
            Self::RevokedRefused => "revoked-refused",
        }
    }
}
