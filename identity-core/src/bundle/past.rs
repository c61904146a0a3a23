//! How those whom a bundle names stood at a past moment, and what changed since: the same histories as of the act, read at
//! another log index by the same functions.

use ledger::{PastMoment, TrustRoot, sha256};
use serde_json::Value;

use super::chain::{self, Named};
use super::states::States;
use super::{Bundle, BundleError, Checked, Full, Holder};
use crate::anchor::AnchorProof;
use crate::dcql::Query;
use crate::did::DidUrl;
use crate::encoding::json::{self, Limits};
use crate::encoding::limits;
use crate::registry::{
    AccreditationHistory, AnchorKind, DidHistory, DutyHistory, DutyHolder, Ending, KeyUse, Label, Role,
};
use crate::sd_jwt::UnverifiedSdJwt;
use crate::time::UnixMillis;

/// What a bundle tells of one past moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Stood {
    moment: PastMoment,
    known_until: u64,
    known_at: Option<UnixMillis>,
    standings: Vec<Standing>,
}

/// How one of those whom a bundle names stood then, and what changed since.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Who or what.
    pub who: Who,
    /// How it stood then.
    pub then: Then,
    /// What changed after that moment, oldest first, as far as the bundle knows.
    pub since: Vec<Change>,
}

/// Who or what stood.
#[derive(Debug, Clone, PartialEq)]
pub enum Who {
    /// The service, for the question of the bundle.
    Service(Named),
    /// The duty under which the question was signed.
    Duty {
        /// Its number.
        number: String,
        /// What it is called.
        title: Label,
        /// Whose hand its key is in.
        holder: DutyHolder,
    },
    /// The issuer of a credential that was shown, for its type.
    Issuer {
        /// Who.
        issuer: Named,
        /// The type.
        vct: String,
    },
    /// That credential.
    Credential {
        /// Its type.
        vct: String,
    },
}

/// How somebody stood then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// As it must.
    Held,
    /// Not so.
    Lacked(Lack),
    /// The bundle does not tell.
    Untold,
}

/// What was lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The DID had not been created.
    NotYetThere,
    /// The DID had ended.
    DidEnded,
    /// No accreditation that covered it held.
    Accreditation,
    /// The duty was not delegated to the key that signed.
    Delegation,
    /// The credential had not come onto the ledger: nothing shows that it existed, whatever date it claims.
    Anchor,
}

/// A change after the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Its log index.
    pub index: u64,
    /// What changed.
    pub what: What,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The DID ended.
    DidEnded,
    /// An accreditation began.
    AccreditationBegan,
    /// An accreditation ended.
    AccreditationEnded(Ending),
    /// The duty was delegated anew.
    DelegationBegan,
    /// A delegation of the duty ended.
    DelegationEnded(Ending),
    /// The key that signed the credential ended.
    KeyEnded,
    /// That key was reported stolen. What was anchored before stays good.
    KeyStolen,
}

impl Stood {
    /// The moment.
    #[must_use]
    pub const fn moment(&self) -> &PastMoment {
        &self.moment
    }

    /// The last log index that all of the bundle knows: later changes it cannot tell.
    #[must_use]
    pub const fn known_until(&self) -> u64 {
        self.known_until
    }

    /// When the log had come to that index.
    #[must_use]
    pub const fn known_at(&self) -> Option<UnixMillis> {
        self.known_at
    }

    /// Everybody whom the bundle names: the service, the duty, and, where the holder's answer is in it, issuers and
    /// credentials.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Whether all of them stood as they must.
    #[must_use]
    pub fn all_held(&self) -> bool {
        self.standings.iter().all(|standing| standing.then == Then::Held)
    }
}

