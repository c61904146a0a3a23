//! How does a credential stand that somebody holds? Its holder asks, whom nobody refuses anything: so everything is
//! told beside each other, and what nobody can say stays undetermined.
//!
//! ```text
//! HeldSdJwt ── Holding::of ──► Holding ── needs ──► (the wallet fetches) ──► PreparedEvidence
//!                                 └───────── condition(evidence, freshness, now) ◄──────┘
//! ```
//!
//! What is needed names issuers and whole status lists, never a credential: to ask tells nobody which one is held.
//! A verifier's verdict on the same credential may differ: it takes accreditation as of the anchor.

use super::as_of::Reading;
use super::{EvidenceError, Freshness, Needs, PreparedEvidence, StatusDoubt};
use crate::did::DidUrl;
use crate::encoding::limits;
use crate::jose::{ClaimError, Times, UnverifiedJws, jwt};
use crate::registry::Role;
use crate::sd_jwt::{HeldSdJwt, SdJwtError};
use crate::sd_jwt_vc::CredentialError;
use crate::status::{Reference, Status, StatusListToken};
use crate::time::UnixSeconds;

/// What a held credential says about its issuer, its time and where its status stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Holding {
    issuer: String,
    vct: String,
    key: DidUrl,
    status: Option<Reference>,
    times: Times,
}

/// Everything about a held credential, each part by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Whether it is in its time.
    pub period: Period,
    /// What the status list says; a list that cannot be relied on is a doubt, never a revocation.
    pub status: Result<Status, StatusDoubt>,
    /// About the list behind `status`, if one was believed.
    pub list: Option<ListFacts>,
    /// What the ledger says about the issuer.
    pub issuer: Result<IssuerStanding, EvidenceError>,
}

/// Whether a credential is in its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// `nbf` lies ahead.
    NotYet,
    /// Now.
    Current,
    /// `exp` has passed.
    Over,
}

/// What tells how much a status list's word is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListFacts {
    /// When it was signed.
    pub issued_at: UnixSeconds,
    /// How many entries it has.
    pub entries: usize,
}

impl ListFacts {
    /// Whether it has too few entries to hide among: whoever serves it can guess who asks.
    #[must_use]
    pub const fn is_small(self) -> bool {
        self.entries < limits::STATUS_HERD
    }
}

/// What the ledger says about an issuer, as of the newest index the evidence knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerStanding {
    /// Accredited to issue this type.
    Accredited,
    /// Not, or no longer, accredited to issue this type.
    NotAccredited,
    /// The DID whose key signed does not, or no longer, have the issuer's address.
    AddressNotItsOwn,
    /// The ledger knows no such DID, or it was deactivated.
    Gone,
}

impl Holding {
    /// Reads what a holder's own credential says. Its signature was checked when it was received.
    ///
    /// # Errors
    /// [`CredentialError`] if the stored text is no credential under a key that a DID names.
    pub fn of(held: &HeldSdJwt) -> Result<Self, CredentialError> {
        let jwt_text = held.text().split('~').next().unwrap_or_default();
        let jws = UnverifiedJws::parse_limited(jwt_text, limits::SD_JWT).map_err(SdJwtError::Jws)?;
        let kid = jws.header().kid().map_err(SdJwtError::Jws)?;
        let key = DidUrl::parse(kid).map_err(|_| CredentialError::Issuer)?;
        let claims = held.claims();
        let status = claims.get("status").and_then(|status| Reference::from_claim(status).ok());
        let issuer = jwt::string(claims, "iss").map_err(|_| CredentialError::Issuer)?.to_owned();
        let vct = jwt::string(claims, "vct").map_err(|_| CredentialError::VctMissing)?.to_owned();
        let times = Times::read(claims).map_err(CredentialError::Time)?;
        Ok(Self { issuer, vct, key, status, times })
    }

    /// Where its status list is, if it has one.
    #[must_use]
    pub fn list(&self) -> Option<&str> {
        self.status.as_ref().map(|reference| reference.uri.as_str())
    }

