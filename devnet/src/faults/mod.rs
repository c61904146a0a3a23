//! Faults: a ledger of several validators, each a process, under load while its nodes are killed, paused and emptied.
//!
//! ```text
//! load  ──transactions──►  nodes  ◄──kill -9, SIGSTOP, stop, wipe, wrong clock; all well again──  plan
//!   └─ acknowledged ─►  check, after each round and at the end  ◄─ certified heads ─ seen
//! ```
//!
//! What counts as a failure: two certified roots of one size; a transaction that was acknowledged and is not at its place
//! in every node's log, proven under the trust root; anything certified without a quorum; a node that ends by itself, does
//! not end well or does not start; a healed ledger that goes on too late ([`check::PROGRESS_BOUND`]); at the end, data that
//! does not pass `fsck`, different heads, or evidence against a validator. What does not: a transaction that nobody
//! acknowledged, whatever became of it.
//!
//! The seed decides the faults and when they strike; what the nodes do meanwhile is theirs, so the same seed gives the same
//! faults and not the same run.

mod acknowledged;
mod check;
mod load;
mod network;
mod nodes;
mod plan;
mod report;
mod seen;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use service_kit::chance::system_rng;
use service_kit::fetch::{Fetch, FetchConfig, Fetcher};
use service_kit::ledger_client::{LedgerClient, load_trust_root};
use tokio::sync::watch;

use crate::cli::{FaultsOptions, Options};
use crate::terminal::Progress;
use crate::world::found::{self, Founded};
use crate::world::home::Home;
use crate::world::layout::{HOUSING_FUND, Layout};
use acknowledged::Acknowledged;
use check::Took;
use load::Sender;
use network::{Network, Way};
use nodes::Nodes;
pub use plan::Kind;
use plan::{Fault, Plan};
use report::Rounds;
pub use report::{FaultsReport, PROGRESS_AIM, Times, told};
use seen::Seen;

/// Ledger nodes unless `--validators` says otherwise: the fewest of which one may be faulty.
const VALIDATORS: usize = 4;
/// Seconds after which a question to a node counts as unanswered: a paused node takes connections and says nothing.
const ANSWER_SECONDS: u64 = 5;
/// How far a wrong clock is off.
const CLOCK_OFF_SECONDS: i32 = 3_600;
/// How long a flapping cable is out, and then in: long enough for a handshake, too short for anything to come to rest.
const FLAP: Duration = Duration::from_millis(700);
/// Time between two questions to nodes that are starting.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// Time after which nothing more is shown without a quorum, and the others have noticed who is away: what was cosigned before the fault is certified by then, and
/// the public checkpoint moves once a second.
const SETTLED_WITHIN: Duration = Duration::from_millis(2_500);

