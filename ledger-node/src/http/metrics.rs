//! The node's own metrics, beside those that every service has.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Histogram, HistogramOpts, IntGauge, Opts};
use service_kit::http::Metrics;

use crate::engine::Standing;
use crate::node::Node;

/// Bounds of certification times: fine where a good disk and line are, up to what only a fault explains.
const SECONDS: [f64; 24] = [
    0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.01, 0.012, 0.014, 0.017, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07,
    0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 5.0,
];

/// A number that is read when somebody asks.
struct Number {
    gauge: IntGauge,
    read: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl Collector for Number {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(i64::try_from((self.read)()).unwrap_or(i64::MAX));
        self.gauge.collect()
    }
}

/// Registers all of them.
pub(crate) fn register(metrics: &Metrics, node: &Arc<Node>, standing: &Arc<Standing>) -> Result<(), prometheus::Error> {
    let of_node = |name: &str, help: &str, read: fn(&Node) -> u64| {
        let node = Arc::clone(node);
        number(metrics, name, help, Box::new(move || read(&node)))
    };
    of_node("ledger_height", "Height of the newest certified block.", |node| {
        node.round().map_or(0, |round| round.head.height)
    })?;
    of_node("ledger_size", "Entries under the newest certified checkpoint.", |node| {
        node.round().map_or(0, |round| round.head.size)
    })?;
    of_node("ledger_head_age_seconds", "Seconds since the newest certified checkpoint was cosigned.", |node| {
        let age = node.round().map_or(0, |round| node.clock.now().since(round.at));
        u64::try_from(age).unwrap_or(0)
    })?;
    of_node("ledger_certification_lag", "Blocks executed here and not certified yet.", |node| {
        let certified = node.round().map_or(0, |round| round.head.height);
        node.executed().height.saturating_sub(certified)
    })?;
    of_node("ledger_waiting", "Transactions that wait to be executed.", |node| {
        u64::try_from(node.desk.waiting()).unwrap_or(u64::MAX)
    })?;
    of_node("ledger_contradictions", "Cosignatures of others on another root than this node's, or than their own.", {
        |node| node.contradictions.load(Ordering::Relaxed)
    })?;
    let certification = certification()?;
    metrics.registry().register(Box::new(certification.clone()))?;
    // Set once: a node is registered once.
    let _first = node.certification.set(certification);
    let of_engine = |name: &str, help: &str, read: fn(&Standing) -> u64| {
        let standing = Arc::clone(standing);
        number(metrics, name, help, Box::new(move || read(&standing)))
    };
    of_engine("ledger_view", "The ordering engine's view; 0 where one validator orders alone.", Standing::view)?;
    of_engine("ledger_final_height", "Height of the last block that this node knows to be final.", Standing::tip)?;
    of_engine("ledger_peers", "Other validators heard from lately.", Standing::peers)?;
    of_engine("ledger_pool", "Transactions in the pool.", |standing| standing.pooled().0)?;
    of_engine("ledger_pool_bytes", "Bytes of the transactions in the pool.", |standing| standing.pooled().1)
}

/// From a block's time, which its proposer's clock gave it, to the moment when this node has its certified checkpoint.
fn certification() -> Result<Histogram, prometheus::Error> {
    let help = "Seconds from a block's proposal until its checkpoint was certified, as this node saw it.";
    Histogram::with_opts(HistogramOpts::new("ledger_certification_seconds", help).buckets(SECONDS.to_vec()))
}

fn number(
    metrics: &Metrics,
    name: &str,
    help: &str,
    read: Box<dyn Fn() -> u64 + Send + Sync>,
) -> Result<(), prometheus::Error> {
    let gauge = IntGauge::with_opts(Opts::new(name, help))?;
    metrics.registry().register(Box::new(Number { gauge, read }))
}
