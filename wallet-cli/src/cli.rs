//! The command line: its types, and its help in both languages.
//!
//! The types name every option once; the texts come from the catalogue under `wallet-help-…`, by the command's and the
//! option's name.

use crate::{passphrase::Source, phrase::Paper};
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use identity_core::{oid4vci::proof::Binding, problem::Lang};
use service_kit::{help, manual::Manual, messages::Catalogue};
use std::path::PathBuf;

/// `xinfu-wallet`, its options for every command, and the commands.
#[derive(Debug, Parser)]
#[command(name = "xinfu-wallet", version)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct Cli {
    #[arg(long, global = true, value_name = "DIR")]
    pub vault: Option<PathBuf>,
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "passphrase_fd")]
    pub passphrase_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "N")]
    pub passphrase_fd: Option<u32>,
    #[arg(long, global = true)]
    pub json: bool,
    #[arg(long, global = true, value_name = "en|zh", value_parser = ["en", "zh"], hide_possible_values = true)]
    pub lang: Option<String>,
    #[command(subcommand)]
    pub command: Act,
}

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the texts of commands are the catalogue's")]
pub enum Act {
    Init(InitArgs),
    Receive(ReceiveArgs),
    List,
    Status,
    Show(ShowArgs),
    Present(PresentArgs),
    History,
    Evidence(EvidenceArgs),
    Withdraw(WithdrawArgs),
    DutyKey(DutyKeyArgs),
    ApproveRequest(ApproveArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    Passwd(PasswdArgs),
    Remove(RemoveArgs),
    Doctor(DoctorArgs),
    Move(MoveArgs),
    #[command(flatten)]
    Manual(Manual),
}

/// `init`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct InitArgs {
    #[arg(long, value_name = "URL")]
    pub ledger: String,
    #[arg(long, value_name = "FILE")]
    pub trust_root: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    #[arg(long, value_name = "HOST")]
    pub allow_private: Vec<String>,
    #[arg(long)]
    pub plain: bool,
}

/// `receive`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct ReceiveArgs {
    #[command(flatten)]
    pub link: OfferSource,
    #[arg(long, value_name = "CODE")]
    pub tx_code: Option<String>,
    #[arg(
        long,
        value_name = "jwk|did",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub bind: Bind,
}

/// How the new credential names the holder's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Bind {
    /// By itself.
    #[default]
    Jwk,
    /// By a `did:key`.
    Did,
}

impl From<Bind> for Binding {
    fn from(bind: Bind) -> Self {
        match bind {
            Bind::Jwk => Self::Jwk,
            Bind::Did => Self::Did,
        }
    }
}

/// `show`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct ShowArgs {
    #[arg(value_name = "NUMBER")]
    pub number: usize,
}

/// Where an offer comes from: as text, or in a picture.
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
#[group(required = true, multiple = false)]
pub struct OfferSource {
    #[arg(value_name = "OFFER")]
    pub offer: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub qr: Option<PathBuf>,
}

/// Where a request comes from: as text, or in a picture.
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
#[group(required = true, multiple = false)]
pub struct RequestSource {
    #[arg(value_name = "REQUEST")]
    pub request: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub qr: Option<PathBuf>,
}

/// `present`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct PresentArgs {
    #[command(flatten)]
    pub link: RequestSource,
    #[arg(long)]
    pub yes: bool,
    #[arg(long)]
    pub open: bool,
    #[arg(long, value_name = "QUERY=NUMBER", value_parser = parse_selection)]
    pub select: Vec<(String, usize)>,
}

/// `evidence`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct EvidenceArgs {
    #[arg(value_name = "NUMBER")]
    pub number: usize,
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    #[arg(long)]
    pub full: bool,
}

/// `withdraw`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct WithdrawArgs {
    #[arg(value_name = "NUMBER")]
    pub number: usize,
    #[arg(long, conflicts_with = "notarise")]
    pub yes: bool,
    #[arg(long)]
    pub notarise: bool,
}

/// `duty-key`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct DutyKeyArgs {
    #[arg(value_name = "NUMBER")]
    pub number: usize,
}

/// `approve-request`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct ApproveArgs {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[arg(long, value_name = "NUMBER")]
    pub credential: usize,
    #[arg(long, value_name = "FILE")]
    pub content: Option<PathBuf>,
    #[arg(long)]
    pub yes: bool,
}

/// Where the recovery phrase is written to or read from, if not at the terminal.
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct PhraseArgs {
    #[arg(long, value_name = "FILE", conflicts_with = "phrase_fd")]
    pub phrase_file: Option<PathBuf>,
    #[arg(long, value_name = "N")]
    pub phrase_fd: Option<u32>,
}

impl PhraseArgs {
    /// As the words it stands for.
    #[must_use]
    pub fn paper(&self) -> Paper {
        match (&self.phrase_file, self.phrase_fd) {
            (Some(path), _) => Paper::File(path.clone()),
            (None, Some(number)) => Paper::Descriptor(number),
            (None, None) => Paper::Terminal,
        }
    }
}

