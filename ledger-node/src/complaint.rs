//! What went wrong, in the reader's language: the mistakes that operators make come from the catalogue, the rest says
//! itself in English.

use std::path::Path;

use identity_core::ledger_problem::LedgerProblem as _;
use identity_core::problem::Code;
use ledger::split_view::SplitEvidenceError;
use ledger_node::catch_up::{CatchUpError, ExportError};
use ledger_node::prune::PruneError;
use ledger_node::snapshot::SnapshotError;
use ledger_node::{InitError, StartError};
use service_kit::config::ConfigError;
use service_kit::founding::KeysError;
use service_kit::key_guard::GuardError;
use service_kit::keyfile::KeyFileError;
use service_kit::ledger_client::TrustRootFileError;
use service_kit::lock::LockError;
use service_kit::messages::Catalogue;
use service_kit::store::migrate::MigrateError;
use service_kit::trust_walk::AdvanceError;
use service_kit::{help, http};

use crate::operate::LedgerRefuses;

/// The reason as one text.
pub(crate) fn complaint(error: &anyhow::Error, catalogue: &Catalogue) -> String {
    let told = error
        .downcast_ref()
        .and_then(|error| of_config(error, catalogue))
        .or_else(|| error.downcast_ref().and_then(|error| of_start(error, catalogue)))
        .or_else(|| error.downcast_ref().and_then(|error| of_init(error, catalogue)))
        .or_else(|| error.downcast_ref().and_then(|error| of_ledger(error, catalogue)))
        .or_else(|| of_proof(error, catalogue))
        .or_else(|| of_store(error, catalogue))
        .or_else(|| of_catching_up(error, catalogue))
        .or_else(|| of_keys(error, catalogue));
    told.unwrap_or_else(|| format!("{error:#}"))
}

fn of_config(error: &ConfigError, catalogue: &Catalogue) -> Option<String> {
    match error {
        ConfigError::Missing(path) => Some(catalogue.text("ledger-wrong-no-config", &[("path", shown(path).into())])),
        ConfigError::UnknownKey { path, key, nearest } => {
            let values = [
                ("path", shown(path).into()),
                ("key", key.as_str().into()),
                ("nearest", nearest.as_deref().unwrap_or("-").into()),
            ];
            Some(catalogue.text("ledger-wrong-key", &values))
        }
        _ => None,
    }
}

fn of_start(error: &StartError, catalogue: &Catalogue) -> Option<String> {
    match error {
        StartError::Lock(LockError::InUse { directory, holder }) => {
            let values = [("directory", shown(directory).into()), ("holder", holder.as_str().into())];
            Some(catalogue.text("ledger-wrong-in-use", &values))
        }
        StartError::Lock(LockError::NoDirectory(directory)) => {
            Some(catalogue.text("ledger-wrong-no-directory", &[("directory", shown(directory).into())]))
        }
        StartError::Http(http::StartError::PortInUse(address)) => {
            let values = [("port", address.port().to_string().into()), ("ip", address.ip().to_string().into())];
            Some(catalogue.text("ledger-wrong-port", &values))
        }
        StartError::GenesisFile { path, .. } => {
            Some(catalogue.text("ledger-wrong-no-genesis", &[("path", shown(path).into())]))
        }
        StartError::Certify(ledger_node::CertifyError::NotAValidator) => Some(catalogue.text("ledger-wrong-keys", &[])),
        _ => None,
    }
}

fn of_init(error: &InitError, catalogue: &Catalogue) -> Option<String> {
    match error {
        InitError::Exists(directory) => {
            Some(catalogue.text("ledger-wrong-exists", &[("directory", shown(directory).into())]))
        }
        InitError::Prepared(path) => Some(catalogue.text("ledger-wrong-prepared", &[("path", shown(path).into())])),
        InitError::NotAValidator => Some(catalogue.text("ledger-wrong-unknown-keys", &[])),
        InitError::ChainName(name) => {
            Some(catalogue.text("ledger-wrong-chain-name", &[("name", name.as_str().into())]))
        }
        InitError::Create { who, why } => {
            let title = why.code().title(catalogue.lang());
            let values = [("who", who.as_str().into()), ("why", title.into())];
            Some(catalogue.text("ledger-wrong-founder", &values))
        }
        _ => None,
    }
}

/// What a file proves, or does not.
fn of_proof(error: &anyhow::Error, catalogue: &Catalogue) -> Option<String> {
    let evidence = error.downcast_ref().map(SplitEvidenceError::code);
    let walked = || error.downcast_ref().map(AdvanceError::code);
    let code = evidence.or_else(walked).or_else(|| error.downcast_ref().map(TrustRootFileError::code))?;
    Some(help::told(catalogue.lang(), Some(code), &error.to_string()))
}

/// A store that cannot be opened or moved.
fn of_store(error: &anyhow::Error, catalogue: &Catalogue) -> Option<String> {
    let start = error.downcast_ref().and_then(|error: &StartError| match error {
        StartError::Open(error) => Some(error.code()),
        _ => None,
    });
    let code = start.or_else(|| error.downcast_ref().map(MigrateError::code))?;
    Some(help::told(catalogue.lang(), Some(code), &error.to_string()))
}

/// A node that does not reach the others, cannot be written down for them, or keeps its history as it is.
fn of_catching_up(error: &anyhow::Error, catalogue: &Catalogue) -> Option<String> {
    let caught = error.downcast_ref().map(CatchUpError::code);
    let kept = || error.downcast_ref().map(SnapshotError::code).or_else(|| error.downcast_ref().map(PruneError::code));
    let code = caught.or_else(|| error.downcast_ref().map(ExportError::code)).or_else(kept)?;
    Some(help::told(catalogue.lang(), Some(code), &error.to_string()))
}

/// Trouble with a key file or its passphrase, wherever it came up.
fn of_keys(error: &anyhow::Error, catalogue: &Catalogue) -> Option<String> {
    let code = error.chain().find_map(|cause| {
        let guard = cause.downcast_ref().map(GuardError::code);
        let start = cause.downcast_ref().and_then(|error: &StartError| match error {
            StartError::Key(error) => Some(error.code()),
            _ => None,
        });
        let init = cause.downcast_ref().and_then(|error: &InitError| match error {
            InitError::Key(error) => Some(error.code()),
            _ => None,
        });
        let founding = || cause.downcast_ref().map(KeysError::code);
        guard.or(start).or(init).or_else(|| cause.downcast_ref().map(KeyFileError::code)).or_else(founding)
    })?;
    Some(help::told(catalogue.lang(), Some(code), &error.to_string()))
}

fn of_ledger(error: &LedgerRefuses, catalogue: &Catalogue) -> Option<String> {
    let code = Code::parse(&error.0)?;
    let values = [
        ("code", error.0.as_str().into()),
        ("title", code.title(catalogue.lang()).into()),
        ("remedy", code.remedy(catalogue.lang()).into()),
    ];
    Some(catalogue.text("ledger-wrong-refused", &values))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
