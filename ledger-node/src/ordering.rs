//! Which engine orders: one validator alone, or several together.

use std::sync::Arc;
use std::thread::JoinHandle;

use service_kit::clock::Clock;
use service_kit::key_guard::KeyGuard;
use service_kit::keyfile::KeyFileError;
use tokio::sync::mpsc;

use crate::chain::Chain;
use crate::config::Config;
#[cfg(feature = "simplex")]
use crate::engine::simplex::{Identity, Origin, Process, ProcessError};
use crate::engine::{Engine, Entrance, Solo, Standing};
use crate::node::{Node, Spoken};
use crate::store::Head;

/// Why transactions cannot be ordered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderingError {
    /// The program lacks the engine.
    #[error("the chain has several validators, and this program was built without the feature `simplex`")]
    NotBuiltIn,
    /// A key file is missing, exposed or no key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The validator cannot take part.
    #[cfg(feature = "simplex")]
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// An engine that is ready and does not run yet.
pub(crate) struct Ordering {
    door: Box<dyn Entrance>,
    voice: Option<mpsc::Sender<Spoken>>,
    standing: Arc<Standing>,
    waiting: Waiting,
}

/// An engine that runs, and its thread if it has one.
pub(crate) type Started = (Box<dyn Engine>, Option<JoinHandle<()>>);

/// What becomes the engine.
pub(crate) enum Waiting {
    Solo(Solo),
    #[cfg(feature = "simplex")]
    Simplex(Box<Process>),
}

impl Ordering {
    /// Chooses and checks; nothing runs yet.
    pub(crate) fn prepare(
        config: &Config,
        chain: &Chain,
        guard: &KeyGuard,
        clock: &Arc<dyn Clock>,
        head: &Head,
    ) -> Result<Self, OrderingError> {
        if chain.genesis().validators.len() > 1 {
            return several(config, chain, guard, head);
        }
        let (solo, door) = Solo::new(config.queue, Arc::clone(clock), head.height, head.time);
        Ok(Self { door: Box::new(door), voice: None, standing: Arc::default(), waiting: Waiting::Solo(solo) })
    }

    /// Where the engine stands.
    pub(crate) fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing)
    }

    /// Where transactions enter, where cosignatures are told, and what is to be started.
    pub(crate) fn take_apart(self) -> (Box<dyn Entrance>, Option<mpsc::Sender<Spoken>>, Waiting) {
        (self.door, self.voice, self.waiting)
    }
}

impl Waiting {
    /// Starts the engine, and its thread if it has one.
    pub(crate) fn start(self, node: &Arc<Node>) -> Result<Started, OrderingError> {
        match self {
            Self::Solo(solo) => {
                // It asks nothing of the node.
                let _ = node;
                Ok((Box::new(solo), None))
            }
            #[cfg(feature = "simplex")]
            Self::Simplex(process) => {
                let (simplex, thread) = process.start(Arc::clone(node))?;
                Ok((Box::new(simplex), Some(thread)))
            }
        }
    }
}

#[cfg(feature = "simplex")]
fn several(config: &Config, chain: &Chain, guard: &KeyGuard, head: &Head) -> Result<Ordering, OrderingError> {
    use service_kit::keyfile;
    let (consensus, transport) =
        (keyfile::load(&config.consensus_key, guard)?, keyfile::load(&config.transport_key, guard)?);
    let origin = Origin {
        chain,
        executed: head.height,
        directory: config.data.join("simplex"),
        listen: &config.peer_listen,
        queue: config.queue,
    };
    let (process, door) = Process::new(origin, Identity::new(&consensus, &transport))?;
    let (voice, standing) = (Some(process.voice()), process.standing());
    Ok(Ordering { door: Box::new(door), voice, standing, waiting: Waiting::Simplex(Box::new(process)) })
}

#[cfg(not(feature = "simplex"))]
fn several(_: &Config, _: &Chain, _: &KeyGuard, _: &Head) -> Result<Ordering, OrderingError> {
    Err(OrderingError::NotBuiltIn)
}
