//! Configuration: one documented TOML file per service.
//!
//! A service writes its keys once, with [`config!`](crate::config!): name, type, default, documentation. From that
//! come the struct, the commented file that `--print-config` prints, and the refusal of keys nobody knows, naming
//! the nearest that somebody does. Secrets are never values here: they are paths of files.

mod document;
mod nearest;

use std::path::{Path, PathBuf};

pub use document::{__default_value, __in_section, Documented, Key, print, render};
use identity_core::problem::Code;
use serde::de::DeserializeOwned;

/// Largest configuration file read, in bytes: ours have a few kilobytes; this keeps a wrong path harmless.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Why a configuration was refused. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no such file.
    #[error("{} does not exist; --print-config prints a file to start from", .0.display())]
    Missing(PathBuf),
    /// It cannot be read.
    #[error("{} cannot be read: {detail}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// It is not TOML, or a value is of the wrong kind.
    #[error("{}: {detail}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what.
        detail: String,
    },
    /// A key nobody knows.
    #[error("{}: unknown key `{key}`{}", .path.display(), .nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key as written, with its table.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A value that cannot be.
    #[error("`{key}` {reason}")]
    Invalid {
        /// The key, with its table.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ConfigError {
    /// The code of the catalogue.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Missing(_) => Code::ConfigMissing,
            Self::Unreadable { .. } => Code::ConfigUnreadable,
            Self::Malformed { .. } => Code::ConfigMalformed,
            Self::UnknownKey { .. } => Code::ConfigUnknownKey,
            Self::Invalid { .. } => Code::ConfigInvalidValue,
        }
    }

    /// For a service's own checks of its values.
    pub fn invalid(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { key: key.into(), reason: reason.into() }
    }
}

/// Reads the configuration file at `path`.
///
/// # Errors
/// Missing or unreadable file, malformed TOML, unknown key, wrong kind of value.
pub fn load<T: Documented + DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ConfigError::Missing(path.to_owned()),
        _ => ConfigError::Unreadable { path: path.to_owned(), detail: error.to_string() },
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_FILE_BYTES {
        return Err(ConfigError::Unreadable { path: path.to_owned(), detail: "it is too large".into() });
    }
    parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)
}

/// Parses the text of a configuration file; `path` is for messages.
///
/// # Errors
/// As [`load`], except for the file itself.
pub fn parse<T: Documented + DeserializeOwned>(text: &str, path: &Path) -> Result<T, ConfigError> {
    let malformed = |error: toml::de::Error| ConfigError::Malformed {
        path: path.to_owned(),
        detail: error.to_string().trim_end().to_owned(),
    };
    let table: toml::Table = text.parse().map_err(malformed)?;
    let known = T::keys();
    if let Some(unknown) = find_unknown(&table, &known, "") {
        let sections = known.iter().filter_map(|key| Some(key.path.rsplit_once('.')?.0));
        let candidates = known.iter().map(|key| key.path.as_str()).chain(sections);
        let nearest = nearest::nearest(&unknown, candidates).map(str::to_owned);
        return Err(ConfigError::UnknownKey { path: path.to_owned(), key: unknown, nearest });
    }
    // From the text, not the table, so that a wrong value is reported with its line.
    toml::from_str(text).map_err(malformed)
}

/// The first key of `table` (at `prefix`) that is neither a documented key nor a table holding documented keys.
fn find_unknown(table: &toml::Table, known: &[Key], prefix: &str) -> Option<String> {
    for (name, value) in table {
        let path = format!("{prefix}{name}");
        if known.iter().any(|key| key.path == path) {
            continue;
        }
        let inside = format!("{path}.");
        let is_section = known.iter().any(|key| key.path.starts_with(&inside));
        match value {
            toml::Value::Table(section) if is_section => {
                if let Some(unknown) = find_unknown(section, known, &inside) {
                    return Some(unknown);
                }
            }
            _ if is_section => continue, // of the wrong kind: the parser says so, with its line
            _ => return Some(path),
        }
    }
    None
}

#[cfg(test)]
mod tests;
