use identity_core::registry::{Change, Operation, Propose, ServiceType};
use identity_core::sample::ledger::{START, SampleLedger, validator};
use identity_core::sample::parties::Party;

use super::*;
use crate::fetch::scripted::ScriptedFetch;

pub(crate) const ONE: &str = "https://one.example";
const OTHER: &str = "https://other.example";
pub(crate) const NOW: UnixSeconds = UnixSeconds(START + 100);

/// A chain of two members, whose validator has changed twice, and nodes that serve it.
pub(crate) struct World {
    pub(crate) ledger: SampleLedger,
    members: [Party; 2],
    pub(crate) fetch: Arc<ScriptedFetch>,
    directory: tempfile::TempDir,
    pub(crate) genesis: Hash,
    /// A note of the first set.
    pub(crate) first: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let members = [1, 3].map(|seed| Party::new(seed, ServiceType::Ledger));
        let first = validator(1, Some(members[0].did()));
        let [a, b] = &members;
        let mut ledger = SampleLedger::founded_with(&[a, b], a, vec![first], 2);
        let (directory, genesis) = (tempfile::tempdir().unwrap(), ledger.trust_root().digest());
        std::fs::write(directory.path().join("trust-root"), ledger.trust_root_text()).unwrap();
        ledger.seal(START + 1);
        let first = LogProof::parse(&ledger.walk(START + 2).newest.unwrap().proof).unwrap().note;
        let mut world = Self { ledger, members, fetch: Arc::default(), directory, genesis, first };
        world.rotate(2);
        world.rotate(3);
        world
    }

    /// Names another validator by vote, and ends the epoch.
    fn rotate(&mut self, number: u8) {
        let [a, b] = &self.members;
        let change = Change::Validator { did: a.did(), validator: Some(validator(number, None)) };
        let until = START + 1_000;
        let proposal = self.ledger.act(a, &Operation::Propose(Propose { change, until }));
        self.ledger.act(b, &Operation::Approve(identity_core::registry::OnProposal { proposal }));
        let time = START + 10 * i64::from(number);
        self.ledger.seal(time);
        self.ledger.seal(time + 1);
        self.ledger.seal(time + 2);
        self.ledger.seal(time + 3);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("trust-root")
    }

    pub(crate) fn digest(&self) -> Hash {
        load_trust_root(&self.path()).unwrap().digest()
    }

    /// Lets a node answer from the set with this policy.
    pub(crate) fn serve(&self, node: &str, from: &Hash, walk: &Walk) {
        let url = format!("{node}/trust/walk?from={}", from.to_base64url());
        self.fetch.answer(&url, 200, "application/json", serde_json::to_vec(walk).unwrap());
    }

    async fn advance(&self, nodes: &[&str], handed_over: bool) -> Result<Age, AdvanceError> {
        let nodes: Vec<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
        advance(self.fetch.clone(), &nodes, &self.path(), NOW, handed_over).await
    }
}

#[tokio::test]
async fn a_trust_root_is_walked_forward_and_its_age_kept() {
    let world = World::new();
    let walk = world.ledger.walk(START + 50);
    assert_eq!(walk.steps.len(), 2);
    world.serve(ONE, &world.genesis, &walk);
    let age = world.advance(&[ONE], true).await.unwrap();
    assert_eq!(world.digest(), world.ledger.trust_root().digest());
    assert_eq!((age.policy, age.as_of), (world.digest(), UnixSeconds(START + 50)));
    assert_eq!(read_age(&world.path()).unwrap(), Some(age));

    // Young enough now: one node suffices, and standing still is no error.
    world.serve(ONE, &world.digest(), &Walk { steps: Vec::new(), newest: world.ledger.walk(START + 60).newest });
    assert_eq!(world.advance(&[ONE], false).await.unwrap().as_of, UnixSeconds(START + 60));
}

#[tokio::test]
async fn a_trust_root_of_unknown_age_or_an_old_one_needs_two_members() {
    let world = World::new();
    let walk = world.ledger.walk(START + 50);
    for node in [ONE, OTHER] {
        world.serve(node, &world.genesis, &walk);
    }
    for nodes in [&[ONE][..], &[ONE, ONE]] {
        assert!(matches!(world.advance(nodes, false).await, Err(AdvanceError::TwoMembers)));
    }
    world.advance(&[ONE, OTHER], false).await.unwrap();
    let old = Age { as_of: UnixSeconds(NOW.0 - MAX_AGE - 1), ..read_age(&world.path()).unwrap().unwrap() };
    std::fs::write(age_path(&world.path()), serde_json::to_vec(&old).unwrap()).unwrap();
    assert!(matches!(world.advance(&[ONE], false).await, Err(AdvanceError::TwoMembers)));
    // An age that speaks of another trust root is none.
    let other = Age { policy: world.genesis, as_of: NOW, ..old };
    std::fs::write(age_path(&world.path()), serde_json::to_vec(&other).unwrap()).unwrap();
    assert!(matches!(world.advance(&[ONE], false).await, Err(AdvanceError::TwoMembers)));
}

