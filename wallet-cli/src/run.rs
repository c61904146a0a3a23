//! From the command line to the wallet's functions, and from their answers to the terminal.

use crate::{
    backup::Purpose,
    cli::{Act, Cli, DoctorArgs, InitArgs},
    doctor,
    error::{Exit, WalletError},
    holdings::{Holdings, Setup},
    keeping, memory, moving, restore,
    ui::Ui,
    vault::{KdfCost, Note, Vault},
    view::View,
    wallet::{Ports, Wallet},
};
use identity_core::x509::X509Error;
use serde_json::json;
use service_kit::help;
use service_kit::manual::{Made, Manual};
use service_kit::terminal::harmless;
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// Runs one command line and returns the exit status.
pub async fn run(arguments: &[OsString]) -> u8 {
    let lang = help::language(arguments);
    let cli = match Cli::read(arguments, lang) {
        Ok(cli) => cli,
        Err(error) => return complain(&error, &Ui::new(lang, false)),
    };
    let ui = Ui::new(lang, cli.json);
    if let Act::Doctor(arguments) = &cli.command {
        return visit(&cli, arguments, &ui);
    }
    match carry_out(cli, &ui).await {
        Ok(view) => {
            ui.result(&view.object, &view.lines);
            0
        }
        Err(error) => refuse(&error, &ui),
    }
}

fn refuse(error: &WalletError, ui: &Ui) -> u8 {
    ui.error(error.code(), &error.to_string(), error.place(ui).as_deref());
    status(error.exit())
}

/// The doctor's report comes out whatever it says, and the status tells whether all is well.
fn visit(cli: &Cli, arguments: &DoctorArgs, ui: &Ui) -> u8 {
    let seen =
        Ports::system().and_then(|ports| doctor::command(&directory(cli), arguments, &cli.passphrase(), &ports, ui));
    match seen {
        Ok((view, well)) => {
            ui.result(&view.object, &view.lines);
            if well { 0 } else { status(Exit::Vault) }
        }
        Err(error) => refuse(&error, ui),
    }
}

fn status(exit: Exit) -> u8 {
    match exit {
        Exit::Fault => 1,
        Exit::Usage => 2,
        Exit::Vault => 3,
        Exit::Refused => 4,
        Exit::Declined => 5,
        Exit::Unreachable => 6,
        Exit::NothingFits => 7,
    }
}

/// Help and version are no complaints: they go to standard output with status 0.
fn complain(error: &clap::Error, ui: &Ui) -> u8 {
    if !error.use_stderr() {
        ui.result(&json!(null), &[error.to_string().trim_end().to_owned()]);
        return 0;
    }
    let detail = help::complaint(error, ui.catalogue());
    ui.note(&ui.text("help-fault", &[("detail", detail.into())]));
    ui.note(&ui.text("help-fault-hint", &[("program", "xinfu-wallet".into())]));
    status(Exit::Usage)
}

async fn carry_out(cli: Cli, ui: &Ui) -> Result<View, WalletError> {
    let dir = directory(&cli);
    if let Act::Init(arguments) = &cli.command {
        return init(&dir, arguments, &cli, ui);
    }
    if let Act::Manual(manual) = &cli.command {
        return written(manual, ui);
    }
    let ports = Ports::system()?;
    if let Some(source) = source_of(&cli.command) {
        return restore::command(&dir, &source, &cli.passphrase(), &ports, ui);
    }
    let mut holdings = open(&dir, &cli, ui)?;
    if !matches!(cli.command, Act::Move(_)) {
        let changes = matches!(
            cli.command,
            Act::Receive(_)
                | Act::Present(_)
                | Act::Withdraw(_)
                | Act::ApproveRequest(_)
                | Act::Remove(_)
                | Act::Backup(_)
        );
        moving::check(&holdings, changes)?;
    }
    let kept = match &cli.command {
        Act::Backup(arguments) => Some(keeping::back_up(&holdings, arguments, &ports, ui)),
        Act::Passwd(arguments) => Some(keeping::change_passphrase(&mut holdings, arguments, &ports, ui)),
        Act::Move(arguments) => Some(moving::command(&mut holdings, arguments, &ports, ui)),
        Act::Remove(arguments) => Some(keeping::remove(&mut holdings, arguments, &ports, ui)),
        _ => None,
    };
    if let Some(result) = kept {
        memory::remember(holdings.vault(), &ports, ui);
        return result;
    }
    let mut wallet = Wallet::over(holdings, ports.clone())?;
    let result = use_wallet(&mut wallet, cli.command, ui).await;
    // A vault that cannot be written says so elsewhere; the next command walks the same way again.
    let _walked_again = wallet.keep_trust();
    memory::remember(wallet.holdings().vault(), &ports, ui);
    result
}

