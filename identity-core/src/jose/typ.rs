//! The `typ` of each object we sign: one signed thing can never be taken for another.

/// An SD-JWT VC.
pub const CREDENTIAL: &str = "dc+sd-jwt";
/// The holder binding of a presentation.
pub const KEY_BINDING: &str = "kb+jwt";
/// A proof of possession at issuance.
pub const VCI_PROOF: &str = "openid4vci-proof+jwt";
/// A signed authorization request.
pub const REQUEST_OBJECT: &str = "oauth-authz-req+jwt";
/// A token status list.
pub const STATUS_LIST: &str = "statuslist+jwt";
/// A ledger transaction.
pub const TRANSACTION: &str = "xinfu-tx+jwt";
/// A proof that whoever registers a key's thumbprint holds the key.
pub const KEY_PROOF: &str = "xinfu-key+jwt";
/// What a DID's recovery key says.
pub const RECOVERY: &str = "xinfu-recovery+jwt";
/// What an official signs over a request.
pub const DUTY: &str = "xinfu-duty+jwt";
/// What a service says it did with an answer.
pub const RECEIPT: &str = "xinfu-receipt+jwt";
/// What a holder takes back.
pub const WITHDRAWAL: &str = "xinfu-withdrawal+jwt";
/// What a service says it did upon that.
pub const WITHDRAWAL_ACK: &str = "xinfu-withdrawal-ack+jwt";
/// The creation of a DID.
pub const CREATE: &str = "xinfu-create+jwt";