/// `backup`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct BackupArgs {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub phrase: PhraseArgs,
}

/// `restore`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct RestoreArgs {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub phrase: PhraseArgs,
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// `passwd`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct PasswdArgs {
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_fd")]
    pub new_passphrase_file: Option<PathBuf>,
    #[arg(long, value_name = "N")]
    pub new_passphrase_fd: Option<u32>,
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u32>,
    #[arg(long, value_name = "N")]
    pub passes: Option<u32>,
}

impl PasswdArgs {
    /// Where the new passphrase comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::of(self.new_passphrase_file.as_ref(), self.new_passphrase_fd)
    }
}

/// `remove`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct RemoveArgs {
    #[arg(value_name = "NUMBER")]
    pub number: usize,
    #[arg(long)]
    pub yes: bool,
}

/// `move`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct MoveArgs {
    #[arg(long, value_name = "FILE", conflicts_with_all = ["into", "confirm", "cancel"])]
    pub out: Option<PathBuf>,
    #[arg(long = "in", value_name = "FILE", conflicts_with_all = ["confirm", "cancel"])]
    pub into: Option<PathBuf>,
    #[arg(long, value_name = "CODE", conflicts_with = "cancel")]
    pub confirm: Option<String>,
    #[arg(long)]
    pub cancel: bool,
    #[command(flatten)]
    pub phrase: PhraseArgs,
    #[arg(long, value_name = "FILE", requires = "into")]
    pub ca: Option<PathBuf>,
}

/// `doctor`
#[derive(Debug, Args)]
#[expect(missing_docs, reason = "the texts of options are the catalogue's")]
pub struct DoctorArgs {
    #[arg(long)]
    pub yes: bool,
}

fn parse_selection(text: &str) -> Result<(String, usize), String> {
    let parsed = text.split_once('=').and_then(|(query, number)| Some((query.to_owned(), number.parse().ok()?)));
    parsed.ok_or_else(|| "QUERY=NUMBER".to_owned())
}

impl Cli {
    /// Reads the command line, with help and complaints in `lang`.
    ///
    /// # Errors
    /// Clap's error; help and version are among them.
    pub fn read(arguments: &[std::ffi::OsString], lang: Lang) -> Result<Self, clap::Error> {
        let matches = localised(&Catalogue::new(lang)).try_get_matches_from(arguments)?;
        Self::from_arg_matches(&matches)
    }

    /// Where the passphrase comes from.
    #[must_use]
    pub fn passphrase(&self) -> Source {
        Source::of(self.passphrase_file.as_ref(), self.passphrase_fd)
    }
}

fn text_id(place: &str) -> String {
    format!("wallet-help-{place}")
}

/// The command with every text from the catalogue.
pub(crate) fn localised(catalogue: &Catalogue) -> Command {
    let command = help::localised(Cli::command(), catalogue, &text_id);
    command.after_help(catalogue.text("wallet-help-exit-codes", &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<std::ffi::OsString> {
        line.split(' ').map(Into::into).collect()
    }

    #[test]
    fn every_command_and_option_has_a_text_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            assert_eq!(help::untold(Cli::command(), lang, &text_id), Vec::<String>::new());
        }
    }

    #[test]
    fn help_names_every_exit_code() {
        for lang in [Lang::En, Lang::Zh] {
            let help = localised(&Catalogue::new(lang)).render_long_help().to_string();
            for code in 0..=7 {
                assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{help}");
            }
        }
    }

    #[test]
    fn a_slip_is_named_in_both_languages_with_the_likely_word() {
        let say =
            |line: &str, lang| help::complaint(&Cli::read(&arguments(line), lang).unwrap_err(), &Catalogue::new(lang));
        assert_eq!(say("xinfu-wallet lisst", Lang::En), "there is no command `lisst`; perhaps `list` is meant");
        assert_eq!(say("xinfu-wallet lisst", Lang::Zh), "没有命令 `lisst`；是否想用 `list`");
        assert_eq!(say("xinfu-wallet list --jsn", Lang::En), "there is no option `--jsn`; perhaps `--json` is meant");
        assert!(say("xinfu-wallet init --ledger https://x", Lang::Zh).contains("--trust-root"));
        assert_eq!(say("xinfu-wallet", Lang::En), "a command is missing");
        let secret = say("xinfu-wallet show hunter2", Lang::En);
        assert!(!secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn a_selection_is_a_query_and_a_number() {
        let cli = Cli::read(&arguments("xinfu-wallet present openid4vp://x --select a=2"), Lang::En).unwrap();
        let Act::Present(present) = cli.command else { panic!("present") };
        assert_eq!((present.select, present.yes), (vec![("a".to_owned(), 2)], false));
        assert!(Cli::read(&arguments("xinfu-wallet present openid4vp://x --select a"), Lang::En).is_err());
        assert!(Cli::read(&arguments("xinfu-wallet list --passphrase secret"), Lang::En).is_err());
    }
}