/// The commands that need the ledger or others.
async fn use_wallet(wallet: &mut Wallet, act: Act, ui: &Ui) -> Result<View, WalletError> {
    if matches!(act, Act::History | Act::List) {
        wallet.holdings().restored().into_iter().for_each(|restored| ui.note(&restore::note(restored, ui)));
    }
    match act {
        Act::List => wallet.list(ui).await,
        Act::Status => crate::status::command(wallet, ui).await,
        Act::Show(arguments) => wallet.show(arguments.number, ui),
        Act::History => wallet.history(ui).await,
        Act::Evidence(arguments) => crate::evidence::command(wallet, &arguments, ui).await,
        Act::Withdraw(arguments) => crate::withdraw::command(wallet, &arguments, ui).await,
        Act::Receive(arguments) => crate::receive::command(wallet, arguments, ui).await,
        Act::Present(arguments) => crate::present::command(wallet, arguments, ui).await,
        Act::DutyKey(arguments) => crate::official::key_command(wallet, &arguments, ui),
        Act::ApproveRequest(arguments) => crate::official::approve_command(wallet, arguments, ui).await,
        Act::Init(_)
        | Act::Backup(_)
        | Act::Restore(_)
        | Act::Passwd(_)
        | Act::Remove(_)
        | Act::Manual(_)
        | Act::Doctor(_)
        | Act::Move(_) => Err(WalletError::NoSetup),
    }
}

/// What `restore` and `move --in` make a vault from.
fn source_of(act: &Act) -> Option<restore::Source<'_>> {
    let (purpose, file, phrase, ca) = match act {
        Act::Restore(arguments) => (Purpose::Backup, &arguments.file, &arguments.phrase, &arguments.ca),
        Act::Move(arguments) => (Purpose::Transfer, arguments.into.as_ref()?, &arguments.phrase, &arguments.ca),
        _ => return None,
    };
    Some(restore::Source { purpose, file, phrase: phrase.paper(), ca: ca.as_deref() })
}

/// Opens what the passphrase opens; the passphrase itself is gone from memory when this returns.
fn open(dir: &Path, cli: &Cli, ui: &Ui) -> Result<Holdings, WalletError> {
    let vault = Vault::open(dir, &cli.passphrase().read(ui)?)?;
    for note in vault.notes() {
        ui.note(&note_text(*note, ui));
    }
    memory::check(&vault, ui)?;
    Ok(Holdings::read(vault)?)
}

/// Completions and manual pages need no vault.
fn written(manual: &Manual, ui: &Ui) -> Result<View, WalletError> {
    let made = manual.carry_out(ui.lang(), &crate::cli::localised).map_err(|_| WalletError::Unwritable)?;
    let object = match &made {
        Made::Script(script) => json!({ "ok": true, "script": script }),
        Made::Pages(pages) => json!({ "ok": true, "files": pages }),
    };
    Ok(View { object, lines: vec![made.text().trim_end().to_owned()] })
}

fn directory(cli: &Cli) -> PathBuf {
    cli.vault.clone().unwrap_or_else(|| env::home_dir().unwrap_or_default().join(".xinfu-wallet"))
}

fn note_text(note: Note, ui: &Ui) -> String {
    match note {
        Note::TailDropped { bytes } => ui.text("wallet-note-tail", &[("bytes", bytes.to_string().into())]),
        Note::WriteCompleted => ui.text("wallet-note-completed", &[]),
        Note::SlotDamaged => ui.text("wallet-note-slot", &[]),
    }
}

fn init(dir: &Path, arguments: &InitArgs, cli: &Cli, ui: &Ui) -> Result<View, WalletError> {
    let trust_root = fs::read_to_string(&arguments.trust_root).map_err(|_| WalletError::TrustRoot)?;
    // Commands run anywhere later, so the path must not depend on where this one runs.
    let ca = arguments.ca.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    let client_ca = match &arguments.client_ca {
        None => String::new(),
        Some(path) => fs::read_to_string(path).map_err(|_| WalletError::ClientAuthorities(X509Error::Anchors))?,
    };
    let setup = Setup {
        ledger: arguments.ledger.clone(),
        trust_root,
        trust_age: None,
        ca: ca.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
        client_ca,
        allow_private: arguments.allow_private.clone(),
        plain: arguments.plain,
    };
    let passphrase = cli.passphrase().read_new(ui)?;
    let ports = Ports::system()?;
    let wallet = Wallet::init(dir, &passphrase, KdfCost::DEFAULT, setup, ports.clone())?;
    memory::remember(wallet.holdings().vault(), &ports, ui);
    let place = dir.display().to_string();
    let lines = vec![
        ui.text("wallet-init-done", &[("dir", harmless(&place).into())]),
        ui.text("wallet-init-ledger", &[("origin", harmless(wallet.origin()).into())]),
        ui.text("wallet-init-backup", &[]),
    ];
    Ok(View { object: json!({ "ok": true, "vault": place, "origin": wallet.origin() }), lines })
}
