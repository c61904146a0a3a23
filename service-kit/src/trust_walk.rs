//! Keeping a trust root up to date: walking it forward by proofs, and never back.
//!
//! Two files: the trust root `F`, and `F.age`, which says how far it knows the log and since when. Both are replaced
//! whole, the trust root first. After a crash between the two, `F.age` speaks of another trust root than the one that is
//! there: its age is then not known, and the next walk asks two members, which is the safe side.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity_core::ledger_problem::LedgerProblem as _;
use identity_core::problem::Code;
use identity_core::time::UnixSeconds;
use ledger::walk::{SealProof, Walk, WalkError, Walked};
use ledger::{Hash, LogProof, TrustRoot};
use serde::{Deserialize, Serialize};

use crate::fetch::Fetch;
use crate::ledger_client::{LedgerClient, LedgerError, TrustRootFileError, load_trust_root};
use crate::whole_file;

/// Seconds after which one member's word no longer suffices: members come and go in months, and keys of a set that was
/// dismissed since can make a walk of their own.
pub const MAX_AGE: i64 = 30 * 86_400;
/// Answers that one walk is asked for in: some four thousand sets of validators.
const MAX_ANSWERS: usize = 64;

/// Content of `F.age`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// SHA-256 of the trust root that this is about.
    pub policy: Hash,
    /// Size of the log at the newest checkpoint walked to.
    pub size: u64,
    /// Root of the log there.
    pub root: Hash,
    /// When that checkpoint was cosigned: what the set said then is what we know.
    pub as_of: UnixSeconds,
}

/// Why a trust root was not walked forward. The files are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// The trust root cannot be read.
    #[error(transparent)]
    TrustRoot(#[from] TrustRootFileError),
    /// A file cannot be written or read.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A node cannot be asked, or what it says does not hold.
    #[error("{url}: {error}")]
    Node {
        /// Which.
        url: String,
        /// Why.
        error: LedgerError,
    },
    /// A node's walk does not hold.
    #[error("{url}: {error}")]
    Walk {
        /// Which.
        url: String,
        /// Why.
        error: WalkError,
    },
    /// The newest set has not said yet that it is, or the node shows only a part of the way.
    #[error("{0} does not lead to the newest set of validators")]
    Unfinished(String),
    /// The trust root is older than one member's word suffices for, or its age is not known.
    #[error("the trust root is old, or its age is not known, so two members' nodes must be asked")]
    TwoMembers,
    /// Two members' nodes lead to different sets, or tell different histories.
    #[error("two nodes do not agree on the newest set of validators or on the log")]
    Disagree,
    /// The node shows less of the log than we have seen.
    #[error("{0} shows an older log than was seen before")]
    Older(String),
    /// The ledger shows another history than the one we have seen.
    #[error("{0} shows another history than was seen before")]
    SplitView(String),
}

impl AdvanceError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TrustRoot(error) => error.code(),
            Self::File { .. } => Code::LedgerTrustRootFile,
            Self::Node { error, .. } => error.code(),
            Self::Walk { error, .. } => error.code(),
            Self::Unfinished(_) => Code::LedgerWalkUnfinished,
            Self::TwoMembers => Code::LedgerTrustRootTooOld,
            Self::Disagree => Code::LedgerWalkDisagree,
            Self::Older(_) => Code::LedgerWalkOlder,
            Self::SplitView(_) => Code::LedgerCheckpointSplitView,
        }
    }
}

/// Walks the trust root at `path` forward, asking one node or two of different members, and keeps where that led.
///
/// `handed_over` says that the trust root was received just now from somebody who is trusted: its age begins now.
///
/// # Errors
/// [`AdvanceError`].
pub async fn advance(
    fetch: Arc<dyn Fetch>,
    nodes: &[String],
    path: &Path,
    now: UnixSeconds,
    handed_over: bool,
) -> Result<Age, AdvanceError> {
    let trust_root = load_trust_root(path)?;
    let known = read_age(path)?.filter(|age| age.policy == trust_root.digest());
    let since = if handed_over { Some(now) } else { known.as_ref().map(|age| age.as_of) };
    let is_old = since.is_none_or(|since| now.since(since) > MAX_AGE);
    let (first, others) = nodes.split_first().ok_or(AdvanceError::TwoMembers)?;
    if is_old && others.iter().all(|other| other == first) {
        return Err(AdvanceError::TwoMembers);
    }
    let led = follow(&fetch, first, trust_root.clone(), known.as_ref()).await?;
    for other in others {
        let also = follow(&fetch, other, trust_root.clone(), known.as_ref()).await?;
        compare(&fetch, &led, &also).await?;
    }
    let age = Age { as_of: led.age.as_of.min(now), ..led.age };
    keep(path, led.walked.policy(), &age)?;
    Ok(age)
}

