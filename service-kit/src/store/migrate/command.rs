//! The command `migrate` of a service: its arguments and what it tells the operator.

use std::path::PathBuf;

use clap::Args;

use super::{Interrupted, MigrateError, migrate};
use crate::messages::Catalogue;
use crate::store::place::{Engine, Place};

/// Where the data shall go. Its words stand in the catalogue, under `help-migrate-…`.
#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// The service's configuration.
    #[arg(long)]
    pub config: PathBuf,
    #[arg(long, value_enum)]
    to: Engine,
}

/// Moves the data, and tells what was done; the last line tells what the operator does now.
///
/// # Errors
/// [`MigrateError`].
pub async fn run(
    place: &Place<'_>,
    arguments: &MigrateArguments,
    messages: &Catalogue,
) -> Result<String, MigrateError> {
    let done = migrate(place, arguments.to).await?;
    let mut lines = Vec::new();
    match &done.interrupted {
        Some(Interrupted::Dropped(draft)) => {
            lines.push(messages.text("store-migrate-dropped", &[("draft", draft.display().to_string().into())]));
        }
        Some(Interrupted::Finished(draft)) => {
            lines.push(messages.text("store-migrate-finished", &[("draft", draft.display().to_string().into())]));
        }
        None => {}
    }
    let values = [
        ("engine", arguments.to.name().into()),
        ("entries", done.tally.entries.to_string().into()),
        ("digest", done.tally.digest.to_base64().into()),
    ];
    lines.push(messages.text("store-migrated", &values));
    let values = [
        ("engine", arguments.to.name().into()),
        ("config", arguments.config.display().to_string().into()),
        ("kept", done.kept.display().to_string().into()),
    ];
    lines.push(messages.text("store-migrated-next", &values));
    Ok(lines.join("\n"))
}
