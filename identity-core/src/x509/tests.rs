use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use serde_json::{Value, json};

use super::*;

/// Between the dates of every certificate here.
const NOW: UnixSeconds = UnixSeconds(1_790_000_000);

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn client() -> CertificateParams {
    let mut params = params("Sample client");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

/// An anchor, an authority under it, and what the authority certifies.
struct World {
    anchor: CertifiedIssuer<'static, KeyPair>,
    middle: CertifiedIssuer<'static, KeyPair>,
}

impl World {
    fn new() -> Self {
        let anchor = CertifiedIssuer::self_signed(authority("Sample anchor"), KeyPair::generate().unwrap()).unwrap();
        let middle = authority("Sample authority");
        let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().unwrap(), &anchor).unwrap();
        Self { anchor, middle }
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_pem(&self.anchor.pem()).unwrap()
    }

    /// PEM of a leaf with these parameters.
    fn leaf(&self, params: &CertificateParams) -> String {
        params.signed_by(&KeyPair::generate().unwrap(), &self.middle).unwrap().pem()
    }

    fn chain(&self, params: &CertificateParams) -> Chain {
        Chain::from_pem(&format!("{}{}", self.leaf(params), self.middle.pem())).unwrap()
    }

    fn verify(&self, params: &CertificateParams) -> Result<Leaf, X509Error> {
        self.chain(params).verify(&self.anchors(), NOW)
    }
}

#[test]
fn a_chain_to_an_anchor_gives_the_leafs_key() {
    let world = World::new();
    let key = KeyPair::generate().unwrap();
    let leaf = client().signed_by(&key, &world.middle).unwrap();
    let chain = Chain::from_pem(&format!("{}{}", leaf.pem(), world.middle.pem())).unwrap();
    let again = Chain::from_x5c(&json!(chain.to_x5c())).unwrap();
    assert_eq!(again, chain);
    let verified = chain.verify(&world.anchors(), NOW).unwrap();
    assert_eq!(*verified.digest(), ledger::sha256(leaf.der()));
    assert_eq!(verified.key().bytes(), rcgen::PublicKeyData::der_bytes(&key));
    assert_eq!(verified.thumbprint(), Jwk::new(verified.key().clone()).thumbprint());
    assert_eq!(
        verified.key().to_spki(),
        EndEntityCert::try_from(leaf.der()).unwrap().subject_public_key_info().as_ref()
    );
}

#[test]
fn ed25519_leaves_are_read_and_other_keys_refused() {
    let world = World::new();
    for (alg, wanted) in [(&rcgen::PKCS_ED25519, Ok(())), (&rcgen::PKCS_ECDSA_P384_SHA384, Err(X509Error::Key))] {
        let key = KeyPair::generate_for(alg).unwrap();
        let leaf = client().signed_by(&key, &world.middle).unwrap();
        let chain = Chain::from_pem(&format!("{}{}", leaf.pem(), world.middle.pem())).unwrap();
        assert_eq!(chain.verify(&world.anchors(), NOW).map(drop), wanted);
    }
}

#[test]
fn each_chain_that_proves_nothing_is_refused_by_its_name() {
    use X509Error as E;
    let world = World::new();
    let good = client();
    assert!(world.verify(&good).is_ok());
    let chain = world.chain(&good);
    assert_eq!(chain.verify(&TrustAnchors::none(), NOW), Err(E::NoAnchors));
    assert_eq!(chain.verify(&World::new().anchors(), NOW), Err(E::Untrusted));
    let leaf_only = Chain::from_pem(&world.leaf(&good)).unwrap();
    assert_eq!(leaf_only.verify(&world.anchors(), NOW), Err(E::Untrusted), "the authority between is missing");
    let other_middle = Chain::from_pem(&format!("{}{}", world.leaf(&good), World::new().middle.pem())).unwrap();
    assert_eq!(other_middle.verify(&world.anchors(), NOW), Err(E::Untrusted));

    // The anchor may not come along, and nothing that signs itself may.
    let with = |last: &str| {
        let pem = format!("{}{}{last}", world.leaf(&good), world.middle.pem());
        Chain::from_pem(&pem).unwrap().verify(&world.anchors(), NOW)
    };
    assert_eq!(with(&world.anchor.pem()), Err(E::AnchorIncluded));
    assert_eq!(with(&World::new().anchor.pem()), Err(E::AnchorIncluded));
    let middle = TrustAnchors::from_pem(&world.middle.pem()).unwrap();
    assert_eq!(chain.verify(&middle, NOW), Err(E::AnchorIncluded), "an anchor need not be self-signed");
    assert!(leaf_only.verify(&middle, NOW).is_ok());

    let alone = client().self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let alone = Chain::from_pem(&alone).unwrap();
    assert_eq!(alone.verify(&world.anchors(), NOW), Err(E::SelfSigned));
}