#[tokio::test]
async fn dismissed_keys_do_not_mislead_whoever_asks_two_members() {
    let world = World::new();
    world.serve(ONE, &world.genesis, &world.ledger.walk(START + 50));
    // The keys of the first set, long dismissed, tell a history of their own.
    let [a, b] = &world.members;
    let mut forged = SampleLedger::founded_with(&[a, b], a, vec![validator(1, Some(a.did()))], 2);
    (1..9).for_each(|time| forged.seal(START + time));
    world.serve(OTHER, &world.genesis, &forged.walk(START + 60));
    for nodes in [[ONE, OTHER], [OTHER, ONE]] {
        assert!(matches!(world.advance(&nodes, false).await, Err(AdvanceError::Disagree)));
    }
    assert_eq!(world.digest(), world.genesis, "the files are as they were");
    assert_eq!(read_age(&world.path()).unwrap(), None);
    // Alone, and believed to be young, it would be misled: that is why age counts.
    assert!(world.advance(&[OTHER], true).await.is_ok());
}

#[tokio::test]
async fn two_members_may_show_different_sizes_of_one_log() {
    let mut world = World::new();
    let earlier = world.ledger.walk(START + 50);
    world.serve(ONE, &world.genesis, &earlier);
    let index = LogProof::parse(&earlier.newest.as_ref().unwrap().proof).unwrap().index;
    world.ledger.seal(START + 60);
    world.serve(OTHER, &world.genesis, &world.ledger.walk(START + 70));
    assert!(matches!(world.advance(&[ONE, OTHER], false).await, Err(AdvanceError::Node { .. })), "no proof, no trust");
    let proof = |index| world.ledger.log_proof(index, START + 70);
    world.fetch.answer(&format!("{OTHER}/proofs/log/{index}"), 200, "text/plain", proof(index - 1));
    assert!(matches!(world.advance(&[ONE, OTHER], false).await, Err(AdvanceError::Disagree)));
    world.fetch.answer(&format!("{OTHER}/proofs/log/{index}"), 200, "text/plain", proof(index));
    world.advance(&[OTHER, ONE], false).await.unwrap();
}

#[tokio::test]
async fn no_walk_goes_behind_what_was_seen() {
    let mut world = World::new();
    let earlier = world.ledger.walk(START + 50);
    let mut fork = world.ledger.clone();
    world.ledger.seal(START + 60);
    world.serve(ONE, &world.genesis, &world.ledger.walk(START + 70));
    world.advance(&[ONE], true).await.unwrap();
    world.serve(ONE, &world.digest(), &Walk { steps: Vec::new(), newest: earlier.newest });
    assert!(matches!(world.advance(&[ONE], false).await, Err(AdvanceError::Older(_))));
    fork.seal(START + 61);
    world.serve(ONE, &world.digest(), &Walk { steps: Vec::new(), newest: fork.walk(START + 70).newest });
    assert!(matches!(world.advance(&[ONE], false).await, Err(AdvanceError::SplitView(_))));
}

#[tokio::test]
async fn a_walk_in_parts_is_followed_and_one_that_ends_early_is_not() {
    let world = World::new();
    let whole = world.ledger.walk(START + 50);
    let middle = ledger::sha256(whole.steps[0].policy.as_bytes());
    world.serve(ONE, &world.genesis, &Walk { steps: whole.steps[..1].to_vec(), newest: None });
    world.serve(ONE, &middle, &Walk { steps: Vec::new(), newest: None });
    assert!(matches!(world.advance(&[ONE], true).await, Err(AdvanceError::Unfinished(_))));
    assert_eq!(world.digest(), world.genesis);
    world.serve(ONE, &middle, &Walk { steps: whole.steps[1..].to_vec(), newest: whole.newest });
    world.advance(&[ONE], true).await.unwrap();
    assert_eq!(world.digest(), world.ledger.trust_root().digest());
}

#[tokio::test]
async fn what_does_not_hold_has_a_code_and_changes_nothing() {
    let world = World::new();
    let gone = world.advance(&[ONE], true).await.unwrap_err();
    assert_eq!(gone.code(), Code::FetchUnreachable);
    world.fetch.answer(
        &format!("{ONE}/trust/walk?from={}", world.genesis.to_base64url()),
        200,
        "application/json",
        "{}",
    );
    assert_eq!(world.advance(&[ONE], true).await.unwrap_err().code(), Code::LedgerWalkMalformed);
    let mut false_step = world.ledger.walk(START + 50);
    false_step.steps.remove(0);
    world.serve(ONE, &world.genesis, &false_step);
    assert_eq!(world.advance(&[ONE], true).await.unwrap_err().code(), Code::LedgerWalkFalseStep);
    assert_eq!(world.digest(), world.genesis);
}
