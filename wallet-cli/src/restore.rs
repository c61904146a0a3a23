//! `restore` and `move --in`: a vault out of a backup or a transfer, on this machine or a new one. What was in the backup is there byte for byte,
//! and one record after it says that it came out of a backup, so that the wallet can go on saying so.

use crate::{
    backup::{self, BackupError, Content, Purpose},
    error::WalletError,
    holdings::{self, Arrived, Holdings, Restored},
    memory,
    moment::utc,
    moving, passphrase,
    phrase::Paper,
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
use zeroize::Zeroizing;

/// What the vault is made from.
pub struct Source<'a> {
    /// A backup, or a transfer from another device.
    pub purpose: Purpose,
    /// The file.
    pub file: &'a Path,
    /// Where the phrase comes from.
    pub phrase: Paper,
    /// Where the certificate authorities lie on this machine, if elsewhere.
    pub ca: Option<&'a Path>,
}

/// Makes the vault. The file is checked before the phrase is asked for, and the phrase before the passphrase.
///
/// # Errors
/// A vault that is there already, a backup or a phrase that does not fit; then nothing was made.
pub fn command(
    dir: &Path,
    source: &Source<'_>,
    passphrase: &passphrase::Source,
    ports: &Ports,
    ui: &Ui,
) -> Result<View, WalletError> {
    if Vault::is_in(dir) {
        return Err(VaultError::Exists.into());
    }
    let file = read_file(source.file)?;
    backup::check(&file, source.purpose)?;
    let phrase = source.phrase.take(ui)?;
    let content = backup::open(&file, source.purpose, &phrase)?;
    let time = ports.clock.now().0;
    let restored = Restored { time, made: content.made.0, records: content.records.len() };
    let told = match source.purpose {
        Purpose::Backup => holdings::restored_record(restored)?,
        Purpose::Transfer => {
            let code = backup::confirmation_code(&file, &phrase).ok_or(BackupError::Damaged)?;
            holdings::arrived_record(&Arrived { time, code })?
        }
    };
    let records = records_with(content, told, source.ca)?;
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
    told: Zeroizing<Vec<u8>>,
    ca: Option<&Path>,
) -> Result<Vec<Zeroizing<Vec<u8>>>, WalletError> {
    let mut records = content.records;
    if let (Some(ca), Some(mut setup)) = (ca, holdings::setup_among(&records)) {
        let ca: PathBuf = std::path::absolute(ca).unwrap_or_else(|_| ca.to_owned());
        setup.ca = ca.to_string_lossy().into_owned();
        records.push(holdings::setup_record(&setup)?);
    }
    records.push(told);
    Ok(records)
}

fn view(holdings: &Holdings, restored: Restored, dir: &Path, ui: &Ui) -> View {
    let (place, credentials) = (dir.display().to_string(), holdings.credentials().count());
    let values = [
        ("dir", harmless(&place).into()),
        ("credentials", credentials.to_string().into()),
        ("sharings", holdings.sharings().count().to_string().into()),
    ];
    let mut lines = vec![ui.text("wallet-restore-done", &values)];
    match holdings.arrived() {
        Some(arrived) => lines.push(moving::arrived_line(arrived, ui)),
        None => lines.push(note(restored, ui)),
    }
    let ca = holdings.setup().map(|setup| setup.ca.as_str()).filter(|ca| !ca.is_empty() && !Path::new(ca).exists());
    if let Some(ca) = ca {
        lines.push(ui.text("wallet-restore-ca", &[("file", harmless(ca).into())]));
    }
    let object = json!({ "ok": true, "vault": place, "made": restored.made, "records": restored.records,
        "credentials": credentials, "sharings": holdings.sharings().count(), "ca_missing": ca.is_some(),
        "code": holdings.arrived().map(|arrived| arrived.code.as_str()) });
    View { object, lines }
}

/// What a holder of a restored vault has to know: what the backup cannot have held.
#[must_use]
pub fn note(restored: Restored, ui: &Ui) -> String {
    let values = [("made", utc(restored.made).into()), ("records", restored.records.to_string().into())];
    ui.text("wallet-restore-note", &values)
}
