//! What this node does in a term: order alone, order together with others, or follow those who do.

use std::sync::Arc;

use identity_core::registry::Transaction;
use service_kit::clock::Clock;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile::KeyFileError;
use tokio::sync::mpsc;

use crate::certifier::{Certifier, CertifyError};
use crate::config::Config;
#[cfg(feature = "simplex")]
use crate::engine::simplex::{Identity, Origin, Process, ProcessError};
use crate::engine::{Engine, Entrance, Solo, Standing};
use crate::keyring::Keyring;
use crate::node::{Node, Spoken};
use crate::store::Head;
use crate::term::Term;

/// Why a node cannot do its part in a term.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderingError {
    /// The program lacks the engine.
    #[error("the chain has several validators, and this program was built without the feature `simplex`")]
    NotBuiltIn,
    /// A key file is missing, exposed or no key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The keys do not certify.
    #[error(transparent)]
    Certify(#[from] CertifyError),
    /// The validator cannot take part.
    #[cfg(feature = "simplex")]
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// Prepares this node's part in each term.
pub(crate) struct Ordering {
    config: Config,
    guard: KeyGuard,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
}

/// This node's part in a term.
pub(crate) enum Part {
    Validating(Box<Validating>),
    /// Its keys are nobody's in this set.
    Following,
}

/// A validator that is ready and does not run yet.
pub(crate) struct Validating {
    pub(crate) certifier: Certifier,
    /// Where transactions enter; the engine ends when it is gone.
    pub(crate) door: Box<dyn Entrance>,
    /// Where cosignatures are told; absent where one validator orders alone.
    pub(crate) voice: Option<mpsc::Sender<Spoken>>,
    pub(crate) engine: Waiting,
}

/// What becomes the engine.
pub(crate) enum Waiting {
    Solo(Solo),
    #[cfg(feature = "simplex")]
    Simplex(Box<Process>),
}

impl Ordering {
    pub(crate) fn new(config: Config, guard: KeyGuard, clock: Arc<dyn Clock>) -> Self {
        Self { config, guard, clock, standing: Arc::default() }
    }

    /// Where the engine stands.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Reads the keys and checks everything that can be wrong; nothing runs yet.
    pub(crate) fn prepare(&self, term: &Term, head: &Head) -> Result<Part, OrderingError> {
        let Some(keys) = Keyring::of(&term.set, &self.config, &self.guard)? else { return Ok(Part::Following) };
        if term.set.validators().len() > 1 {
            return self.among_others(term, head, keys);
        }
        let certifier = Certifier::new(term.set.clone(), keys.log, keys.witness)?;
        let (solo, door) = Solo::new(self.config.queue, Arc::clone(&self.clock), head.height, head.time);
        let (door, voice, engine) = (Box::new(door), None, Waiting::Solo(solo));
        Ok(Part::Validating(Box::new(Validating { certifier, door, voice, engine })))
    }

    #[cfg(feature = "simplex")]
    fn among_others(&self, term: &Term, head: &Head, keys: Keyring) -> Result<Part, OrderingError> {
        let origin = Origin {
            term,
            executed: head.height,
            directory: self.config.data.join("simplex"),
            listen: &self.config.peer_listen,
            queue: self.config.queue,
            standing: self.standing(),
        };
        let identity = keys.peer.and_then(|keys| Identity::new(&keys.consensus, &keys.transport));
        let (process, door) = Process::new(origin, identity)?;
        let (voice, door) = (Some(process.voice()), Box::new(door));
        let certifier = Certifier::new(term.set.clone(), keys.log, keys.witness)?;
        let engine = Waiting::Simplex(Box::new(process));
        Ok(Part::Validating(Box::new(Validating { certifier, door, voice, engine })))
    }

    #[cfg(not(feature = "simplex"))]
    fn among_others(&self, _: &Term, _: &Head, _: Keyring) -> Result<Part, OrderingError> {
        Err(OrderingError::NotBuiltIn)
    }
}

impl Waiting {
    /// It never starts: gives back what has come in.
    pub(crate) fn leave(self) -> Vec<Transaction> {
        match self {
            Self::Solo(mut solo) => solo.leave(),
            #[cfg(feature = "simplex")]
            Self::Simplex(process) => process.leave(),
        }
    }

    /// Starts the engine.
    pub(crate) fn start(self, node: &Arc<Node>) -> Result<Box<dyn Engine>, OrderingError> {
        match self {
            Self::Solo(solo) => {
                // It asks nothing of the node.
                let _ = node;
                Ok(Box::new(solo))
            }
            #[cfg(feature = "simplex")]
            Self::Simplex(process) => Ok(Box::new(process.start(Arc::clone(node))?)),
        }
    }
}