/// The ledger as load and checks see it: addresses and keys, no processes.
struct World {
    layout: Layout,
    founded: Founded,
    /// Each node by name.
    clients: Vec<(&'static str, LedgerClient)>,
}

/// A ledger under load.
struct Trial {
    world: World,
    nodes: Nodes,
    /// The cables between them, where they can be cut.
    network: Option<Network>,
    /// Who submits what shows that the ledger goes on.
    probe: Sender,
    acknowledged: Arc<Acknowledged>,
    seen: Arc<Seen>,
    /// Acknowledged entries that were checked after earlier rounds.
    checked: usize,
}

/// Founds a ledger of several validators, or finds it founded, and puts it through `faults`.
///
/// # Errors
/// The first thing that does not hold, with seed and round.
pub async fn run(options: &Options, faults: &FaultsOptions, progress: &Progress<'_>) -> Result<FaultsReport> {
    let seeded = || format!("with --seed {} --rounds {}", faults.seed, faults.rounds);
    run_seeded(options, faults, progress).await.with_context(seeded)
}

async fn run_seeded(options: &Options, faults: &FaultsOptions, progress: &Progress<'_>) -> Result<FaultsReport> {
    let begun = Instant::now();
    let home = Home::open(options.data.as_deref(), &mut system_rng()?)?;
    let validators = if options.validators > 1 { options.validators } else { VALIDATORS };
    let layout = Options { validators, ..options.clone() }.layout(home.path())?;
    let network = faults.namespaces.as_deref().map(Network::new);
    let layout = if network.is_some() { layout.in_namespaces() } else { layout };
    progress.say(
        "devnet-faults-begins",
        &[
            ("validators", validators.to_string().into()),
            ("rounds", faults.rounds.to_string().into()),
            ("seed", faults.seed.to_string().into()),
            ("directory", home.path().display().to_string().into()),
        ],
    );
    let mut trial = Trial::begin(layout, network, faults)?;
    let held = trial.hold(faults, progress).await;
    let rounds = held.with_context(|| format!("what the nodes said last:\n{}", trial.nodes.last_words()))?;
    let head = check::data_at_rest(&trial.world.layout).await?;
    let (acknowledged, unanswered, refused) = trial.acknowledged.counts();
    Ok(FaultsReport {
        ok: true,
        rounds: faults.rounds,
        seed: faults.seed,
        validators,
        seconds: begun.elapsed().as_secs(),
        faults: rounds.by_kind(),
        acknowledged,
        unanswered,
        refused,
        progress_ms: rounds.times(),
        progress_ms_by_fault: rounds.times_by_kind(),
        catching_up_ms: rounds.times_to_catch_up(),
        slower_than_aimed: rounds.slower_than_aimed(),
        heads: trial.seen.count(),
        size: head.size,
        forks: 0,
        lost: 0,
    })
}

impl Trial {
    fn begin(layout: Layout, network: Option<Network>, faults: &FaultsOptions) -> Result<Self> {
        let founded = found::found(&layout, &mut system_rng()?)?;
        let program = std::env::current_exe().context("this program does not know its own file")?;
        let fetch = FetchConfig { timeout_seconds: ANSWER_SECONDS, ..found::fetch(&layout) };
        let fetch: Arc<dyn Fetch> = Arc::new(Fetcher::new(&fetch)?);
        let trust_root = load_trust_root(&layout.trust_root())?;
        let client = |url: &str| LedgerClient::new(Arc::clone(&fetch), url, trust_root.clone());
        let clients = layout.validators().map(|member| (member.id, client(&layout.url(member)))).collect();
        let nodes = Nodes::new(&layout, program, network.as_ref(), faults.faketime.as_deref());
        let world = World { layout, founded, clients };
        let acknowledged = Arc::new(Acknowledged::default());
        let mut rng = StdRng::seed_from_u64(faults.seed);
        let probe = Sender::load(&world, &HOUSING_FUND, &world.founded.housing_fund, &acknowledged, &mut rng)?;
        Ok(Self { world, nodes, network, probe, acknowledged, seen: Arc::default(), checked: 0 })
    }

    /// Starts the nodes, runs load and rounds, stops everything.
    async fn hold(&mut self, faults: &FaultsOptions, progress: &Progress<'_>) -> Result<Rounds> {
        for place in 0..self.nodes.count() {
            self.nodes.start(place)?;
        }
        self.goes_on(Instant::now(), None).await.context("the ledger does not begin")?;
        let (stop, stopped) = watch::channel(false);
        let mut rng = StdRng::seed_from_u64(faults.seed);
        let senders = load::senders(&self.world, &self.acknowledged, &mut rng)?;
        let mut tasks = load::start(senders, &stopped);
        tasks.extend(seen::watch_all(&self.world.clients, &self.seen, &stopped));

        let rounds = self.rounds(faults, progress).await;
        stop.send_replace(true);
        for task in tasks {
            task.await.context("the load broke")?;
        }
        let rounds = rounds?;
        self.end().await.context("at the end")?;
        Ok(rounds)
    }

