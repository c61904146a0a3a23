//! `sd-jwt-payload` as a second opinion: on random claims, each reads what the other wrote and sees the same.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use sd_jwt_payload as peer;

use super::*;

/// Random claims without reserved names. Without empty objects too: the peer loses one that stands in an array,
/// where RFC 9901 §7.1 step 3.e keeps `{}`.
fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 1..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-z]{1,4}", tree, 1..5).prop_map(|map| map.into_iter().collect())
}

/// Every path of the claims, outermost first.
fn paths(claims: &Map<String, Value>) -> Vec<ClaimPath> {
    fn visit(value: &Value, at: &ClaimPath, found: &mut Vec<ClaimPath>) {
        found.push(at.clone());
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| visit(value, &at.clone().member(name), found)),
            Value::Array(array) => {
                array.iter().enumerate().for_each(|(index, value)| visit(value, &at.clone().element(index), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    claims.iter().for_each(|(name, value)| visit(value, &ClaimPath::top(name), &mut found));
    found
}

fn json_pointer(path: &ClaimPath) -> String {
    path.segments()
        .iter()
        .map(|segment| match segment {
            Segment::Name(name) => format!("/{name}"),
            Segment::Index(index) => format!("/{index}"),
            Segment::Every => unreachable!("concrete paths only"),
        })
        .collect()
}

struct PeerSigner;

/// Written out, since the trait is an `async_trait`.
impl peer::JwsSigner for PeerSigner {
    type Error = SdJwtError;

    fn sign<'a, 'b, 'c, 'f>(
        &'a self,
        header: &'b peer::JsonObject,
        payload: &'c peer::JsonObject,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SdJwtError>> + Send + 'f>>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
    {
        let typ = header["typ"].as_str().unwrap();
        let payload = Value::Object(payload.clone()).to_string();
        let signed = sign_compact(SignHeader::new(typ), payload.as_bytes(), &key()).unwrap();
        Box::pin(std::future::ready(Ok(signed.into_bytes())))
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_peer_reads_what_we_issue(claims in any_claims(), chosen in any::<u64>(), seed in any::<u64>()) {
        let concealment = paths(&claims)
            .iter()
            .enumerate()
            .filter(|(bit, _)| chosen >> (bit % 64) & 1 == 1)
            .fold(Concealment::default(), |all, (_, path)| all.conceal(path))
            .decoys(2);
        let mut rng = StdRng::seed_from_u64(seed);
        let text = issue(SignHeader::new("sd-jwt"), &claims, &concealment, &key(), &mut rng).unwrap();
        let seen = peer::SdJwt::parse(&text).unwrap().into_disclosed_object(&peer::Sha256Hasher::new()).unwrap();
        prop_assert_eq!(&seen, &claims);
        let verified = verify(&text).unwrap();
        prop_assert_eq!(verified.claims(), &claims);
    }

    #[test]
    fn we_read_what_the_peer_issues(claims in any_claims(), chosen in any::<u64>()) {
        // Innermost first: the peer conceals in place, and cannot reach into what is concealed already.
        let concealed: Vec<ClaimPath> = paths(&claims)
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| chosen >> (bit % 64) & 1 == 1)
            .map(|(_, path)| path)
            .collect();
        let mut builder = peer::SdJwtBuilder::new(Value::Object(claims.clone())).unwrap();
        for path in concealed.iter().rev() {
            builder = builder.make_concealable(&json_pointer(path)).unwrap();
        }
        let text = now(builder.finish(&PeerSigner, "EdDSA")).unwrap().presentation();
        let verified = verify(&text).unwrap();
        prop_assert_eq!(verified.claims(), &claims);
        prop_assert_eq!(verified.disclosed().count(), concealed.len());
    }

    #[test]
    fn any_choice_of_paths_presents_exactly_the_disclosures_it_names(
        claims in any_claims(), chosen in any::<u64>(), shown in any::<u64>(),
    ) {
        let all = paths(&claims);
        let concealment = all
            .iter()
            .enumerate()
            .filter(|(bit, _)| chosen >> (bit % 64) & 1 == 1)
            .fold(Concealment::default(), |all, (_, path)| all.conceal(path));
        let text = issue(SignHeader::new("sd-jwt"), &claims, &concealment, &key(), &mut rng()).unwrap();
        let held = HeldSdJwt::receive(&verify(&text).unwrap());
        let wanted: Vec<ClaimPath> = all
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| shown >> (bit % 64) & 1 == 1)
            .map(|(_, path)| path)
            .collect();
        let presentation = held.present(&wanted).unwrap();
        let verified = verify(presentation.text()).unwrap();
        let mut disclosed: Vec<&ClaimPath> = verified.disclosed().collect();
        let mut announced = held.disclosed_by(&wanted).unwrap();
        disclosed.sort();
        announced.sort();
        prop_assert_eq!(disclosed, announced);
        for path in &wanted {
            prop_assert_eq!(verified.select(path).unwrap(), path.select(&claims).unwrap());
        }
    }
}
