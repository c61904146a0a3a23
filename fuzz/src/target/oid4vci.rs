//! Both sides of OpenID4VCI.

use std::collections::BTreeMap;

use identity_core::crypto::{Alg, SecretKey, Signer};
use identity_core::oauth::url::Transport;
use identity_core::oid4vci::issuer::{Grant, Issuer, NewOffer, Policy, Redemption};
use identity_core::oid4vci::message::{CredentialRequest, TokenRequest};
use identity_core::oid4vci::metadata::CredentialConfiguration;
use identity_core::oid4vci::offer::{CredentialOffer, OfferLink};
use identity_core::oid4vci::proof;
use identity_core::oid4vci::secrets::IssuerSecret;
use identity_core::oid4vci::wallet::{HttpReply, Invited};
use identity_core::time::UnixSeconds;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;

use crate::{Outcome, text};

const ISSUER: &str = "https://issuer.example";
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// The text of a link or QR code, or the offer itself.
pub fn offer(data: &[u8]) -> Outcome {
    if let Some(text) = text(data)
        && let Ok(link) = OfferLink::parse(text, Transport::HttpsOnly)
    {
        assert_eq!(OfferLink::parse(&link.to_link(), Transport::HttpsOnly).as_ref(), Ok(&link));
        return Outcome::Accepted;
    }
    Outcome::of(&CredentialOffer::parse(data, Transport::HttpsOnly))
}

/// An issuer with one offer, under a wallet of bad will: a token request on the first line, a credential request after
/// it. `$CODE`, `$TX`, `$PROOF` stand for what a good wallet would send there.
pub fn requests(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let (token_request, credential_request) = text.split_once('\n').unwrap_or((text, ""));
    let issuer = issuer();
    let mut rng = StdRng::seed_from_u64(1);
    let wanted = NewOffer {
        subject: "s".to_owned(),
        reference: None,
        order: None,
        configuration: "a".to_owned(),
        lifetime: 600,
    };
    let made = issuer.make_offer(wanted, NOW, &mut rng).unwrap();
    let tx_code = made.tx_code.clone().expect("the policy asks for one");
    let code = made.offer.grants.pre_authorized.clone().expect("pre-authorized").code;
    let token_request = token_request.replace("$CODE", &code).replace("$TX", &tx_code);
    let Some((grant, token)) = redeem(&issuer, &made.grant, token_request.as_bytes(), &mut rng) else {
        return Outcome::Refused;
    };
    assert!(token_request.contains(&tx_code), "the code was not known");

    let nonce = issuer.make_nonce(NOW, &mut rng).c_nonce;
    let holder = SecretKey::from_bytes(Alg::Es256, &[7; 32]).unwrap();
    let proof = proof::make(ISSUER, Some(&nonce), NOW, &holder).unwrap();
    let credential_request = credential_request.replace("$PROOF", &proof);
    let Ok(request) = CredentialRequest::parse(credential_request.as_bytes()) else { return Outcome::Refused };
    assert!(issuer.accept(&grant, "another token", &request, NOW).is_err());
    let accepted = issuer.accept(&grant, &token, &request, NOW);
    if let Ok(accepted) = &accepted {
        assert!(
            accepted.holders.iter().all(|named| named.key() == holder.public_key()),
            "no other key has proven itself"
        );
        assert!(issuer.accept(&accepted.next, &token, &request, NOW).is_err(), "a second time");
    }
    Outcome::of(&accepted)
}

fn redeem(issuer: &Issuer, grant: &Grant, body: &[u8], rng: &mut StdRng) -> Option<(Grant, String)> {
    let request = TokenRequest::parse(body).ok()?;
    assert!(TokenRequest::parse(request.to_form().as_bytes()).is_ok_and(|again| again == request));
    issuer.grant_of_code(&request).ok()?;
    match issuer.redeem(grant, &request, NOW, rng) {
        Redemption::Granted { next, response } => Some((next, response.access_token)),
        Redemption::Refused { .. } => None,
    }
}

fn issuer() -> Issuer {
    let configuration: CredentialConfiguration = serde_json::from_value(json!({
        "format": "dc+sd-jwt",
        "vct": "urn:sample:credential:1",
        "cryptographic_binding_methods_supported": ["jwk"],
        "credential_signing_alg_values_supported": ["ES256", "EdDSA"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA"]}},
    }))
    .unwrap();
    Issuer {
        identifier: ISSUER.to_owned(),
        configurations: BTreeMap::from([("a".to_owned(), configuration)]),
        policy: Policy::default(),
        secret: IssuerSecret::from_bytes(&[3; 32]),
    }
}

/// A wallet under an issuer of bad will: its answers line by line (issuer metadata, server metadata, token, nonce,
/// credential), each `status body`.
pub fn replies(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let mut lines = text.lines().map(|line| {
        let (status, body) = line.split_once(' ').unwrap_or(("200", line));
        HttpReply { status: status.parse().unwrap_or(200), body: body.as_bytes() }
    });
    let mut next = || lines.next().unwrap_or(HttpReply { status: 500, body: b"" });
    walk(&mut next).unwrap_or(Outcome::Refused)
}

fn walk<'a>(next: &mut dyn FnMut() -> HttpReply<'a>) -> Option<Outcome> {
    let offer = json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["a"],
        "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "c"}},
    });
    let offer = CredentialOffer::parse(offer.to_string().as_bytes(), Transport::HttpsOnly).unwrap();
    let informed = Invited::new(offer, Transport::HttpsOnly).ok()?.informed(next()).ok()?;
    assert_eq!(informed.metadata().credential_issuer, ISSUER, "mix-up");
    assert_eq!(informed.request().url.scheme(), "https");
    let ready = informed.ready(next()).ok()?;
    let authorized = ready.authorized(next()).ok()?;
    let reply = authorized.request().is_some().then(&mut *next);
    let proving = authorized.proving(reply).ok()?;
    let holder = SecretKey::from_bytes(Alg::Es256, &[7; 32]).unwrap();
    let request = proving.request(&[&holder], NOW).ok()?;
    assert_eq!(request.url.scheme(), "https", "the token must not leave in the clear");
    let received = proving.received(&[holder.public_key().clone()], next());
    Some(Outcome::of(&received))
}
