//! Crashes: the world under load while its processes are killed at random moments (`kill -9`).
//!
//! ```text
//! load  ──acts──►  services and wallets, each a process ◄──kill -9, start again──  killer
//!   └─ notes what was acknowledged ─►  noted  ─►  check, when the killing is over
//! ```
//!
//! What counts as a failure: a service that does not start again; a credential, offer, revocation, verdict, ledger
//! entry or wallet record that was acknowledged and is not there; a code that gives two credentials; a status index
//! given twice; a ledger whose data does not pass `fsck`; a kind of act that is not acknowledged again after the last kill.
//! What does not: an act that was not acknowledged, whatever became of it.
//!
//! The seed decides who is killed and after which pauses; what the processes do meanwhile is theirs, so the same seed
//! gives the same kills and not the same crash.

mod check;
mod killer;
mod load;
mod noted;
mod wallet;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand::rngs::StdRng;
use service_kit::chance::system_rng;
use service_kit::fetch::{Fetch, Fetcher};
use service_kit::ledger_client::LedgerClient;
use service_kit::messages::Lang;
use tokio::sync::watch;

use crate::cli::{CrashOptions, Options};
use crate::journey::patience::until;
use crate::journey::runner::Actor as _;
use crate::journey::{Step, Traveller};
use crate::world::admin::AdminApi;
use crate::world::found::{self, Founded};
use crate::world::home::Home;
use crate::world::layout::{Department, Layout, MARKET_REGULATION, Member, PUBLIC_SECURITY};
use crate::world::services::{Mode, Services};
use killer::Killer;
use noted::{Counts, Noted};
use wallet::WalletProcess;

/// The departments under load, each with a wallet of its own; the others only run.
const UNDER_LOAD: [Department; 2] = [PUBLIC_SECURITY, MARKET_REGULATION];

/// Subjects in each department's table: enough that no single one gathers thousands of credentials.
const SUBJECTS: usize = 200;

/// How long the load may take to have something of each kind acknowledged. A verdict comes last: what is shown must stand on
/// the ledger first.
const LOAD_PATIENCE: Duration = Duration::from_secs(120);

/// The world as load and checks see it: addresses and keys, no processes.
struct World {
    layout: Layout,
    founded: Founded,
    fetch: Arc<dyn Fetch>,
    ledger: LedgerClient,
}

impl World {
    fn admin(&self, member: &Member) -> Result<AdminApi> {
        AdminApi::open(Arc::clone(&self.fetch), &self.layout.url(member), &self.layout.admin_token(member))
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashReport {
    /// Kills.
    pub rounds: u32,
    /// Seconds it took, founding and checks included.
    pub seconds: u64,
    /// Kills by process.
    pub killed: Vec<(&'static str, u32)>,
    /// What was acknowledged and found again.
    pub counts: Counts,
}

/// Founds a world, kills and restarts its processes under load, and checks that nothing acknowledged is lost.
///
/// # Errors
/// The first thing that is not as it should be, with seed and round.
pub async fn run(options: &Options, crash: &CrashOptions) -> Result<CrashReport> {
    let seeded = || format!("with --seed {} --rounds {}", crash.seed, crash.rounds);
    run_seeded(options, crash).await.with_context(seeded)
}

async fn run_seeded(options: &Options, crash: &CrashOptions) -> Result<CrashReport> {
    let begun = Instant::now();
    let home = Home::open(options.data.as_deref(), &mut system_rng()?)?;
    let layout = options.layout(home.path())?;
    let founded = found::found(&layout, &mut system_rng()?)?;
    let program = std::env::current_exe().context("this program does not know its own file")?;
    let fetch: Arc<dyn Fetch> = Arc::new(Fetcher::new(&found::fetch(&layout))?);
    let mut services = Services::new(&layout, Mode::Processes { program: program.clone() }, fetch);
    services.start_all().await?;
    let mut traveller = Traveller::new(layout, founded, services, SUBJECTS, Lang::En)?;
    for step in [Step::Genesis, Step::Accredit, Step::Delegate, Step::Import] {
        traveller.act(step).await.with_context(|| step.name())?;
    }
    let Traveller { layout, founded, mut services, fetch, ledger, .. } = traveller;
    let world = Arc::new(World { layout, founded, fetch, ledger });

    let noted = Arc::new(Noted::default());
    let wallets = wallet::make_all(&world, &program)?;
    let killed = kill_under_load(&mut services, &world, &wallets, &noted, crash).await?;
    let counts = check::everything(&world, &wallets, &noted, &mut services).await?;
    services.stop_all().await?;
    check::the_ledgers_data(&world).await?;
    Ok(CrashReport { rounds: crash.rounds, seconds: begun.elapsed().as_secs(), killed, counts })
}

/// Runs load and killer together until the rounds are over; then load finishes what it is about.
async fn kill_under_load(
    services: &mut Services,
    world: &Arc<World>,
    wallets: &[Arc<WalletProcess>],
    noted: &Arc<Noted>,
    crash: &CrashOptions,
) -> Result<Vec<(&'static str, u32)>> {
    let (stop, stopped) = watch::channel(false);
    let load = load::start(world, wallets, noted, &stopped);
    let mut killer = Killer::new(services, wallets, StdRng::seed_from_u64(crash.seed));
    let killing = async {
        // There is something to lose before the first kill, however fast the rounds are over.
        something_of_each(noted, Counts::default()).await.context("before the first kill")?;
        for round in 1..=crash.rounds {
            killer.round().await.with_context(|| format!("round {round}"))?;
        }
        something_of_each(noted, noted.counts()).await.context("after the last kill")
    };
    let killing = killing.await;
    let killed = killer.killed();
    stop.send_replace(true);
    for act in load {
        act.await.context("the load broke")?;
    }
    killing?;
    Ok(killed)
}

/// Waits until something of each kind was acknowledged beyond `before`.
async fn something_of_each(noted: &Noted, before: Counts) -> Result<()> {
    let more = until(LOAD_PATIENCE, async || Ok(noted.counts().is_more_of_each_than(before).then_some(()))).await?;
    more.with_context(|| format!("some kind of act is not acknowledged: {before}, and then {}", noted.counts()))
}