/// Reads a bundle that holds as of `moment`.
pub(super) fn stood(
    bundle: &Bundle,
    trust_root: &TrustRoot,
    states: &States,
    checked: &Checked,
    moment: &PastMoment,
) -> Result<Stood, BundleError> {
    let (index, known_until) = (moment.index(), states.newest());
    if known_until < index {
        return Err(BundleError::BehindMoment);
    }
    let view = View { states, trust_root, index, known_until };
    let mut standings = vec![view.service(checked)?, view.duty(checked)?];
    // What nobody signed names no issuer.
    if let Some(full) = bundle.full.as_ref().filter(|_| checked.holder() == Holder::Signed) {
        view.shown(full, &mut standings)?;
    }
    Ok(Stood { moment: moment.clone(), known_until, known_at: states.sealed_by(known_until), standings })
}

/// The histories of a bundle, and where in them to look.
struct View<'a> {
    states: &'a States,
    trust_root: &'a TrustRoot,
    index: u64,
    known_until: u64,
}

impl View<'_> {
    fn service(&self, checked: &Checked) -> Result<Standing, BundleError> {
        let (service, said) = (checked.service(), checked.attestation());
        let history = self.states.did(&service.did)?;
        let query = Query::from_json(&said.dcql_query).map_err(|_| BundleError::Request)?;
        let then = match self.lacks_did(&history) {
            Some(lack) => Then::Lacked(lack),
            None => match chain::above(self.states, &service.did, &query, &said.purpose, self.index) {
                Ok(_) => Then::Held,
                // Somebody else accredited it then, of whom nothing is here.
                Err(BundleError::Incomplete) => Then::Untold,
                Err(_) => Then::Lacked(Lack::Accreditation),
            },
        };
        let asked = |vct: &String| query.credentials.iter().any(|asked| asked.vct_values.contains(vct));
        let mut since = did_changes(&history);
        let accredited = self.states.accreditations(&service.did)?;
        since.extend(grant_changes(&accredited, Role::Verifier, asked));
        Ok(self.standing(Who::Service(service.clone()), then, since))
    }

    fn duty(&self, checked: &Checked) -> Result<Standing, BundleError> {
        let (number, delegation) = (&checked.attestation().duty, checked.delegation());
        let history = self.states.duty(&checked.service().did, number)?.ok_or(BundleError::State)?;
        let given = history.at(self.index).is_some_and(|then| then.key == delegation.key);
        let then = if given { Then::Held } else { Then::Lacked(Lack::Delegation) };
        let who = Who::Duty { number: number.clone(), title: delegation.title.clone(), holder: delegation.holder };
        Ok(self.standing(who, then, delegation_changes(&history)))
    }

    /// Issuers and credentials of an answer that was verified.
    fn shown(&self, full: &Full, standings: &mut Vec<Standing>) -> Result<(), BundleError> {
        for (query, texts) in &full.vp_token {
            let proofs = full.anchors.get(query).map(Vec::as_slice).unwrap_or_default();
            for (place, text) in texts.iter().enumerate() {
                let (issuer, credential) = self.credential(text, proofs.get(place))?;
                // One issuer may stand behind several.
                if !standings.contains(&issuer) {
                    standings.push(issuer);
                }
                standings.push(credential);
            }
        }
        Ok(())
    }

    fn credential(&self, text: &str, proof: Option<&AnchorProof>) -> Result<(Standing, Standing), BundleError> {
        let bad = BundleError::Holder;
        let sd_jwt = UnverifiedSdJwt::parse(text).map_err(|_| bad)?;
        let key = sd_jwt.jws().header().kid().ok().and_then(|kid| DidUrl::parse(kid).ok()).ok_or(bad)?;
        let vct = type_of(&sd_jwt).ok_or(bad)?;
        let history = self.states.issuer(key.did())?.ok_or(bad)?;
        let accredited = self.states.accreditations(key.did())?;
        let then = match self.lacks_did(&history) {
            Some(lack) => Then::Lacked(lack),
            None if accredited.is_accredited(Role::Issuer, &vct, &[], self.index) => Then::Held,
            None => Then::Lacked(Lack::Accreditation),
        };
        let mut since = did_changes(&history);
        since.extend(grant_changes(&accredited, Role::Issuer, |given| *given == vct));
        let issuer = Who::Issuer { issuer: chain::named(self.states, key.did())?, vct: vct.clone() };
        let issuer = self.standing(issuer, then, since);
        let there = match self.anchored(text, proof)? {
            None => Then::Untold,
            Some(anchored) if anchored <= self.index => Then::Held,
            Some(_) => Then::Lacked(Lack::Anchor),
        };
        let credential = self.standing(Who::Credential { vct }, there, key_changes(&history, key.fragment()));
        Ok((issuer, credential))
    }

    /// Where the credential stands on the ledger. That its issuer had the key there was checked with the holder's signature.
    fn anchored(&self, text: &str, proof: Option<&AnchorProof>) -> Result<Option<u64>, BundleError> {
        let Some(proof) = proof else { return Ok(None) };
        let digest = sha256(text.split('~').next().unwrap_or_default().as_bytes());
        let at = self.states.anchored(proof, &digest, AnchorKind::Credential, self.trust_root)?;
        at.map(|at| Some(at.index())).map_err(|_| BundleError::Holder)
    }

    fn lacks_did(&self, history: &DidHistory) -> Option<Lack> {
        match history.is_active_at(self.index) {
            true => None,
            false if self.index < history.created => Some(Lack::NotYetThere),
            false => Some(Lack::DidEnded),
        }
    }

    fn standing(&self, who: Who, then: Then, mut since: Vec<Change>) -> Standing {
        since.retain(|change| change.index > self.index && change.index <= self.known_until);
        since.sort_unstable();
        Standing { who, then, since }
    }
}

