//! Whom a running program believes: its trust root, walked forward by itself as sets of validators come and go.
//!
//! A program that asks one ledger shares one keeper. It is told of every checkpoint that its trust root verifies, so it
//! knows how old its knowledge of the set is; and when an answer does not verify, it asks the same node for the way to
//! the newest set. It goes that way only while its knowledge is younger than [`MAX_AGE`]: after that one node's word
//! suffices no longer, and `xinfu-ledger trust advance` asks two ([`crate::trust_walk`]).
//!
//! A trust root that came from a file goes back there, with its age beside it, the trust root first. After a crash
//! between the two the age is unknown, which is the safe side.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use identity_core::time::UnixSeconds;
use ledger::{CertifiedCheckpoint, TrustRoot};

use crate::clock::Clock;
use crate::fetch::Fetch;
use crate::ledger_client::{TrustRootFileError, load_trust_root};
use crate::trust_walk::{self, Age, MAX_AGE};

/// Seconds by which the age in the file may lag behind: a restart within [`MAX_AGE`] still finds it young.
const AGE_KEPT_EVERY: i64 = 3600;

/// The keeper. Cheap to clone; all clones walk together.
#[derive(Clone)]
pub struct TrustKeeper(Arc<Inside>);

struct Inside {
    known: RwLock<Known>,
    /// Where it goes; nowhere for one that was handed in.
    file: Option<PathBuf>,
    /// Without one, no age is known and nothing walks.
    clock: Option<Arc<dyn Clock>>,
    /// One walk at a time.
    walking: tokio::sync::Mutex<()>,
}

struct Known {
    trust_root: Arc<TrustRoot>,
    /// The policy file, if it is another than the program began with.
    policy: Option<String>,
    age: Option<Age>,
    /// The age that stands in the file.
    kept: Option<UnixSeconds>,
}

impl TrustKeeper {
    /// A trust root that stays as it is.
    #[must_use]
    pub fn fixed(trust_root: TrustRoot) -> Self {
        Self::new(trust_root, None, None, None)
    }

    /// A trust root of the program's own keeping, with what it knows of its age.
    #[must_use]
    pub fn walking(trust_root: TrustRoot, age: Option<Age>, clock: Arc<dyn Clock>) -> Self {
        Self::new(trust_root, age, None, Some(clock))
    }