    async fn rounds(&mut self, faults: &FaultsOptions, progress: &Progress<'_>) -> Result<Rounds> {
        let kinds: &[Kind] = match (&self.network, &faults.faketime) {
            (Some(_), _) => &Kind::OF_NETWORK,
            (None, Some(_)) => &Kind::OF_CLOCKS,
            (None, None) => &Kind::OF_PROCESSES,
        };
        let mut plan = Plan::new(StdRng::seed_from_u64(faults.seed), self.nodes.count(), kinds);
        let mut rounds = Rounds::default();
        for round in 1..=faults.rounds {
            let fault = plan.next();
            let took = self.round(&fault).await;
            let took =
                took.with_context(|| format!("round {round} ({} of {})", fault.kind.as_str(), self.names(&fault)))?;
            rounds.note(fault.kind, took);
            let slowest = took.progress.max(took.catching_up.unwrap_or_default());
            progress.say(
                "devnet-faults-round",
                &[
                    ("round", round.to_string().into()),
                    ("rounds", faults.rounds.to_string().into()),
                    ("fault", progress.text(&format!("devnet-fault-{}", fault.kind.as_str())).into()),
                    ("nodes", self.names(&fault).into()),
                    ("lasting", crate::report::time(u64::try_from(fault.lasting.as_millis())?).into()),
                    ("progress", crate::report::time(u64::try_from(slowest.as_millis())?).into()),
                    ("acknowledged", self.acknowledged.counts().0.to_string().into()),
                ],
            );
        }
        Ok(rounds)
    }

    fn names(&self, fault: &Fault) -> String {
        let names: Vec<_> = fault.victims.iter().map(|place| self.nodes.name(*place)).collect();
        names.join(", ")
    }

    /// One fault, and everything that must hold when it is over. Answers how long it took to go on.
    async fn round(&mut self, fault: &Fault) -> Result<Took> {
        tokio::time::sleep(fault.before).await;
        self.strike(fault).await?;
        let emptied = fault.victims.first().filter(|_| fault.kind == Kind::Wipe).map(|place| self.nodes.name(*place));
        let took = self.goes_on(Instant::now(), emptied).await?;
        let fresh = self.acknowledged.since(self.checked);
        self.checked = self.checked.saturating_add(fresh.len());
        check::nothing_lost(&self.world, &mut self.nodes, &self.seen, fresh).await?;
        Ok(took)
    }

    /// When it returns, nothing is in the way of any node any more, though those that were down are only starting.
    async fn strike(&mut self, fault: &Fault) -> Result<()> {
        let Fault { kind, victims, lasting, .. } = fault;
        match kind {
            Kind::Kill | Kind::KillAll | Kind::Stop | Kind::Wipe => {
                self.take_down(fault).await?;
                tokio::time::sleep(*lasting).await;
                self.bring_back(fault)
            }
            Kind::Halt => {
                self.take_down(fault).await?;
                self.certifying(*lasting, false).await?;
                self.bring_back(fault)
            }
            Kind::Pause => {
                victims.iter().try_for_each(|place| self.nodes.pause(*place))?;
                tokio::time::sleep(*lasting).await;
                victims.iter().try_for_each(|place| self.nodes.resume(*place))
            }
            Kind::Clock => {
                let ahead = if lasting.as_millis() % 2 == 0 { CLOCK_OFF_SECONDS } else { -CLOCK_OFF_SECONDS };
                victims.iter().try_for_each(|place| self.nodes.set_clock(*place, ahead))?;
                self.certifying(*lasting, true).await?;
                victims.iter().try_for_each(|place| self.nodes.set_clock(*place, 0))
            }
            Kind::Halves | Kind::Minority | Kind::OneWay => {
                let ways = ways(*kind, victims, self.nodes.count());
                self.cut(&ways)?;
                self.certifying(*lasting, *kind != Kind::Halves).await?;
                self.mend(&ways)
            }
            Kind::Flapping => {
                let (ways, end) = (ways(*kind, victims, self.nodes.count()), Instant::now() + *lasting);
                while Instant::now() < end {
                    self.cut(&ways)?;
                    tokio::time::sleep(FLAP).await;
                    self.mend(&ways)?;
                    tokio::time::sleep(FLAP).await;
                }
                Ok(())
            }
        }
    }

