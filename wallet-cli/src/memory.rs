//! What this machine remembers of the vaults it opened, and where: under the user's state directory, apart from the
//! vaults, so that who copies or restores a vault's directory does not restore the memory with it.

use crate::{
    ui::Ui,
    vault::{Sight, Vault, VaultError},
    wallet::Ports,
};
use std::{
    env,
    path::{Path, PathBuf},
};

/// The memory's directory.
pub struct Memory(PathBuf);

impl Memory {
    /// `$XDG_STATE_HOME/xinfu-wallet`, else `~/.local/state/xinfu-wallet`; `None` for a user without a home.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        let named = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let state = named.or_else(|| Some(env::home_dir()?.join(".local/state")))?;
        Some(Self(state.join("xinfu-wallet")))
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0
    }
}

/// Refuses a file that is older than, or another than, what this machine remembers.
///
/// # Errors
/// [`VaultError::OlderThanSeen`], [`VaultError::OtherThanSeen`].
pub fn check(vault: &Vault, ui: &Ui) -> Result<(), VaultError> {
    let Some(memory) = Memory::of_this_machine() else { return Ok(()) };
    match vault.sight(memory.directory()) {
        Ok(Sight::First | Sight::Current) => Ok(()),
        Ok(Sight::Older { records, time }) => Err(VaultError::OlderThanSeen { records, time: time.0 }),
        Ok(Sight::Other) => Err(VaultError::OtherThanSeen),
        // Without a memory the wallet works on, as on a machine that never saw the vault; but it says so.
        Ok(Sight::Unreadable) | Err(_) => {
            ui.note(&ui.text("wallet-doctor-memory", &[]));
            Ok(())
        }
    }
}

/// Remembers how far the vault has come, after the command that brought it there. A failure costs the notice of an old
/// file, not the command.
pub fn remember(vault: &Vault, ports: &Ports, ui: &Ui) {
    let Some(memory) = Memory::of_this_machine() else { return };
    if vault.remember(memory.directory(), ports.clock.now(), &mut ports.chance.rng()).is_err() {
        ui.note(&ui.text("wallet-note-memory", &[]));
    }
}