#[test]
fn a_leaf_is_for_signing_now_and_for_clients() {
    use ExtendedKeyUsagePurpose as Purpose;
    use X509Error as E;
    let world = World::new();
    let verify = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = client();
        change(&mut params);
        world.verify(&params).map(drop)
    };
    assert_eq!(verify(&|p| p.key_usages.clear()), Err(E::Usage));
    assert_eq!(verify(&|p| p.key_usages = vec![KeyUsagePurpose::KeyAgreement]), Err(E::Usage));
    assert_eq!(verify(&|p| p.key_usages.push(KeyUsagePurpose::KeyAgreement)), Ok(()));
    assert_eq!(verify(&|p| p.extended_key_usages = vec![Purpose::ServerAuth]), Err(E::Usage));
    assert_eq!(verify(&|p| p.extended_key_usages = vec![Purpose::ServerAuth, Purpose::ClientAuth]), Ok(()));
    assert_eq!(verify(&|p| p.not_after = date_time_ymd(2026, 2, 1)), Err(E::Time));
    assert_eq!(verify(&|p| p.not_before = date_time_ymd(2026, 12, 1)), Err(E::Time));
    assert_eq!(verify(&|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), Err(E::Untrusted));
}

#[test]
fn what_is_no_chain_is_refused_before_anything_is_computed() {
    let world = World::new();
    let good = world.chain(&client()).to_x5c();
    let many = vec![good[1].clone(); MAX_CHAIN];
    let cases: Vec<Value> = vec![
        json!(null),
        json!([]),
        json!(good[0]),
        json!([7]),
        json!(["not base64!"]),
        json!([good[0].replace('/', "_").replace('+', "-").trim_end_matches('=').to_owned() + "_-"]),
        json!([vec![good[0].clone()], many].concat()),
        json!(["A".repeat(2 * MAX_CERTIFICATE_BYTES)]),
    ];
    for x5c in cases {
        assert_eq!(Chain::from_x5c(&x5c), Err(X509Error::Malformed), "{x5c:.80}");
    }
    let garbage = Chain::from_x5c(&json!(["AAAA"])).unwrap();
    assert_eq!(garbage.verify(&world.anchors(), NOW), Err(X509Error::Malformed));
    let half = Chain::from_x5c(&json!([good[0], "AAAA"])).unwrap();
    assert_eq!(half.verify(&world.anchors(), NOW), Err(X509Error::Malformed));
    for pem in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(TrustAnchors::from_pem(pem).map(drop), Err(X509Error::Anchors));
    }
}

/// A flipped bit in a certificate is found by the signature over it, or leaves no certificate.
#[test]
fn a_changed_leaf_is_no_longer_the_authoritys() {
    let world = World::new();
    let chain = world.chain(&client());
    for at in 0..chain.0[0].len() {
        let mut leaf = chain.0[0].to_vec();
        leaf[at] ^= 1;
        let changed = Chain(vec![CertificateDer::from(leaf), chain.0[1].clone()]);
        assert!(changed.verify(&world.anchors(), NOW).is_err(), "byte {at}");
    }
}