/// Keeps where a walk led: the trust root first, if it is another, then its age.
///
/// # Errors
/// [`AdvanceError::File`].
pub(crate) fn keep(path: &Path, policy: Option<&str>, age: &Age) -> Result<(), AdvanceError> {
    if let Some(policy) = policy {
        write(path, policy.as_bytes())?;
    }
    write(&age_path(path), &serde_json::to_vec(age).unwrap_or_default())
}

/// The newest set that one node leads to: its policy file if it is another, its trust root, and how far that knows the
/// log.
///
/// # Errors
/// [`AdvanceError`].
pub(crate) async fn walk_from(
    fetch: &Arc<dyn Fetch>,
    url: &str,
    from: TrustRoot,
    known: Option<&Age>,
) -> Result<(Option<String>, TrustRoot, Age), AdvanceError> {
    let Led { walked, age, .. } = follow(fetch, url, from, known).await?;
    Ok((walked.policy().map(str::to_owned), walked.trust_root().clone(), age))
}

/// Where one node has led us.
struct Led {
    url: String,
    walked: Walked,
    newest: SealProof,
    age: Age,
}

async fn follow(fetch: &Arc<dyn Fetch>, url: &str, from: TrustRoot, known: Option<&Age>) -> Result<Led, AdvanceError> {
    let mut walked = Walked::from(from.clone());
    let client = LedgerClient::new(Arc::clone(fetch), url, from);
    for _ in 0..MAX_ANSWERS {
        let asked = client.walk(walked.trust_root().digest()).await;
        let walk: Walk = asked.map_err(|error| AdvanceError::Node { url: url.to_owned(), error })?;
        let stands = walk.steps.is_empty();
        walked = walked.along(&walk).map_err(|error| AdvanceError::Walk { url: url.to_owned(), error })?;
        if let (Some(newest), Some(checkpoint)) = (walk.newest, walked.checkpoint()) {
            let as_of = UnixSeconds(i64::try_from(checkpoint.cosigned_at()).unwrap_or(i64::MAX));
            let (size, root) = (checkpoint.size(), *checkpoint.root());
            check_not_older(url, size, &root, known)?;
            let age = Age { policy: walked.trust_root().digest(), size, root, as_of };
            return Ok(Led { url: url.to_owned(), walked, newest, age });
        }
        if stands {
            break;
        }
    }
    Err(AdvanceError::Unfinished(url.to_owned()))
}

/// A verifier that has seen more of the log is shown no less of it.
fn check_not_older(url: &str, size: u64, root: &Hash, known: Option<&Age>) -> Result<(), AdvanceError> {
    match known {
        Some(known) if size < known.size => Err(AdvanceError::Older(url.to_owned())),
        Some(known) if size == known.size && *root != known.root => Err(AdvanceError::SplitView(url.to_owned())),
        Some(_) | None => Ok(()),
    }
}

/// Both lead to one set, and the earlier of their last seals stands in the log of the other.
async fn compare(fetch: &Arc<dyn Fetch>, one: &Led, other: &Led) -> Result<(), AdvanceError> {
    if one.walked.trust_root() != other.walked.trust_root() {
        return Err(AdvanceError::Disagree);
    }
    let (earlier, later) = if one.age.size <= other.age.size { (one, other) } else { (other, one) };
    if earlier.age.size == later.age.size {
        return if earlier.age.root == later.age.root { Ok(()) } else { Err(AdvanceError::Disagree) };
    }
    let client = LedgerClient::new(Arc::clone(fetch), &later.url, later.walked.trust_root().clone());
    let index = LogProof::parse(&earlier.newest.proof).map_err(|_| AdvanceError::Disagree)?.index;
    match client.log_proof(index, earlier.newest.seal.as_bytes()).await {
        Ok(_) => Ok(()),
        Err(LedgerError::Unproven(_) | LedgerError::Malformed) => Err(AdvanceError::Disagree),
        Err(error) => Err(AdvanceError::Node { url: later.url.clone(), error }),
    }
}

/// The age of a trust root, as far as it is known. A file of another form is as none.
///
/// # Errors
/// [`AdvanceError::File`] if there is one that cannot be read.
pub fn read_age(path: &Path) -> Result<Option<Age>, AdvanceError> {
    let path = age_path(path);
    match std::fs::read(&path) {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AdvanceError::File { path: path.display().to_string(), error }),
    }
}

fn age_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".age");
    PathBuf::from(name)
}

fn write(path: &Path, content: &[u8]) -> Result<(), AdvanceError> {
    whole_file::write(path, content).map_err(|error| AdvanceError::File { path: path.display().to_string(), error })
}

#[cfg(test)]
pub(crate) mod tests;
