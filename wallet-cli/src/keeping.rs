//! Commands that look after the vault as a whole: `backup`, `passwd`, `remove`. None of them needs the network.

use crate::{
    backup::{self, BackupError, Purpose},
    cli::{BackupArgs, PasswdArgs, RemoveArgs},
    error::WalletError,
    holdings::Holdings,
    labels::TypeText,
    phrase::Phrase,
    ui::Ui,
    vault::KdfCost,
    view::{View, listed},
    wallet::Ports,
};
use serde_json::json;
use service_kit::{
    private_file::{self, PrivateFileError},
    terminal::harmless,
};
use std::{fs, io::ErrorKind, path::Path};

/// `backup`: the phrase first, once it is known that a file can be made there, and only when the phrase is known to be
/// written down the file, which is read back.
///
/// # Errors
/// A phrase that did not get onto paper, a name that is taken, a disk that refuses; then there is no backup.
pub fn back_up(holdings: &Holdings, arguments: &BackupArgs, ports: &Ports, ui: &Ui) -> Result<View, WalletError> {
    check_place(&arguments.file)?;
    let mut rng = ports.chance.rng();
    let phrase = Phrase::make(&mut rng);
    let made = ports.clock.now();
    let bytes = backup::seal(Purpose::Backup, made, holdings.vault().records(), &phrase, &mut rng)?;
    arguments.phrase.paper().hand_out(&phrase, ui)?;
    write_whole(&arguments.file, &bytes)?;
    let read_back = fs::read(&arguments.file).map_err(|_| BackupError::ReadBack)?;
    let content = backup::open(&read_back, Purpose::Backup, &phrase).map_err(|_| BackupError::ReadBack)?;
    let same = content.records.iter().map(|record| record.as_slice()).eq(holdings.vault().records());
    if !same {
        return Err(BackupError::ReadBack.into());
    }

    let (records, credentials) = (content.records.len(), holdings.credentials().count());
    let place = arguments.file.display().to_string();
    let values = [("file", harmless(&place).into()), ("credentials", credentials.to_string().into())];
    let lines = vec![ui.text("wallet-backup-done", &values), ui.text("wallet-backup-keep", &[])];
    let object = json!({ "ok": true, "backup": place, "made": made.0, "records": records, "credentials": credentials });
    Ok(View { object, lines })
}

/// Finds out whether [`write_whole`] can write there, before anybody writes down words for it.
///
/// # Errors
/// [`BackupError::Exists`], [`BackupError::Unwritable`].
pub(crate) fn check_place(path: &Path) -> Result<(), BackupError> {
    private_file::probe(path).map_err(|error| unwritten(&error))
}

/// Writes a private file whole, or not at all, and never over another.
///
/// # Errors
/// [`BackupError::Exists`], [`BackupError::Unwritable`].
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    private_file::create(path, bytes).map_err(|error| unwritten(&error))
}

fn unwritten(error: &PrivateFileError) -> BackupError {
    match error.kind() {
        Some(ErrorKind::AlreadyExists) => BackupError::Exists,
        kind => BackupError::Unwritable(kind.unwrap_or(ErrorKind::Other)),
    }
}

/// `passwd`: another passphrase, and another cost of guessing it if so wished.
///
/// # Errors
/// A new passphrase that is too short, a cost outside its bounds, or the vault's refusal.
pub fn change_passphrase(
    holdings: &mut Holdings,
    arguments: &PasswdArgs,
    ports: &Ports,
    ui: &Ui,
) -> Result<View, WalletError> {
    let old = holdings.vault().cost();
    let memory = arguments.memory.map_or(old.memory, |mebibytes| mebibytes.saturating_mul(1024));
    let cost = KdfCost { memory, passes: arguments.passes.unwrap_or(old.passes), lanes: old.lanes };
    cost.check().map_err(|_| WalletError::Cost)?;
    let passphrase = arguments.source().read_new(ui)?;
    holdings.vault_mut().change_passphrase(&passphrase, cost, &mut ports.chance.rng())?;
    let lines = vec![ui.text("wallet-passwd-done", &[]), ui.text("wallet-passwd-copies", &[])];
    Ok(View { object: json!({ "ok": true, "memory": cost.memory, "passes": cost.passes }), lines })
}

/// `remove`: one credential with its key, after a whole word.
///
/// # Errors
/// [`WalletError::UnknownCredential`], [`WalletError::Declined`], or the vault's refusal.
pub fn remove(holdings: &mut Holdings, arguments: &RemoveArgs, ports: &Ports, ui: &Ui) -> Result<View, WalletError> {
    let number = arguments.number;
    let unknown = WalletError::UnknownCredential { number };
    let held = holdings.credentials().find(|(held, ..)| *held == number);
    let Some((_, credential, _)) = held else { return Err(unknown) };
    let kind = TypeText::of(&credential.vct).name(ui.lang());
    let values =
        [("type", kind.into()), ("number", number.to_string().into()), ("issuer", harmless(&credential.issuer).into())];
    let bound = holdings.withdrawable_only_with(number);
    let numbers = listed(bound.iter().map(usize::to_string), ui);
    if !arguments.yes {
        ui.note(&ui.text("wallet-remove-what", &values));
        if !bound.is_empty() {
            ui.note(&ui.text("wallet-remove-bound", &[("numbers", numbers.as_str().into())]));
        }
        if !ui.confirm(&ui.text("wallet-remove-confirm", &[])) {
            return Err(WalletError::Declined);
        }
    }
    if !holdings.remove_credential(number, ports.clock.now(), &mut ports.chance.rng())? {
        return Err(unknown);
    }
    let mut lines = vec![ui.text("wallet-remove-done", &values)];
    if !bound.is_empty() {
        lines.push(ui.text("wallet-remove-unbound", &[("numbers", numbers.into())]));
    }
    lines.push(ui.text("wallet-remove-copies", &[]));
    let object = json!({ "ok": true, "removed": number, "no_longer_withdrawable": bound });
    Ok(View { object, lines })
}