    /// The evidence that tells how it stands.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        needs.want_party(self.key.did(), 0);
        if let Some(uri) = self.list() {
            needs.status_lists.insert(uri.to_owned(), self.key.did().clone());
        }
        needs
    }

    /// How it stands, as far as the evidence goes.
    #[must_use]
    pub fn condition(&self, evidence: &PreparedEvidence, freshness: Freshness, now: UnixSeconds) -> Condition {
        let list = self.believed_list(evidence, freshness, now);
        let status = list.and_then(|list| {
            let index = self.status.as_ref().map_or(0, |reference| reference.index);
            list.status(index).map_err(StatusDoubt::List)
        });
        let facts = |list: &StatusListToken| ListFacts { issued_at: list.issued_at(), entries: list.list().entries() };
        Condition {
            period: self.period(now, freshness.leeway),
            status,
            list: list.ok().map(facts),
            issuer: self.issuer_standing(evidence, freshness, now),
        }
    }

    fn period(&self, now: UnixSeconds, leeway: i64) -> Period {
        match self.times.check(now, leeway) {
            Err(ClaimError::Expired) => Period::Over,
            Err(ClaimError::NotYetValid | ClaimError::IssuedInFuture) => Period::NotYet,
            Ok(()) | Err(_) => Period::Current,
        }
    }

    fn believed_list<'a>(
        &self,
        evidence: &'a PreparedEvidence,
        freshness: Freshness,
        now: UnixSeconds,
    ) -> Result<&'a StatusListToken, StatusDoubt> {
        let uri = self.list().ok_or(StatusDoubt::NotListed)?;
        evidence.usable_list(uri, self.key.did(), Reading::fresh(freshness, now))
    }

    fn issuer_standing(
        &self,
        evidence: &PreparedEvidence,
        freshness: Freshness,
        now: UnixSeconds,
    ) -> Result<IssuerStanding, EvidenceError> {
        let reading = Reading::fresh(freshness, now);
        let did = evidence.did(self.key.did(), reading)?;
        let accreditation = evidence.accreditation(self.key.did(), reading)?;
        let index = did.until.min(accreditation.until);
        let Some(history) = did.value().ok().filter(|history| history.is_active_at(index)) else {
            return Ok(IssuerStanding::Gone);
        };
        if !history.has_service_at(index, &self.issuer) {
            return Ok(IssuerStanding::AddressNotItsOwn);
        }
        let holds = accreditation.value().is_ok_and(|held| held.is_accredited(Role::Issuer, &self.vct, &[], index));
        Ok(if holds { IssuerStanding::Accredited } else { IssuerStanding::NotAccredited })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{EndAccreditation, Operation, accreditation_key};
    use crate::sample::world::{INDEX, LIST, NOW, World};
    use crate::status::{self, Bits, StatusList, Validity};
    use crate::trust;
    use crate::verdict::FetchedList;

    const FRESHNESS: Freshness = Freshness { max_age: 3600, leeway: 30 };

    fn holding(world: &World) -> Holding {
        Holding::of(&HeldSdJwt::dangerous_reopen(world.credential.clone()).unwrap()).unwrap()
    }

    fn condition(world: &World) -> Condition {
        holding(world).condition(&world.prepared(), FRESHNESS, NOW)
    }

    fn list_of(world: &World, bits: Bits, entries: usize, status: Status) -> String {
        let mut list = StatusList::from_bytes(bits, vec![0; entries * usize::from(bits.count()) / 8]).unwrap();
        if entries > INDEX {
            list.set(INDEX, status).unwrap();
        }
        let validity = Validity { issued_at: UnixSeconds(NOW.0 - 1000), expires: UnixSeconds(NOW.0 + 3600), ttl: 600 };
        let (name, signer) = (world.issuer.key_name("assert-1"), world.issuer.asserter());
        status::sign(&list, LIST, validity, &name, &signer).unwrap()
    }

    #[test]
    fn what_it_needs_names_no_credential() {
        let world = World::new();
        let needs = holding(&world).needs();
        assert_eq!(needs.status_lists.keys().collect::<Vec<_>>(), [LIST]);
        assert!(needs.states.keys().all(|key| key.ends_with(&world.issuer.did().to_string())));
        assert!(!format!("{needs:?}").contains(&INDEX.to_string()));
    }

    #[test]
    fn each_status_is_told_from_lists_of_every_width() {
        let mut world = World::new();
        for (bits, statuses) in [
            (Bits::One, &[Status::Valid, Status::Invalid][..]),
            (Bits::Two, &[Status::Valid, Status::Invalid, Status::Suspended, Status::Other(3)]),
            (Bits::Four, &[Status::Suspended, Status::Other(15)]),
            (Bits::Eight, &[Status::Valid, Status::Suspended, Status::Other(255)]),
        ] {
            for status in statuses {
                world.list(&list_of(&world, bits, 1 << 17, *status));
                let condition = condition(&world);
                assert_eq!(condition.status, Ok(*status), "{bits:?}");
                assert_eq!(condition.issuer, Ok(IssuerStanding::Accredited));
                assert_eq!(condition.list.map(|list| list.issued_at), Some(UnixSeconds(NOW.0 - 1000)));
                assert!(!condition.list.unwrap().is_small());
            }
        }
    }

    #[test]
    fn what_nobody_can_say_is_a_doubt_and_never_a_revocation() {
        let mut world = World::new();
        world.list(&list_of(&world, Bits::Two, 64, Status::Valid));
        assert!(condition(&world).status.is_err(), "beyond the list");
        world.list(&world.status_list(Status::Invalid, &world.asker));
        assert_eq!(condition(&world).status, Err(StatusDoubt::OtherSigner));
        let stale =
            FetchedList { token: world.status_list(Status::Invalid, &world.issuer), fetched_at: NOW.plus(-700) };
        world.evidence.status_lists.insert(LIST.to_owned(), stale);
        assert_eq!(condition(&world).status, Err(StatusDoubt::Stale));
        world.evidence.status_lists.clear();
        let doubtful = condition(&world);
        assert_eq!((doubtful.status, doubtful.list), (Err(StatusDoubt::NoList), None));
        world.evidence.states.clear();
        assert_eq!(condition(&world).issuer, Err(EvidenceError::Missing));
    }

    #[test]
    fn a_copy_of_a_list_is_used_until_its_very_end() {
        let world = World::new();
        // Fetched thirty seconds ago, to be kept for 600, clocks thirty seconds apart.
        let at = |seconds: i64| holding(&world).condition(&world.prepared(), FRESHNESS, NOW.plus(seconds)).status;
        assert_eq!(at(599), Ok(Status::Valid));
        assert_eq!(at(600), Err(StatusDoubt::Stale));
    }

    #[test]
    fn a_small_list_is_noticed() {
        let mut world = World::new();
        world.list(&list_of(&world, Bits::Two, 128, Status::Valid));
        let condition = condition(&world);
        assert_eq!(condition.status, Ok(Status::Valid));
        assert!(condition.list.unwrap().is_small());
    }

    #[test]
    fn time_and_standing_are_told_beside_the_status() {
        let mut world = World::new();
        let at = |seconds: i64| holding(&world).condition(&world.prepared(), FRESHNESS, UnixSeconds(seconds));
        assert_eq!(at(NOW.0).period, Period::Current);
        assert_eq!(at(NOW.0 + 10_000_000).period, Period::Over);
        assert_eq!(at(NOW.0 - 10_000_000).period, Period::NotYet);

        world.ledger.act(&world.issuer, &Operation::Deactivate);
        world.ledger.seal(NOW.0 - 200);
        world.fetch();
        let condition = condition(&world);
        assert_eq!(condition.issuer, Ok(IssuerStanding::Gone));
        assert_eq!(condition.status, Err(StatusDoubt::SignerUnknown), "its keys sign nothing any more");
    }

    #[test]
    fn an_accreditation_that_ended_is_told() {
        let mut world = World::new();
        let did = world.issuer.did();
        let proof = world.ledger.state_proof(&accreditation_key(&did), NOW.0 - 200);
        let granted = trust::accreditations(&proof.verify(&world.ledger.trust_root()).unwrap(), &did).unwrap();
        let end = EndAccreditation { subject: did, accreditation: granted.grants[0].id };
        world.ledger.act(&world.authority, &Operation::EndAccreditation(end));
        world.ledger.seal(NOW.0 - 200);
        world.fetch();
        assert_eq!(condition(&world).issuer, Ok(IssuerStanding::NotAccredited));
    }

    #[test]
    fn an_address_that_is_not_the_signers_is_told() {
        let world = World::new();
        let mut holding = holding(&world);
        holding.issuer = world.asker.address();
        let condition = holding.condition(&world.prepared(), FRESHNESS, NOW);
        assert_eq!(condition.issuer, Ok(IssuerStanding::AddressNotItsOwn));
    }
}
