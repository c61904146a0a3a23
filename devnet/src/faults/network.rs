//! The network between nodes that each have a network namespace of their own, and how it is cut.
//!
//! `conformance/partitions.sh` makes the namespaces, joined by a bridge in another one, in which this program runs; so load
//! and checks reach every node however the nodes are cut off from each other. Everything here is done with `ip` (iproute2)
//! alone: a way is cut by telling the sender's kernel that its peer lives at a hardware address that nobody has. What it
//! sends then vanishes without any answer, as on a broken line, and the other way stays whole until it is cut, too.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::world::layout::namespace_host;

/// The hardware address that nobody has: locally administered, all zero but for that.
const NOBODY: &str = "02:00:00:00:00:00";
/// What each namespace calls its end of the cable.
const INTERFACE: &str = "eth0";

/// The cables between the namespaces `<prefix>0`, `<prefix>1`, …
pub(super) struct Network {
    prefix: String,
}

/// One direction between two nodes, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Network {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The namespace of the node at a place.
    pub(super) fn namespace(&self, place: usize) -> String {
        format!("{}{place}", self.prefix)
    }

    /// What is sent this way is lost from now on.
    pub(super) fn cut(&self, way: Way) -> Result<()> {
        let to = address(way.to)?.to_string();
        self.ip(way.from, &["neigh", "replace", &to, "lladdr", NOBODY, "nud", "permanent", "dev", INTERFACE])
    }

    /// It arrives again.
    pub(super) fn mend(&self, way: Way) -> Result<()> {
        let to = address(way.to)?.to_string();
        self.ip(way.from, &["neigh", "del", &to, "dev", INTERFACE])
    }

    fn ip(&self, place: usize, arguments: &[&str]) -> Result<()> {
        let namespace = self.namespace(place);
        let output =
            Command::new("ip").args(["-n", &namespace]).args(arguments).output().context("`ip` does not run")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "ip -n {namespace} {}: {}", arguments.join(" "), said.trim());
        Ok(())
    }
}

fn address(place: usize) -> Result<Ipv4Addr> {
    namespace_host(place).context("more nodes than addresses")
}
