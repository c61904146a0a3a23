//! Four real programs that order together: what holds when two of them are gone, and when one starts without the history.

#![cfg(feature = "simplex")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails here says where")]

mod program;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use program::{Operator, done, exchange, post};
use tempfile::TempDir;

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(90);

/// A chain of four validators on this machine. What runs ends with it.
struct Four {
    directory: TempDir,
    running: Vec<Option<(Child, String)>>,
    operator: Operator,
}

impl Four {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let free = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let peers = free.each_ref().map(|port| port.local_addr().unwrap().to_string());
        drop(free);
        let nodes = directory.path().join("nodes");
        let dir = nodes.display().to_string();
        let mut arguments = vec!["init", "--dir", &dir, "--chain", "sample", "--operator", "Sample"];
        arguments.extend(["--listen", "127.0.0.1:0", "--validators", "4"]);
        peers.iter().for_each(|peer| arguments.extend(["--peer", peer]));
        let operator = Operator::of(&done(&arguments), &nodes.join("node0"));
        Self { directory, running: (0..4).map(|_| None).collect(), operator }
    }

    fn path(&self, place: usize, name: &str) -> PathBuf {
        self.directory.path().join(format!("nodes/node{place}")).join(name)
    }

    fn config(&self, place: usize) -> String {
        self.path(place, "ledger.toml").display().to_string()
    }

    fn start(&mut self, place: usize) {
        self.running[place] = Some(program::start(&self.config(place)));
    }

    fn kill(&mut self, place: usize) {
        if let Some((mut child, _)) = self.running[place].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn address(&self, place: usize) -> &str {
        &self.running[place].as_ref().unwrap().1
    }

    fn get(&self, place: usize, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        exchange(self.address(place), &request).unwrap()
    }

    /// Sends the operator's transaction of this number until the node acknowledges it.
    fn submit(&self, place: usize, seq: u64) {
        let transaction = self.operator.anchor(seq, seq);
        until("it is acknowledged", || {
            let answer = post(self.address(place), &transaction).unwrap();
            answer.starts_with("HTTP/1.1 200").then_some(()).ok_or(answer)
        });
    }

    /// Waits until the node's `/status` is so, and gives the answer.
    fn status(&self, place: usize, what: &str, holds: impl Fn(&str) -> bool) -> String {
        until(what, || {
            let answer = self.get(place, "/status");
            if holds(&answer) { Ok(answer) } else { Err(answer) }
        })
    }
}

impl Drop for Four {
    fn drop(&mut self) {
        for (child, _) in self.running.iter_mut().flatten() {
            let _ended = child.kill();
            let _waited = child.wait();
        }
    }
}

fn until<T>(what: &str, attempt: impl Fn() -> Result<T, String>) -> T {
    let began = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(answer) => assert!(began.elapsed() < PATIENCE, "{what}: {answer}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A number of the header that says how old the head is; nothing before there is one.
fn told(answer: &str, name: &str) -> Option<i64> {
    let line = answer.lines().find(|line| line.to_lowercase().starts_with("xinfu-head: "))?;
    let member = line.split([' ', ',']).find_map(|member| member.strip_prefix(&format!("{name}=")));
    member?.trim().parse().ok()
}

/// The node answers an errand once it has executed it, which is before the others have certified that: the next one is numbered
/// all the same.
#[test]
fn errands_follow_one_another_faster_than_they_are_certified() {
    let mut four = Four::new();
    (0..4).for_each(|place| four.start(place));
    four.status(0, "four certify", |answer| told(answer, "size") == Some(5));
    let notarise = |number: u8| {
        let digest = ledger::sha256(&[number]).to_base64url();
        let body = format!(r#"{{"digest":"{digest}"}}"#);
        let answer = program::post_to(four.address(0), "/notarise", "application/json", &body).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "errand {number}: {answer}");
    };
    std::thread::scope(|scope| {
        for client in 0..4_u8 {
            let notarise = &notarise;
            scope.spawn(move || (0..8).for_each(|errand| notarise(client * 8 + errand)));
        }
    });
}

#[test]
fn a_halted_ledger_is_read_and_says_how_old_its_head_is() {
    let mut four = Four::new();
    (0..4).for_each(|place| four.start(place));
    four.status(0, "four certify", |answer| told(answer, "size") == Some(5));

    // Two of four are no quorum: nothing is certified any more, and everything is still answered.
    [2, 3].into_iter().for_each(|place| four.kill(place));
    let last = four.status(0, "all said before is heard", |answer| told(answer, "age") >= Some(3));
    // Past the time at which an idle head is cosigned again.
    let old = four.status(0, "it grows old", |answer| told(answer, "age") > Some(33));
    assert!(told(&old, "at") >= told(&last, "at") && told(&old, "size") == told(&last, "size"));
    for path in ["/checkpoint", "/proofs/log/0", "/proofs/state?key=members", "/registry/validators", "/genesis"] {
        let answer = four.get(0, path);
        assert!(answer.starts_with("HTTP/1.1 200") && told(&answer, "age") > Some(33), "{path}: {answer}");
    }
    assert!(old.contains("\"halted\":false"), "this node is sound; it is the quorum that is missing");
    let (dir, url) = (four.path(0, "").display().to_string(), format!("http://{}", four.address(0)));
    let status = done(&["status", "--dir", &dir, "--node", &url]);
    assert!(status.starts_with("The node answers under a checkpoint of 5 entries"), "{status}");
}

#[test]
fn a_validator_of_four_that_starts_from_a_snapshot_takes_part() {
    let mut four = Four::new();
    (0..4).for_each(|place| four.start(place));
    (1..=4).for_each(|seq| four.submit(0, seq));
    let before = four.status(0, "the fourth is certified", |answer| told(answer, "size") >= Some(13));
    let before = told(&before, "size");
    // What is published is kept within a second.
    std::thread::sleep(Duration::from_millis(2_500));
    (0..4).for_each(|place| four.kill(place));
    let file = four.directory.path().join("snapshot").display().to_string();
    done(&["snapshot", "--config", &four.config(0), "--to", &file]);

    // The last one has lost everything, the votes of its engine, too; the others' history is dropped.
    let data = four.path(3, "data");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    let trust = four.path(0, "trust-root").display().to_string();
    done(&["start-from", "--config", &four.config(3), "--from", &file, "--trust", &trust]);
    done(&["prune", "--config", &four.config(0), "--keep", "0"]);

    // Without it the two others are no quorum.
    [0, 1, 3].into_iter().for_each(|place| four.start(place));
    four.submit(3, 5);
    four.submit(0, 6);
    for place in [0, 1, 3] {
        four.status(place, "they go on", |answer| {
            told(answer, "size") > before && answer.contains("\"validator\":true")
        });
    }
    [0, 1, 3].into_iter().for_each(|place| four.kill(place));
    for place in [0, 1, 3] {
        assert!(done(&["fsck", "--config", &four.config(place)]).starts_with("Sound: "));
    }
}