    /// The trust root in this file, and the age beside it.
    ///
    /// # Errors
    /// Missing, unreadable or malformed, naming the file.
    pub fn of_file(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, TrustRootFileError> {
        let path = path.into();
        let trust_root = load_trust_root(&path)?;
        // An age that cannot be read is as none: then two members must be asked.
        let age = trust_walk::read_age(&path).ok().flatten();
        Ok(Self::new(trust_root, age, Some(path), Some(clock)))
    }

    fn new(trust_root: TrustRoot, age: Option<Age>, file: Option<PathBuf>, clock: Option<Arc<dyn Clock>>) -> Self {
        let age = age.filter(|age| age.policy == trust_root.digest());
        let kept = age.as_ref().map(|age| age.as_of);
        let known = RwLock::new(Known { trust_root: Arc::new(trust_root), policy: None, age, kept });
        Self(Arc::new(Inside { known, file, clock, walking: tokio::sync::Mutex::default() }))
    }

    /// The trust root now.
    #[must_use]
    pub fn trust_root(&self) -> Arc<TrustRoot> {
        Arc::clone(&self.read().trust_root)
    }

    /// The policy file and its age, if the keeper has walked to another set than it began with.
    #[must_use]
    pub fn moved(&self) -> Option<(String, Option<Age>)> {
        let known = self.read();
        known.policy.clone().map(|policy| (policy, known.age.clone()))
    }

    /// What is known of the age.
    #[must_use]
    pub fn age(&self) -> Option<Age> {
        self.read().age.clone()
    }

    /// Takes note of a checkpoint that `under` verified: its validators were in force then.
    pub fn saw(&self, under: &TrustRoot, checkpoint: &CertifiedCheckpoint) {
        let Some(clock) = &self.0.clock else { return };
        let at = UnixSeconds(i64::try_from(checkpoint.cosigned_at()).unwrap_or(i64::MAX)).min(clock.now());
        let (size, root) = (checkpoint.size(), *checkpoint.root());
        let mut known = self.write();
        let newer = known.age.as_ref().is_none_or(|age| size >= age.size && at > age.as_of);
        if *under != *known.trust_root || !newer {
            return;
        }
        let age = Age { policy: under.digest(), size, root, as_of: at };
        if known.kept.is_none_or(|kept| at.since(kept) >= AGE_KEPT_EVERY) {
            known.kept = Some(at);
            self.keep(None, &age);
        }
        known.age = Some(age);
    }

    /// After an answer that did not verify under `failed`: walks to the newest set that the node at `url` leads to.
    /// Says whether there is another trust root now.
    pub async fn walk_on(&self, fetch: &Arc<dyn Fetch>, url: &str, failed: &TrustRoot) -> bool {
        let Some(clock) = &self.0.clock else { return false };
        let _alone = self.0.walking.lock().await;
        let (trust_root, age) = {
            let known = self.read();
            (Arc::clone(&known.trust_root), known.age.clone())
        };
        if *trust_root != *failed {
            return true;
        }
        let Some(known_age) = age.filter(|age| clock.now().since(age.as_of) <= MAX_AGE) else {
            tracing::warn!(
                url,
                "the trust root is old, or its age is not known: walk it forward with xinfu-ledger trust advance"
            );
            return false;
        };
        match trust_walk::walk_from(fetch, url, TrustRoot::clone(&trust_root), Some(&known_age)).await {
            Ok((policy, next, age)) => self.arrive(policy, next, age, clock.now()),
            Err(error) => {
                tracing::warn!(code = error.code().as_str(), url, "no way to the newest validators");
                false
            }
        }
    }

    fn arrive(&self, policy: Option<String>, next: TrustRoot, age: Age, now: UnixSeconds) -> bool {
        let Some(policy) = policy else { return false };
        tracing::info!(policy = %age.policy.to_base64url(), size = age.size, "other validators are believed from now on");
        let age = Age { as_of: age.as_of.min(now), ..age };
        self.keep(Some(&policy), &age);
        let mut known = self.write();
        known.kept = Some(age.as_of);
        (known.trust_root, known.policy, known.age) = (Arc::new(next), Some(policy), Some(age));
        true
    }

    /// A file that cannot be written costs a walk at the next start, and no answer now.
    fn keep(&self, policy: Option<&str>, age: &Age) {
        let Some(file) = &self.0.file else { return };
        if let Err(error) = trust_walk::keep(file, policy, age) {
            tracing::warn!(%error, "the trust root, or its age, is not kept for the next start");
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use identity_core::sample::ledger::START;
    use ledger::LogProof;

    use super::*;
    use crate::clock::ManualClock;
    use crate::ledger_client::{LedgerClient, LedgerError};
    use crate::trust_walk::tests::{NOW, ONE, World};

    /// Lets the node show the newest checkpoint, and the way there.
    fn show_the_newest(world: &World) {
        let walk = world.ledger.walk(START + 50);
        world.serve(ONE, &world.genesis, &walk);
        let note = LogProof::parse(&walk.newest.unwrap().proof).unwrap().note;
        world.fetch.answer(&format!("{ONE}/checkpoint"), 200, "text/plain", note);
    }

    fn client(world: &World, at: UnixSeconds) -> (LedgerClient, TrustKeeper) {
        let keeper = TrustKeeper::of_file(world.path(), Arc::new(ManualClock::at(at))).unwrap();
        (LedgerClient::trusting(world.fetch.clone(), ONE, keeper.clone()), keeper)
    }

    #[tokio::test]
    async fn whoever_knows_the_set_follows_it_and_keeps_where_that_led() {
        let world = World::new();
        world.fetch.answer(&format!("{ONE}/checkpoint"), 200, "text/plain", world.first.clone());
        let (client, keeper) = client(&world, NOW);
        client.checkpoint().await.unwrap();
        assert_eq!(keeper.moved(), None);
        let age = trust_walk::read_age(&world.path()).unwrap().unwrap();
        assert_eq!((age.policy, age.as_of), (world.genesis, UnixSeconds(START + 2)), "it dates what it sees");

        show_the_newest(&world);
        let (checkpoint, _) = client.checkpoint().await.unwrap();
        assert_eq!(client.trust_root().digest(), world.ledger.trust_root().digest());
        assert_eq!(world.digest(), client.trust_root().digest(), "the file holds it too");
        let (policy, age) = keeper.moved().unwrap();
        assert_eq!(ledger::sha256(policy.as_bytes()), client.trust_root().digest());
        assert_eq!(age, trust_walk::read_age(&world.path()).unwrap());
        assert_eq!(age.unwrap().size, checkpoint.size());
        // What the set before says counts for nothing any more.
        world.fetch.answer(&format!("{ONE}/checkpoint"), 200, "text/plain", world.first.clone());
        assert!(matches!(client.checkpoint().await, Err(LedgerError::Unproven(_))));
    }

    #[tokio::test]
    async fn one_nodes_word_does_not_suffice_where_the_age_is_unknown_or_old() {
        let world = World::new();
        show_the_newest(&world);
        let (unknown, _) = client(&world, NOW);
        assert!(matches!(unknown.checkpoint().await, Err(LedgerError::Unproven(_))));

        world.fetch.answer(&format!("{ONE}/checkpoint"), 200, "text/plain", world.first.clone());
        let late = UnixSeconds(START + 2).plus(MAX_AGE + 1);
        let (old, _) = client(&world, late);
        old.checkpoint().await.unwrap();
        show_the_newest(&world);
        assert!(matches!(old.checkpoint().await, Err(LedgerError::Unproven(_))));
        assert_eq!(world.digest(), world.genesis, "and the file stays");

        let fixed = LedgerClient::new(world.fetch.clone(), ONE, load_trust_root(&world.path()).unwrap());
        assert!(matches!(fixed.checkpoint().await, Err(LedgerError::Unproven(_))));
    }
}