/// The type of a credential that was verified before.
fn type_of(sd_jwt: &UnverifiedSdJwt<'_>) -> Option<String> {
    let claims = json::parse_object(sd_jwt.jws().dangerous_payload(), Limits::of(limits::SD_JWT)).ok()?;
    claims.get("vct").and_then(Value::as_str).map(str::to_owned)
}

fn change(index: Option<u64>, what: What) -> Option<Change> {
    index.map(|index| Change { index, what })
}

fn did_changes(history: &DidHistory) -> Vec<Change> {
    change(history.deactivated, What::DidEnded).into_iter().collect()
}

fn grant_changes(history: &AccreditationHistory, role: Role, concerns: impl Fn(&String) -> bool) -> Vec<Change> {
    let grants = history.grants.iter().filter(|grant| grant.role == role && grant.types.iter().any(&concerns));
    // One that never began changed nothing when it ended.
    let begun = grants.filter(|grant| grant.started.is_some());
    let changes = begun.flat_map(|grant| {
        let ended = grant.ending.and_then(|ending| change(grant.ended, What::AccreditationEnded(ending)));
        [change(grant.started, What::AccreditationBegan), ended]
    });
    changes.flatten().collect()
}

fn delegation_changes(history: &DutyHistory) -> Vec<Change> {
    let begun = history.delegations.iter().filter(|given| given.started.is_some());
    let changes = begun.flat_map(|given| {
        let ended = given.ending.and_then(|ending| change(given.ended, What::DelegationEnded(ending)));
        [change(given.started, What::DelegationBegan), ended]
    });
    changes.flatten().collect()
}

fn key_changes(history: &DidHistory, id: &str) -> Vec<Change> {
    let named = history.keys.iter().find(|key| key.id == id && key.key_use == KeyUse::AssertionMethod);
    let changes = named.map(|key| {
        // A report of a key that still held ends it, too: that is one change, not two.
        let ended = key.until.filter(|until| key.compromised != Some(*until));
        [change(ended, What::KeyEnded), change(key.compromised, What::KeyStolen)]
    });
    changes.into_iter().flatten().flatten().collect()
}

#[cfg(test)]
mod tests;
