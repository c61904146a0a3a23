//! The flags of the `devnet` program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use service_kit::help;
use service_kit::messages::{Catalogue, Lang};

use crate::world::layout::{Layout, VALIDATORS};

/// First port used unless `--port-base` says otherwise; the services take the ports after it in a row.
pub const PORT_BASE: u16 = 9440;

/// Subjects in each department's table, as the newcomer sees it.
pub const SUBJECTS: usize = 1000;

/// The whole world in one process: a ledger, four departments that issue, a service that verifies, and a wallet.
/// Runs the journey of a first credential, then stays up for you to try things by hand.
#[derive(Debug, Parser)]
#[command(name = "devnet", version)]
pub struct Cli {
    /// What to run instead of the whole world (used by `--procs`).
    #[command(subcommand)]
    pub part: Option<Part>,
    /// How to run the world.
    #[command(flatten)]
    pub options: Options,
}

impl Cli {
    /// Reads the command line, with help and complaints in `lang`.
    ///
    /// # Errors
    /// Clap's error; help and version are among them.
    pub fn read(arguments: &[OsString], lang: Lang) -> Result<Self, clap::Error> {
        let command = help::localised(Self::command(), &Catalogue::new(lang), &text_id);
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

fn text_id(place: &str) -> String {
    format!("devnet-help-{place}")
}

/// How to run the world.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Exit after the journey; the exit status is 0 only if every step held.
    #[arg(long)]
    pub once: bool,
    /// Write the result of the journey as one JSON object, the last line of standard output.
    #[arg(long)]
    pub json: bool,
    /// Keep everything in this directory; a restart on it goes on where it stopped. Without it: a temporary one.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Run each service as a process of its own.
    #[arg(long)]
    pub procs: bool,
    /// Ledger nodes that order together, each a process of its own; implies `--procs`. Up to seven.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub validators: usize,
    /// HTTP instead of HTTPS, for debugging.
    #[arg(long)]
    pub plain: bool,
    /// First of the ports to listen on.
    #[arg(long, value_name = "N", default_value_t = PORT_BASE)]
    pub port_base: u16,
    /// Language of what is printed; by default that of the environment.
    #[arg(long, value_enum, hide_possible_values = true)]
    pub lang: Option<LangFlag>,
    /// Sample subjects in each department's table.
    #[arg(long, value_name = "N", default_value_t = SUBJECTS)]
    pub subjects: usize,
}

impl Options {
    /// Where everything of the world in `root` lies and listens.
    ///
    /// # Errors
    /// More validators than this world, or this program, has.
    pub fn layout(&self, root: &Path) -> Result<Layout> {
        let most = VALIDATORS.len().saturating_add(1);
        ensure!((1..=most).contains(&self.validators), "--validators is a number from 1 to {most}");
        ensure!(
            self.validators == 1 || cfg!(feature = "simplex"),
            "several validators need the feature `simplex`: cargo run --release -p devnet --features simplex -- …",
        );
        Ok(Layout::new(root, self.port_base, self.plain).with_validators(self.validators))
    }
}

/// A language of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LangFlag {
    /// English.
    En,
    /// 简体中文.
    Zh,
}

impl LangFlag {
    /// The flag as a locale.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }
}

/// A part of the world, run alone.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Runs one service until standard input closes or it is told to stop.
    #[command(hide = true)]
    Service {
        /// Which.
        #[arg(value_enum)]
        kind: ServiceKind,
        /// Its configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Runs one command of the wallet (used by `crash` and by the official of the journey).
    #[command(hide = true)]
    Wallet {
        /// The wallet's command line, without the program's name.
        #[arg(last = true)]
        arguments: Vec<OsString>,
    },
    /// Kills processes at random moments under load, and checks that nothing acknowledged is lost.
    Crash(CrashOptions),
    /// Kills, pauses and empties the nodes of a ledger of several validators under load, and checks that it neither forks
    /// nor loses anything acknowledged, and goes on.
    Faults(FaultsOptions),
}

/// How to kill.
#[derive(Debug, Clone, Args)]
pub struct CrashOptions {
    /// Kills.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub rounds: u32,
    /// Decides who is killed, and after which pauses.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// What goes wrong.
#[derive(Debug, Clone, Args)]
pub struct FaultsOptions {
    /// Faults, one a round.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub rounds: u32,
    /// Decides the faults, whom they strike, and when.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Cut the network instead: each node runs in the network namespace of this name and its place
    /// (`conformance/partitions.sh` makes them).
    #[arg(long, value_name = "PREFIX")]
    pub namespaces: Option<String>,
    /// Set the nodes' clocks instead, with this library of libfaketime, and kill nodes between.
    #[arg(long, value_name = "FILE", conflicts_with = "namespaces")]
    pub faketime: Option<PathBuf>,
}

/// The kinds of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServiceKind {
    /// A ledger node.
    Ledger,
    /// A department that issues.
    Issuer,
    /// A service that verifies.
    Verifier,
}

impl ServiceKind {
    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Issuer => "issuer",
            Self::Verifier => "verifier",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_whole_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            assert_eq!(help::untold(Cli::command(), lang, &text_id), Vec::<String>::new());
        }
    }

    #[test]
    fn the_flags_are_sound() {
        Cli::command().debug_assert();
        let line = "devnet --once --json --data d --procs --plain --lang zh";
        let cli = Cli::read(&line.split(' ').map(Into::into).collect::<Vec<_>>(), Lang::Zh).unwrap();
        assert!(cli.options.once && cli.options.json && cli.options.procs && cli.options.plain);
        assert_eq!((cli.options.port_base, cli.options.lang), (PORT_BASE, Some(LangFlag::Zh)));
    }
}