    async fn take_down(&mut self, Fault { kind, victims, .. }: &Fault) -> Result<()> {
        for place in victims {
            if *kind == Kind::Stop { self.nodes.stop(*place).await? } else { self.nodes.kill(*place).await? }
        }
        Ok(())
    }

    fn bring_back(&mut self, Fault { kind, victims, .. }: &Fault) -> Result<()> {
        for place in victims {
            if *kind == Kind::Wipe {
                self.nodes.wipe(*place)?;
            }
            self.nodes.start(*place)?;
        }
        Ok(())
    }

    fn cut(&self, ways: &[Way]) -> Result<()> {
        let network = self.network.as_ref().context("this network cannot be cut")?;
        ways.iter().try_for_each(|way| network.cut(*way))
    }

    fn mend(&self, ways: &[Way]) -> Result<()> {
        let network = self.network.as_ref().context("this network cannot be cut")?;
        ways.iter().try_for_each(|way| network.mend(*way))
    }

    /// Lets time pass under a fault: with a quorum the ledger goes on, and without one nothing new is certified.
    async fn certifying(&self, lasting: Duration, quorum: bool) -> Result<()> {
        tokio::time::sleep(SETTLED_WITHIN).await;
        let before = self.seen.newest();
        tokio::time::sleep(lasting.saturating_sub(SETTLED_WITHIN)).await;
        let after = self.seen.newest();
        if quorum {
            ensure!(after > before, "a quorum was connected, and nothing was certified after size {before}");
        } else {
            ensure!(after == before, "size {after} was certified without a quorum, after {before}");
        }
        Ok(())
    }

    async fn goes_on(&mut self, healed: Instant, emptied: Option<&str>) -> Result<Took> {
        let transaction = loop {
            match self.probe.next_transaction().await {
                Ok(transaction) => break transaction,
                Err(error) if healed.elapsed() > check::PROGRESS_BOUND => return Err(error),
                // Only for its first transaction the probe has to ask a node, which may be starting.
                Err(_) => {
                    self.nodes.all_run()?;
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        };
        let (took, index) =
            check::progress(&self.world, &mut self.nodes, &self.seen, healed, &transaction, emptied).await?;
        self.acknowledged.note(index, transaction);
        Ok(took)
    }

    /// Everything once more, then the data at rest.
    async fn end(&mut self) -> Result<()> {
        check::all_agree(&self.world, &self.seen).await?;
        let all = self.acknowledged.since(0);
        ensure!(all.len() > self.world.clients.len(), "too little was acknowledged to prove anything: {}", all.len());
        check::nothing_lost(&self.world, &mut self.nodes, &self.seen, all).await?;
        for place in 0..self.nodes.count() {
            self.nodes.stop(place).await?;
        }
        Ok(())
    }
}

/// What is cut between `victims` and all others of `nodes`: both ways, or only what the victims send.
fn ways(kind: Kind, victims: &[usize], nodes: usize) -> Vec<Way> {
    let others: Vec<usize> = (0..nodes).filter(|place| !victims.contains(place)).collect();
    let pairs = victims.iter().flat_map(|victim| others.iter().map(|other| Way { from: *victim, to: *other }));
    let back = |way: &Way| Way { from: way.to, to: way.from };
    pairs.flat_map(|way| std::iter::once(way).chain((kind != Kind::OneWay).then(|| back(&way)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_cuts_both_ways_between_the_groups_and_one_way_only_what_the_victim_sends() {
        let cut = |kind, victims: &[usize]| -> Vec<(usize, usize)> {
            ways(kind, victims, 4).iter().map(|way| (way.from, way.to)).collect()
        };
        assert_eq!(cut(Kind::OneWay, &[2]), [(2, 0), (2, 1), (2, 3)]);
        assert_eq!(cut(Kind::Minority, &[0]), [(0, 1), (1, 0), (0, 2), (2, 0), (0, 3), (3, 0)]);
        assert_eq!(cut(Kind::Halves, &[0, 3]), [(0, 1), (1, 0), (0, 2), (2, 0), (3, 1), (1, 3), (3, 2), (2, 3)]);
    }
}
