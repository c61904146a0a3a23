//! Where the log's files come from: another node's API, or a directory that holds the same files.
//!
//! Nothing is believed here; what comes is only bounded and taken apart.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use identity_core::registry::MAX_TRANSACTION_BYTES;
use ledger::Hash;
use ledger::tile::{Tile, WIDTH, read_bundle};
use ledger::walk::{MAX_BYTES as MAX_WALK, Walk};
use service_kit::fetch::{Answer, Fetch, FetchError, Request};

use super::error::SourceError;

/// Bytes before each entry of a bundle.
const LENGTH: usize = 2;
/// HTTP status of a peer that does not keep so much of the history.
const GONE: u16 = 410;
/// HTTP status of a peer that has answered one reader often enough for now.
const TOO_MANY: u16 = 429;
/// How often one file is waited for, and how long at most each time: a peer's minute is over by then, and a peer that has
/// nothing but excuses holds nobody up for long.
const PATIENCE: u8 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// One that is asked for walks and tiles.
#[derive(Clone)]
pub struct Source {
    name: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Peer(Arc<dyn Fetch>),
    Directory(PathBuf),
}

impl Source {
    /// The node at this address.
    #[must_use]
    pub fn peer(fetch: Arc<dyn Fetch>, url: &str) -> Self {
        Self { name: url.trim_end_matches('/').to_owned(), kind: Kind::Peer(fetch) }
    }

    /// A directory that a node was exported to.
    #[must_use]
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.display().to_string(), kind: Kind::Directory(path) }
    }

    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The way from the set of validators with this policy. Form only.
    pub(super) async fn walk(&self, from: &Hash) -> Result<(Walk, usize), SourceError> {
        let path = match &self.kind {
            Kind::Peer(_) => format!("trust/walk?from={}", from.to_base64url()),
            Kind::Directory(_) => walk_file(from),
        };
        let json = self.get(&path, MAX_WALK).await?.ok_or(SourceError::UnknownSet)?;
        Ok((Walk::parse(&json)?, json.len()))
    }

    /// The entries of a bundle, exactly as many as its name says.
    pub(super) async fn entries(&self, tile: Tile) -> Result<(Vec<Vec<u8>>, usize), SourceError> {
        let (served, bytes) = self.tile(tile, LENGTH.saturating_add(MAX_TRANSACTION_BYTES)).await?;
        let entries = read_bundle(&bytes).map_err(|_| SourceError::Malformed(tile))?;
        if entries.len() != usize::from(served.width) {
            return Err(SourceError::Malformed(tile));
        }
        let wanted = entries.into_iter().take(usize::from(tile.width));
        Ok((wanted.map(<[u8]>::to_vec).collect(), bytes.len()))
    }

    /// The hashes of a tile, exactly as many as its name says.
    pub(super) async fn hashes(&self, tile: Tile) -> Result<(Vec<Hash>, usize), SourceError> {
        let (served, bytes) = self.tile(tile, Hash::LENGTH).await?;
        if bytes.len() != usize::from(served.width).saturating_mul(Hash::LENGTH) {
            return Err(SourceError::Malformed(tile));
        }
        let hashes = bytes.chunks(Hash::LENGTH).take(usize::from(tile.width)).map(Hash::from_slice);
        Ok((hashes.collect::<Result<_, _>>().map_err(|_| SourceError::Malformed(tile))?, bytes.len()))
    }

    /// A tile, or the full one in place of a partial one that is gone: what grew over it may have taken its place.
    async fn tile(&self, tile: Tile, largest_item: usize) -> Result<(Tile, Vec<u8>), SourceError> {
        let limit = |tile: Tile| usize::from(tile.width).saturating_mul(largest_item);
        if let Some(bytes) = self.get(&tile.to_string(), limit(tile)).await? {
            return Ok((tile, bytes));
        }
        let full = Tile { width: WIDTH, ..tile };
        let bytes = if tile.is_full() { None } else { self.get(&full.to_string(), limit(full)).await? };
        Ok((full, bytes.ok_or(SourceError::Lacks(tile))?))
    }

    /// The bytes under a path, at most `limit` of them; nothing if there are none.
    async fn get(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match &self.kind {
            Kind::Peer(fetch) => {
                let request = Request::get(format!("{}/{path}", self.name)).with_limit(limit);
                match patiently(fetch.as_ref(), request).await?.success() {
                    Ok(answer) if answer.body.len() > limit => {
                        Err(FetchError::TooLarge { host: answer.host, limit }.into())
                    }
                    Ok(answer) => Ok(Some(answer.body)),
                    Err(FetchError::Refused { status: 404, .. }) => Ok(None),
                    Err(FetchError::Refused { status: GONE, .. }) => Err(SourceError::Pruned(path.to_owned())),
                    Err(error) => Err(error.into()),
                }
            }
            // A directory that is not there, or not mounted, is no answer that nothing is known.
            Kind::Directory(directory) if !directory.is_dir() => {
                Err(SourceError::File { path: self.name.clone(), reason: "there is no such directory".into() })
            }
            Kind::Directory(directory) => read_file(&directory.join(path), limit),
        }
    }
}

/// Sends, and again when a peer that counts its readers says so: a long log has more files than one may read in a minute.
async fn patiently(fetch: &dyn Fetch, request: Request) -> Result<Answer, FetchError> {
    for _ in 0..PATIENCE {
        let answer = fetch.send(request.clone()).await?;
        match answer.retry_after {
            Some(seconds) if answer.status == TOO_MANY => {
                tokio::time::sleep(Duration::from_secs(seconds).min(LONGEST_WAIT)).await;
            }
            _ => return Ok(answer),
        }
    }
    fetch.send(request).await
}

/// Where a directory has the walk from the set with this policy: a file answers no query.
pub(super) fn walk_file(from: &Hash) -> String {
    format!("trust/walk/{}", from.to_base64url())
}

fn read_file(path: &std::path::Path, limit: usize) -> Result<Option<Vec<u8>>, SourceError> {
    let shown = || path.display().to_string();
    let failed = |error: std::io::Error| SourceError::File { path: shown(), reason: error.to_string() };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // A pipe or a device has no end, and opening one may wait for ever.
    if !metadata.is_file() {
        return Err(SourceError::File { path: shown(), reason: "it is not a file".into() });
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() > limit { Err(SourceError::TooLong { path: shown(), limit }) } else { Ok(Some(bytes)) }
}
