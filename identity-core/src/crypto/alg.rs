//! The closed list of signature algorithms.

/// A signature algorithm, by its JOSE name (RFC 8037, RFC 7518).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alg {
    /// Ed25519 under its JOSE name `EdDSA`.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Alg {
    /// All of them, in order of preference.
    pub const ALL: &'static [Self] = &[Self::EdDsa, Self::Es256];

    /// The name in a JOSE header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm with this exact JOSE name; case matters. `Ed25519` is the fully specified name (RFC 9864) of
    /// what `EdDSA` means here: read, never written.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.iter().copied().find(|alg| alg.name() == name)
    }
}
