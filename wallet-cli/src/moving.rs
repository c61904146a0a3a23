//! `move`: to another device, with the old one emptied.
//!
//! | step | on the old device | if we die after it |
//! |---|---|---|
//! | phrase handed out | nothing yet | nothing happened |
//! | `leaving` recorded | frozen: nothing is received, shared or removed | `--cancel` goes on as before |
//! | transfer file written | frozen | `--cancel`, or go on |
//! | new vault made there, whole | frozen | `move` on the new device shows the code again |
//! | code confirmed here | emptied in one step | emptied, or still frozen and confirmed once more |
//!
//! So there is always one device with everything, and two only until the code is confirmed, with the old one frozen.
//! The code follows from the phrase and the file, so only who opened the file has it. After `--cancel` both may hold the
//! vault, and that is said.

use crate::{
    backup::{self, BackupError, Purpose},
    cli::MoveArgs,
    error::WalletError,
    holdings::{Arrived, Holdings, Leaving, Stay},
    keeping,
    moment::utc,
    phrase::Phrase,
    ui::Ui,
    view::View,
    wallet::Ports,
};
use identity_core::problem::Code;
use serde_json::json;
use service_kit::terminal::harmless;
use std::path::Path;

/// Why a move cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The vault is frozen until the move is confirmed or cancelled.
    #[error("the vault is being moved to another device")]
    UnderWay,
    /// The vault went to another device, and this one is empty.
    #[error("the vault was moved to another device")]
    Away,
    /// Nothing to confirm or cancel.
    #[error("no move is under way")]
    NotUnderWay,
    /// Not the code that the new device shows.
    #[error("that is not the code that the new device shows")]
    WrongCode,
}

impl MoveError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::UnderWay => Code::WalletMoveUnderWay,
            Self::Away => Code::WalletMoveAway,
            Self::NotUnderWay => Code::WalletMoveNotUnderWay,
            Self::WrongCode => Code::WalletMoveWrongCode,
        }
    }
}

/// Carries out `move`, but for `--in`, which makes a vault: see [`crate::restore`].
///
/// # Errors
/// [`MoveError`], a phrase that did not get onto paper, or what the disk refuses; the table above says what holds then.
pub fn command(holdings: &mut Holdings, arguments: &MoveArgs, ports: &Ports, ui: &Ui) -> Result<View, WalletError> {
    if let Some(file) = &arguments.out {
        return leave(holdings, file, arguments, ports, ui);
    }
    if let Some(code) = &arguments.confirm {
        return confirm(holdings, code, ports, ui);
    }
    if arguments.cancel {
        return cancel(holdings, ports, ui);
    }
    Ok(standing(holdings, ui))
}

fn leave(
    holdings: &mut Holdings,
    file: &Path,
    arguments: &MoveArgs,
    ports: &Ports,
    ui: &Ui,
) -> Result<View, WalletError> {
    match holdings.stay() {
        Stay::Here => {}
        Stay::Leaving(_) => return Err(MoveError::UnderWay.into()),
        Stay::Left(_) => return Err(MoveError::Away.into()),
    }
    keeping::check_place(file)?;
    let mut rng = ports.chance.rng();
    let (phrase, now) = (Phrase::make(&mut rng), ports.clock.now());
    let bytes = backup::seal(Purpose::Transfer, now, holdings.vault().records(), &phrase, &mut rng)?;
    let code = backup::confirmation_code(&bytes, &phrase).ok_or(BackupError::Damaged)?;
    arguments.phrase.paper().hand_out(&phrase, ui)?;
    holdings.add_leaving(Leaving { time: now.0, code }, &mut rng)?;
    if let Err(error) = keeping::write_whole(file, &bytes) {
        // No file, so nobody can go on with this move: the vault stays. If that cannot be written either, `--cancel`.
        holdings.add_staying(ports.clock.now(), &mut rng)?;
        return Err(error.into());
    }
    let place = file.display().to_string();
    let lines = vec![
        ui.text("wallet-move-out", &[("file", harmless(&place).into())]),
        ui.text("wallet-move-next", &[]),
        ui.text("wallet-move-frozen", &[]),
    ];
    Ok(View { object: json!({ "ok": true, "state": "leaving", "transfer": place }), lines })
}

fn confirm(holdings: &mut Holdings, code: &str, ports: &Ports, ui: &Ui) -> Result<View, WalletError> {
    let Stay::Leaving(leaving) = holdings.stay() else { return Err(not_under_way(holdings)) };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if digits(&leaving.code) != digits(code) {
        return Err(MoveError::WrongCode.into());
    }
    holdings.empty(ports.clock.now(), &mut ports.chance.rng())?;
    let lines = vec![ui.text("wallet-move-done", &[]), ui.text("wallet-move-copies", &[])];
    Ok(View { object: json!({ "ok": true, "state": "left" }), lines })
}

fn cancel(holdings: &mut Holdings, ports: &Ports, ui: &Ui) -> Result<View, WalletError> {
    if !matches!(holdings.stay(), Stay::Leaving(_)) {
        return Err(not_under_way(holdings));
    }
    holdings.add_staying(ports.clock.now(), &mut ports.chance.rng())?;
    let lines = vec![ui.text("wallet-move-cancelled", &[])];
    Ok(View { object: json!({ "ok": true, "state": "here" }), lines })
}

fn not_under_way(holdings: &Holdings) -> WalletError {
    match holdings.stay() {
        Stay::Left(_) => MoveError::Away.into(),
        Stay::Here | Stay::Leaving(_) => MoveError::NotUnderWay.into(),
    }
}

/// Where a move stands, on either device.
fn standing(holdings: &Holdings, ui: &Ui) -> View {
    let (state, line) = match (holdings.stay(), holdings.arrived()) {
        (Stay::Leaving(leaving), _) => {
            ("leaving", ui.text("wallet-move-leaving", &[("time", utc(leaving.time).into())]))
        }
        (Stay::Left(time), _) => ("left", ui.text("wallet-move-left", &[("time", utc(*time).into())])),
        (Stay::Here, Some(arrived)) => ("arrived", arrived_line(arrived, ui)),
        (Stay::Here, None) => ("here", ui.text("wallet-move-here", &[])),
    };
    let code = (state == "arrived").then(|| holdings.arrived().map(|arrived| arrived.code.as_str())).flatten();
    View { object: json!({ "ok": true, "state": state, "code": code }), lines: vec![line] }
}

/// The code for the old device, on the new one.
#[must_use]
pub fn arrived_line(arrived: &Arrived, ui: &Ui) -> String {
    ui.text("wallet-move-code", &[("code", arrived.code.as_str().into())])
}

/// Refuses what a vault on its way, or gone, must not do any more.
///
/// # Errors
/// [`MoveError::UnderWay`] if `changes` and the vault is frozen; [`MoveError::Away`] once it is gone.
pub fn check(holdings: &Holdings, changes: bool) -> Result<(), MoveError> {
    match holdings.stay() {
        Stay::Here => Ok(()),
        Stay::Leaving(_) if !changes => Ok(()),
        Stay::Leaving(_) => Err(MoveError::UnderWay),
        Stay::Left(_) => Err(MoveError::Away),
    }
}
