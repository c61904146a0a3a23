//! `doctor`: says what is wrong with a vault, and mends what can be mended without a guess, after asking. It changes no
//! record: what is damaged inside the committed part comes back from a backup or not at all.

use crate::{
    cli::DoctorArgs,
    error::WalletError,
    holdings::{Holdings, HoldingsError},
    memory::Memory,
    moment::utc,
    passphrase::Source,
    ui::Ui,
    vault::{self, Fault, Note, Sight, Vault, VaultError},
    view::View,
    wallet::Ports,
};
use serde_json::json;
use service_kit::terminal::harmless;
use std::path::Path;

/// What the doctor found, and what became of it.
struct Finding {
    name: String,
    text: String,
    mendable: bool,
    mended: bool,
}

/// The doctor at one vault.
struct Visit<'a> {
    ui: &'a Ui,
    yes: bool,
    findings: Vec<Finding>,
}

/// Looks, asks, mends. The flag says whether all is well now.
///
/// # Errors
/// No vault, no passphrase, or a system that refuses to mend.
pub fn command(
    dir: &Path,
    arguments: &DoctorArgs,
    passphrase: &Source,
    ports: &Ports,
    ui: &Ui,
) -> Result<(View, bool), WalletError> {
    let mut visit = Visit { ui, yes: arguments.yes, findings: Vec::new() };
    if visit.outside(dir)? {
        visit.inside(dir, passphrase, ports)?;
    }
    Ok(visit.report())
}

impl Visit<'_> {
    /// What shows without the passphrase. `false` if the vault cannot be opened.
    fn outside(&mut self, dir: &Path) -> Result<bool, WalletError> {
        let mut can_open = true;
        for fault in vault::survey(dir)? {
            let (name, text, mendable) = self.describe(&fault);
            let keeps_shut = matches!(fault, Fault::FileOpen | Fault::Hopeless(_));
            let mended = self.found(name, text, mendable);
            if mended {
                vault::mend_without_opening(fault, dir)?;
            }
            can_open &= mended || !keeps_shut;
        }
        Ok(can_open)
    }

    fn inside(&mut self, dir: &Path, passphrase: &Source, ports: &Ports) -> Result<(), WalletError> {
        let mut vault = match Vault::open(dir, &passphrase.read(self.ui)?) {
            Err(error @ VaultError::Passphrase) => return Err(error.into()),
            Err(error) => {
                self.hopeless(&error);
                return Ok(());
            }
            Ok(vault) => vault,
        };
        let mut rng = ports.chance.rng();
        let mut tidy = false;
        for note in vault.notes().to_vec() {
            let name = match note {
                Note::TailDropped { .. } => "torn-tail",
                Note::WriteCompleted => "write-completed",
                Note::SlotDamaged => "slot-damaged",
            };
            tidy |= self.found(name, self.ui.text(&format!("wallet-doctor-{name}"), &[]), true);
        }
        if tidy {
            vault.tidy(&mut rng)?;
        }
        self.memory(&mut vault, ports)?;
        match Holdings::read(vault) {
            Err(HoldingsError::Unknown { number }) => {
                let text = self.ui.text("wallet-doctor-record", &[("number", number.to_string().into())]);
                self.found("record", text, false);
            }
            other => {
                other?;
            }
        }
        Ok(())
    }

    fn memory(&mut self, vault: &mut Vault, ports: &Ports) -> Result<(), WalletError> {
        let Some(memory) = Memory::of_this_machine() else { return Ok(()) };
        let sight = vault.sight(memory.directory())?;
        let mut rng = ports.chance.rng();
        let (name, values) = match sight {
            Sight::First | Sight::Current => return Ok(()),
            Sight::Older { records, time } => {
                ("older", vec![("records", records.to_string().into()), ("time", utc(time.0).into())])
            }
            Sight::Other => ("other", Vec::new()),
            Sight::Unreadable => ("memory", Vec::new()),
        };
        let mut text = self.ui.text(&format!("wallet-doctor-{name}"), &values);
        if name != "memory" {
            text = format!("{text} {}", self.ui.text("wallet-doctor-take", &[]));
        }
        if self.found(name, text, true) {
            if name != "memory" {
                vault.take_for_current(memory.directory(), &mut rng)?;
            }
            vault.remember(memory.directory(), ports.clock.now(), &mut rng)?;
        }
        Ok(())
    }

    fn describe(&self, fault: &Fault) -> (&'static str, String, bool) {
        match fault {
            Fault::DirectoryOpen => ("directory-open", self.ui.text("wallet-doctor-directory-open", &[]), true),
            Fault::FileOpen => ("file-open", self.ui.text("wallet-doctor-file-open", &[]), true),
            Fault::Draft(path) => {
                let file = path.display().to_string();
                ("draft", self.ui.text("wallet-doctor-draft", &[("file", harmless(&file).into())]), true)
            }
            Fault::Hopeless(error) => (error.code().as_str(), self.sentence(error), false),
        }
    }

    fn sentence(&self, error: &VaultError) -> String {
        let (title, remedy) = (error.code().title(self.ui.lang()), error.code().remedy(self.ui.lang()));
        self.ui.text("wallet-doctor-hopeless", &[("title", title.into()), ("remedy", remedy.into())])
    }

    fn hopeless(&mut self, error: &VaultError) {
        let text = self.sentence(error);
        self.found(error.code().as_str(), text, false);
    }

    /// Notes a finding, and asks whether to mend it if that can be done.
    fn found(&mut self, name: &str, text: String, mendable: bool) -> bool {
        let mended = mendable && (self.yes || self.agreed(&text));
        self.findings.push(Finding { name: name.to_owned(), text, mendable, mended });
        mended
    }

    /// Nobody is asked when a script listens: it says `--yes`.
    fn agreed(&self, text: &str) -> bool {
        if self.ui.is_json() || !self.ui.can_ask() {
            return false;
        }
        self.ui.note(text);
        self.ui.confirm(&self.ui.text("wallet-doctor-confirm", &[]))
    }

    fn report(self) -> (View, bool) {
        let well = self.findings.iter().all(|finding| finding.mended);
        let mut lines = Vec::new();
        for finding in &self.findings {
            let what = match (finding.mended, finding.mendable) {
                (true, _) => "wallet-doctor-mended",
                (false, true) => "wallet-doctor-mendable",
                (false, false) => "wallet-doctor-unmendable",
            };
            lines.push(self.ui.text(what, &[("what", finding.text.as_str().into())]));
        }
        lines.push(self.ui.text(if well { "wallet-doctor-well" } else { "wallet-doctor-ill" }, &[]));
        let found =
            |it: &Finding| json!({ "name": it.name, "text": it.text, "mendable": it.mendable, "mended": it.mended });
        let findings: Vec<_> = self.findings.iter().map(found).collect();
        (View { object: json!({ "ok": well, "findings": findings }), lines }, well)
    }
}
