//! Names of tiles: `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`.

use std::fmt;
use std::str::FromStr;

use super::WIDTH;
use crate::checkpoint::parse_decimal;

/// What a resource holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nodes of level `8 * level` of the tree, 32 bytes each.
    Hashes {
        /// 0 to 63; a log of fewer than 2^64 leaves has nothing above 7.
        level: u8,
    },
    /// Log entries, each with its length before it.
    Entries,
}

impl Content {
    /// How many items of this content a log of `size` leaves has.
    pub(super) fn items(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hashes { level } => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        }
    }
}

/// One resource of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its place among those of its content: item `n * 256` is its first.
    pub index: u64,
    /// How many items it holds, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile of this content and index in a log of `size` leaves, as wide as that log has it; nothing if that log
    /// has no such tile.
    #[must_use]
    pub fn of_log(content: Content, index: u64, size: u64) -> Option<Self> {
        let before = index.checked_mul(u64::from(WIDTH))?;
        let items = content.items(size).checked_sub(before)?;
        let width = u16::try_from(items).unwrap_or(WIDTH).min(WIDTH);
        (width > 0).then_some(Self { content, index, width })
    }

    /// Whether the tile holds all of its 256 items.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == WIDTH
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}/")?,
            Content::Entries => write!(f, "tile/entries/")?,
        }
        write_index(f, self.index)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        let rest = path.strip_prefix("tile/").ok_or(PathError)?;
        let (content, rest) = rest.split_once('/').ok_or(PathError)?;
        let content = match content {
            "entries" => Content::Entries,
            level => Content::Hashes { level: parse_level(level).ok_or(PathError)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH),
            Some((index, width)) => (index, parse_width(width).ok_or(PathError)?),
        };
        Ok(Self { content, index: parse_index(index).ok_or(PathError)?, width })
    }
}

/// The path names no tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path names no tile")]
pub struct PathError;

/// Three digits to an element, all but the last with an `x` before it.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let higher = index / 1000;
    if higher > 0 {
        write_higher(f, higher)?;
    }
    write!(f, "{:03}", index % 1000)
}

fn write_higher(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    if index >= 1000 {
        write_higher(f, index / 1000)?;
    }
    write!(f, "x{:03}/", index % 1000)
}

fn parse_index(text: &str) -> Option<u64> {
    let (higher, last) = text.rsplit_once('/').map_or((None, text), |(higher, last)| (Some(higher), last));
    let mut index = 0u64;
    for element in higher.into_iter().flat_map(|higher| higher.split('/')) {
        let digits = parse_three_digits(element.strip_prefix('x')?)?;
        // A leading element of zeros would be a second name for the same tile.
        if index == 0 && digits == 0 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    index.checked_mul(1000)?.checked_add(parse_three_digits(last)?)
}

fn parse_three_digits(text: &str) -> Option<u64> {
    let digits_only = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits_only { text.parse().ok() } else { None }
}

fn parse_level(text: &str) -> Option<u8> {
    parse_decimal(text).and_then(|level| u8::try_from(level).ok()).filter(|level| *level <= 63)
}

fn parse_width(text: &str) -> Option<u16> {
    parse_decimal(text).and_then(|width| u16::try_from(width).ok()).filter(|width| (1..WIDTH).contains(width))
}
