//! The program: found the world, start it, make the journey, say what came of it, and stay up.

use std::ffi::OsString;
use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use service_kit::chance::system_rng;
use service_kit::fetch::Fetcher;
use service_kit::messages::{Catalogue, language};
use service_kit::stop;

use crate::cli::{CrashOptions, FaultsOptions, Options, ServiceKind};
use crate::journey::{self, Record, Traveller};
use crate::report::Report;
use crate::terminal::{Progress, write_result};
use crate::trial;
use crate::world::found;
use crate::world::home::Home;
use crate::world::services::{Here, Mode, Services};

/// Runs the world as the options say. Answers whether every step of the journey held.
///
/// # Errors
/// What kept the world from being founded or started, in plain words. A step that does not hold is no error here.
pub async fn run(options: &Options) -> Result<bool> {
    let messages = Catalogue::new(language(options.lang.map(crate::cli::LangFlag::as_str)));
    let progress = Progress::new(&messages, options.json);
    let home = Home::open(options.data.as_deref(), &mut system_rng()?)?;
    greet(&progress, &home);

    let layout = options.layout(home.path())?;
    let founded = found::found(&layout, &mut system_rng()?)?;
    progress.say("devnet-starting", &[]);
    let mut services = Services::new(&layout, mode(options)?, Arc::new(Fetcher::new(&found::fetch(&layout))?));
    let started = tokio::select! {
        started = services.start_all() => started,
        () = stop::asked_to_stop() => Ok(()),
    };
    if let Err(error) = started {
        services.stop_all().await?;
        return Err(error);
    }
    // Only now: had another devnet this directory, its locks would have kept us from starting.
    found::withdraw(&layout)?;

    let mut traveller = Traveller::new(layout, founded, services, options.subjects, messages.lang())?;
    let outcome = tokio::select! {
        outcome = make_journey(&mut traveller, &progress, &messages, options) => outcome.map(Some),
        () = stop::asked_to_stop() => Ok(None),
    };
    progress.say("devnet-stopping", &[]);
    traveller.services.stop_all().await?;
    Ok(outcome?.is_some_and(|report| report.ok))
}

/// Runs one service until standard input closes or the process is told to stop: the other side of `--procs`.
///
/// # Errors
/// What kept the service from starting.
pub async fn run_service(kind: ServiceKind, config: &std::path::Path) -> Result<()> {
    let service = Here::start(kind, config).await?;
    tokio::select! {
        () = stop::asked_to_stop() => {}
        () = parent_gone() => {}
    }
    service.stop().await;
    Ok(())
}

/// Runs one command line of the wallet: the process that `crash` kills. Answers the exit status.
pub async fn run_wallet(arguments: Vec<OsString>) -> u8 {
    let line: Vec<OsString> = std::iter::once("xinfu-wallet".into()).chain(arguments).collect();
    wallet_cli::run::run(&line).await
}

/// Kills processes under load and says what came of it.
///
/// # Errors
/// The first thing that was lost, doubled or did not start, with seed and round.
pub async fn crash(options: &Options, crash: &CrashOptions) -> Result<()> {
    let messages = Catalogue::new(language(options.lang.map(crate::cli::LangFlag::as_str)));
    // It knows one ledger node: of several it would kill the first only, and say that the ledger is sound.
    ensure!(options.validators == 1, "{}", messages.text("devnet-crash-one-ledger", &[]));
    let report = crate::crash::run(options, crash).await?;
    let killed: Vec<String> = report.killed.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let values = [
        ("rounds", report.rounds.to_string().into()),
        ("seed", crash.seed.to_string().into()),
        ("seconds", report.seconds.to_string().into()),
        ("killed", killed.join(", ").into()),
        ("offers", report.counts.offers.to_string().into()),
        ("credentials", report.counts.credentials.to_string().into()),
        ("verdicts", report.counts.verified.to_string().into()),
        ("revocations", report.counts.revoked.to_string().into()),
        ("entries", report.counts.entries.to_string().into()),
        ("unanswered", report.counts.unanswered.to_string().into()),
    ];
    write_result(&format!("{}\n", messages.text("devnet-crash-held", &values)))?;
    Ok(())
}

/// Puts a ledger of several validators through faults and says what came of it.
///
/// # Errors
/// The first thing that did not hold, with seed and round; and being told to stop before the end.
pub async fn faults(options: &Options, faults: &FaultsOptions) -> Result<()> {
    let messages = Catalogue::new(language(options.lang.map(crate::cli::LangFlag::as_str)));
    let progress = Progress::new(&messages, options.json);
    let report = tokio::select! {
        report = crate::faults::run(options, faults, &progress) => report?,
        () = stop::asked_to_stop() => bail!("stopped before the last round: nothing is proven"),
    };
    progress.show(&format!("{}\n", crate::faults::told(&report, &messages)))?;
    if options.json {
        write_result(&format!("{}\n", report.to_json_line()))?;
    }
    Ok(())
}

/// Returns when standard input closes: the process that started us is done with us, or dead.
async fn parent_gone() {
    let (gone, waiting) = tokio::sync::oneshot::channel();
    // A thread of its own, never joined: reading cannot be interrupted, and the process ends regardless.
    let watching = std::thread::Builder::new().name("parent".into()).spawn(move || {
        let _ended = std::io::stdin().read_to_end(&mut Vec::new());
        let _stopped = gone.send(());
    });
    match watching {
        // Either message says the same: standard input is of no use any more.
        Ok(_) => drop(waiting.await),
        Err(_) => std::future::pending().await,
    }
}

fn mode(options: &Options) -> Result<Mode> {
    Ok(if options.procs || options.validators > 1 {
        Mode::Processes { program: std::env::current_exe().context("this program does not know its own file")? }
    } else {
        Mode::Here
    })
}

fn greet(progress: &Progress<'_>, home: &Home) {
    let directory = home.path().display().to_string();
    progress.say("devnet-welcome", &[]);
    let where_it_lies = if home.is_temporary() { "devnet-data-temporary" } else { "devnet-data-kept" };
    progress.say(where_it_lies, &[("directory", directory.into())]);
    if home.path().join("founded-at").exists() {
        progress.say("devnet-continuing", &[]);
    }
}

async fn make_journey(
    traveller: &mut Traveller,
    progress: &Progress<'_>,
    messages: &Catalogue,
    options: &Options,
) -> Result<Report> {
    let mut record = Record::load(&traveller.layout.journey())?;
    progress.say("devnet-journey", &[]);
    let report = journey::run(&mut record, progress, traveller).await?;
    found::publish(&traveller.layout, &traveller.founded)?;
    progress.show(&format!("\n{}\n", report.to_table(messages)))?;
    progress.say(if report.ok { "devnet-all-held" } else { "devnet-not-all-held" }, &[]);
    let invitation = match options.once {
        true => None,
        // In a world that does not work there is nothing to try, but much to look at.
        false if !report.ok => Some(trial::addresses(&traveller.layout, messages)),
        false => Some(trial::invitation(traveller, messages).await?),
    };
    if let Some(invitation) = &invitation {
        progress.show(&format!("\n{invitation}"))?;
    }
    if options.json {
        write_result(&format!("{}\n", report.to_json_line()))?;
    }
    if invitation.is_some() {
        stop::asked_to_stop().await;
    }
    Ok(report)
}
