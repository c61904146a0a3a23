//! The verdict over a presentation from anywhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use identity_core::sample::world::World;
use identity_core::verdict::{PreparedEvidence, Presentation, judge, needs};
use serde_json::Value;

use crate::{Outcome, text};

static WORLD: LazyLock<(World, PreparedEvidence)> = LazyLock::new(|| {
    let world = World::new();
    let evidence = world.prepared();
    (world, evidence)
});

/// A presentation on the first line and an anchor proof on the second: only what the sample issuer signed, bound by
/// its holder to this occasion, is ever accepted. `$SHOWN` and `$PROOF` stand for the good ones.
pub fn presentation(data: &[u8]) -> Outcome {
    let Some(text) = text(data) else { return Outcome::Refused };
    let (world, evidence) = &*WORLD;
    let good = &world.token["id"][0];
    let good_proof = world.anchors.as_ref().unwrap()["id"][0].to_string();
    let (shown, proof) = text.split_once('\n').unwrap_or((text, ""));
    let (shown, proof) = (shown.replace("$SHOWN", good), proof.replace("$PROOF", &good_proof));
    let token = BTreeMap::from([("id".to_owned(), vec![shown.clone()])]);
    let anchors =
        serde_json::from_str::<Value>(&proof).ok().map(|proof| BTreeMap::from([("id".to_owned(), vec![proof])]));
    let asked = world.presentation().asked;
    let presentation = Presentation { asked, token: &token, anchors: anchors.as_ref() };
    let wanted = needs(&presentation, &world.policy);
    let judged = judge(&presentation, evidence, &world.policy, world.now);
    if judged.is_ok() {
        assert!(wanted.is_ok(), "what is accepted was first found worth looking at");
        assert_eq!(shown.split('~').next(), good.split('~').next(), "another credential");
        assert_eq!(shown.matches('~').count(), good.matches('~').count(), "another choice of claims");
    }
    Outcome::of(&judged)
}
