//! Every limit on hostile input, each with where its number comes from. Sizes are bytes unless said otherwise.

/// One compact JWS, except where a format states its own limit. A credential of 12 claims is about 2 kB, a
/// request object with three queries about 4 kB; sixteen times that leaves room.
pub const JWS: usize = 64 * 1024;

/// Signatures of one JWS in the general JSON serialisation. One counts; a countersignature or two may come along.
pub const JWS_SIGNATURES: usize = 8;

/// The protected header of a JWS, encoded. Ours are below 300; an `x5c` chain of three certificates is about 5 kB.
pub const JWS_HEADER: usize = 16 * 1024;

/// The protected header of a JWE, encoded. Ours are below 400; room for the nonces of other formats in `apu`, `apv`.
pub const JWE_HEADER: usize = 4 * 1024;

/// A `kid`. A DID URL of ours is about 110 bytes; a `did:jwk` key reference stays below 500.
pub const KEY_ID: usize = 2 * 1024;

/// Nesting of JSON arrays and objects, the outermost counted as one. The deepest message of the protocols
/// followed here (issuer metadata) nests 9 deep.
pub const JSON_DEPTH: usize = 32;

/// Digits and signs of one JSON number. The longest 64-bit float in full needs fewer than 30.
pub const JSON_NUMBER: usize = 64;

/// Members of one JSON object. A status-free message never passes 100; bounds the search for duplicate names.
pub const JSON_MEMBERS: usize = 4 * 1024;

/// A JSON message of our own API or of the protocols, when the caller knows no tighter bound.
pub const JSON_MESSAGE: usize = 256 * 1024;

/// A multibase string. Base58 decoding is quadratic; the longest we accept is a P-256 key (50 characters).
pub const MULTIBASE: usize = 128;

/// A DID or DID URL. `did:jwk` of a P-256 key with all usual members is about 350 bytes.
pub const DID: usize = 2 * 1024;

/// A DID document. Ours with 10 keys and 5 services is about 5 kB.
pub const DID_DOCUMENT: usize = 64 * 1024;

/// An SD-JWT with all its disclosures and key binding. A resident identity with all claims is about 4 kB; sixty
/// times that leaves room for a small picture.
pub const SD_JWT: usize = 256 * 1024;

/// Disclosures in one SD-JWT. Ours have below 30; each costs a digest before any is known to be genuine.
pub const DISCLOSURES: usize = 1024;

/// Nesting of claims, and segments of a claims path, disclosures inside disclosures included. Ours nest 3 deep.
pub const CLAIM_DEPTH: usize = 16;

/// A type metadata document. Ours are below 8 kB; a drawing inside may make it larger.
pub const TYPE_METADATA: usize = 256 * 1024;

/// Types that one type extends, one through the other. Ours extend none; a general licence below a special one is two.
pub const TYPE_EXTENDS: usize = 8;

/// Entries of a status list, at least: the herd in which one holder hides (W3C Bitstring Status List §5.2).
pub const STATUS_HERD: usize = 131_072;

/// A status list, uncompressed. Holds 33 million entries of one bit; a larger authority uses several lists.
pub const STATUS_LIST: usize = 4 * 1024 * 1024;

/// A status list token: an incompressible list in base64url twice over.
pub const STATUS_TOKEN: usize = 2 * STATUS_LIST;

/// Credential queries in one DCQL query. A housing loan asks for about five.
pub const DCQL_CREDENTIALS: usize = 16;

/// Claims in one credential query. The widest type has 14.
pub const DCQL_CLAIMS: usize = 128;

/// Alternatives in one credential query.
pub const DCQL_CLAIM_SETS: usize = 32;

/// Values that will do, or types that will do.
pub const DCQL_VALUES: usize = 64;

/// Credential sets in one DCQL query. A use case has two or three.
pub const DCQL_CREDENTIAL_SETS: usize = 16;

/// Options in one credential set.
pub const DCQL_OPTIONS: usize = 32;

/// Conditions on who issued.
pub const DCQL_AUTHORITIES: usize = 16;

/// Presentations for one credential query that asks for several. Each costs three signatures to check.
pub const DCQL_MULTIPLE: usize = 16;

/// Characters of an identifier in DCQL.
pub const DCQL_ID: usize = 128;
