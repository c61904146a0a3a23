//! `restore`: a vault out of a backup, on this machine or a new one. What was in the backup is there byte for byte,
//! and one record after it says that it came out of a backup, so that the wallet can go on saying so.

use crate::{
    backup::{self, BackupError, Content},
    cli::RestoreArgs,
    error::WalletError,
    holdings::{self, Holdings, Restored},
    memory,
    moment::utc,
    passphrase::Source,
    ui::Ui,
    vault::{KdfCost, Vault, VaultError},
    view::View,
    wallet::Ports,
};
use serde_json::json;
use service_kit::terminal::harmless;
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Carries out `restore`. The file is checked before the phrase is asked for, and the phrase before the passphrase.
///
/// # Errors
/// A vault that is there already, a backup or a phrase that does not fit; then nothing was made.
pub fn command(
    dir: &Path,
    arguments: &RestoreArgs,
    passphrase: &Source,
    ports: &Ports,
    ui: &Ui,
) -> Result<View, WalletError> {
    if Vault::is_in(dir) {
        return Err(VaultError::Exists.into());
    }
    let file = read_file(&arguments.file)?;
    backup::check(&file)?;
    let content = backup::open(&file, &arguments.phrase.paper().take(ui)?)?;
    let restored = Restored { time: ports.clock.now().0, made: content.made.0, records: content.records.len() };
    let records = records_with(content, restored, arguments.ca.as_deref())?;
    let passphrase = passphrase.read_new(ui)?;
    let vault = Vault::create_holding(&records, dir, &passphrase, KdfCost::DEFAULT, &mut ports.chance.rng())?;
    memory::remember(&vault, ports, ui);
    let holdings = Holdings::read(vault)?;
    Ok(view(&holdings, restored, dir, ui))
}

fn read_file(path: &Path) -> Result<Vec<u8>, BackupError> {
    let file = File::open(path).map_err(|_| BackupError::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(backup::MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|_| BackupError::Unreadable)?;
    let small_enough = u64::try_from(bytes.len()).is_ok_and(|length| length <= backup::MOST_BYTES);
    if small_enough { Ok(bytes) } else { Err(BackupError::TooLarge) }
}

/// The backup's records as they are; then, if the certificate authorities lie elsewhere on this machine, a setup that
/// says so; then what tells that all this was restored.
fn records_with(
    content: Content,
    restored: Restored,
    ca: Option<&Path>,
) -> Result<Vec<zeroize::Zeroizing<Vec<u8>>>, WalletError> {
    let mut records = content.records;
    if let (Some(ca), Some(mut setup)) = (ca, holdings::setup_among(&records)) {
        let ca: PathBuf = std::path::absolute(ca).unwrap_or_else(|_| ca.to_owned());
        setup.ca = ca.to_string_lossy().into_owned();
        records.push(holdings::setup_record(&setup)?);
    }
    records.push(holdings::restored_record(restored)?);
    Ok(records)
}

fn view(holdings: &Holdings, restored: Restored, dir: &Path, ui: &Ui) -> View {
    let (place, credentials) = (dir.display().to_string(), holdings.credentials().count());
    let values = [
        ("dir", harmless(&place).into()),
        ("credentials", credentials.to_string().into()),
        ("sharings", holdings.sharings().count().to_string().into()),
    ];
    let mut lines = vec![ui.text("wallet-restore-done", &values), note(restored, ui)];
    let ca = holdings.setup().map(|setup| setup.ca.as_str()).filter(|ca| !ca.is_empty() && !Path::new(ca).exists());
    if let Some(ca) = ca {
        lines.push(ui.text("wallet-restore-ca", &[("file", harmless(ca).into())]));
    }
    let object = json!({ "ok": true, "vault": place, "made": restored.made, "records": restored.records,
        "credentials": credentials, "sharings": holdings.sharings().count(), "ca_missing": ca.is_some() });
    View { object, lines }
}

/// What a holder of a restored vault has to know: what the backup cannot have held.
#[must_use]
pub fn note(restored: Restored, ui: &Ui) -> String {
    let values = [("made", utc(restored.made).into()), ("records", restored.records.to_string().into())];
    ui.text("wallet-restore-note", &values)
}
