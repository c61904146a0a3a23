//! The real program: found, run, kill, run again, check; and what it says when something is wrong.

#![expect(clippy::unwrap_used, reason = "a test that fails here says where")]

mod program;

use std::path::Path;
use std::process::{Child, Output};

use identity_core::crypto::Signer as _;
use ledger::checkpoint::Checkpoint;
use ledger::cosignature::cosign;
use ledger::split_view::SplitEvidence;
use ledger::{TimeProof, TrustRoot, sha256};
use program::{Operator, done, post, run, said};
use service_kit::keyfile;
use tempfile::TempDir;

/// A founded chain in a directory that goes away with it.
struct Founded {
    directory: TempDir,
    operator: Operator,
}

impl Founded {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let node = directory.path().join("node");
        let dir = node.display().to_string();
        let told =
            done(&["init", "--dir", &dir, "--chain", "sample", "--operator", "Sample", "--listen", "127.0.0.1:0"]);
        Self { operator: Operator::of(&told, &node), directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join("node").join(name).display().to_string()
    }

    /// Two histories of nine entries, each cosigned by the node's validator.
    fn evidence(&self) -> SplitEvidence {
        let guard = service_kit::key_guard::KeyGuard::plain();
        let secret = keyfile::load(Path::new(&self.path("keys/witness.jwk")), &guard).unwrap();
        let trust_root = TrustRoot::parse(&std::fs::read_to_string(self.path("trust-root")).unwrap()).unwrap();
        let witness = trust_root.policy().witnesses().first().unwrap().key.clone();
        let note = |root: &[u8]| {
            let checkpoint = Checkpoint { origin: self.operator.origin.clone(), size: 9, root: sha256(root) };
            let line = cosign(&checkpoint, &witness, 1_000, |bytes| secret.sign(bytes).unwrap()).unwrap();
            checkpoint.to_note([line]).unwrap().to_string()
        };
        SplitEvidence { one: note(b"one"), other: note(b"other") }
    }

    fn config(&self) -> String {
        self.directory.path().join("node/ledger.toml").display().to_string()
    }

    /// The configuration of another node of the chain, with data of its own and the same keys.
    fn other(&self, name: &str) -> String {
        let root = self.directory.path();
        let (data, config) = (root.join(name), root.join(name).with_extension("toml"));
        std::fs::create_dir(&data).unwrap();
        let ours = format!("data = \"{}\"", root.join("node/data").display());
        let text = std::fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(&ours), "{text}");
        std::fs::write(&config, text.replace(&ours, &format!("data = \"{}\"", data.display()))).unwrap();
        config.display().to_string()
    }

    /// Starts the node and returns it with the address it says it listens at.
    fn start(&self) -> (Child, String) {
        program::start(&self.config())
    }

    fn anchor(&self, seq: u64) -> String {
        self.operator.anchor(seq, seq)
    }
}

/// Submits, and says whether the node acknowledged it.
fn submit(address: &str, transaction: &str) -> bool {
    post(address, transaction).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

#[test]
fn killed_under_load_it_loses_nothing_it_acknowledged() {
    let founded = Founded::new();
    let (mut next, mut rounds) = (1, 0);
    while rounds < 5 {
        let (mut child, address) = founded.start();
        // The first one may have been kept without an answer before the kill: then it is found, not done again.
        for _ in 0..10 {
            assert!(submit(&address, &founded.anchor(next)));
            next += 1;
        }
        let last = founded.anchor(next);
        let in_flight = std::thread::spawn(move || submit(&address, &last));
        child.kill().unwrap();
        child.wait().unwrap();
        next += u64::from(in_flight.join().unwrap());
        rounds += 1;
    }
    let checked = run(&["fsck", "--config", &founded.config()]);
    assert!(checked.status.success(), "{}", said(&checked));
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(told.starts_with("Sound: "), "{told}");
}

#[test]
fn the_operator_accredits_and_ends() {
    let founded = Founded::new();
    let (mut child, address) = founded.start();
    let node = founded.directory.path().join("node").display().to_string();
    let url = format!("http://{address}");
    let operate = |arguments: &[&str]| run(&[arguments, &["--dir", &node, "--node", &url]].concat());
    let subject = founded.operator.did.to_string();
    let wanted = ["accredit", "--subject", &subject, "--role", "verifier", "--type", "urn:sample:type"];
    let refused = operate(&wanted);
    assert!(said(&refused).contains("registry.accreditation.malformed"), "{}", said(&refused));
    let given = operate(&[&wanted[..], &["--claim", "address.region"]].concat());
    let told = String::from_utf8(given.stdout.clone()).unwrap();
    assert_eq!(told, "Certified at log index 3.\n", "{}", said(&given));
    let ended = operate(&["end-accreditation", "--subject", &subject, "--accreditation", "3"]);
    assert!(ended.status.success(), "{}", said(&ended));
    let again = operate(&["end-accreditation", "--subject", &subject, "--accreditation", "3"]);
    assert!(said(&again).contains("registry.accreditation.ended"), "{}", said(&again));
    child.kill().unwrap();
    child.wait().unwrap();
    let unreachable = operate(&["end-accreditation", "--subject", &subject, "--accreditation", "3"]);
    assert!(said(&unreachable).contains("cannot be reached"), "{}", said(&unreachable));
}

#[test]
fn evidence_is_judged_from_the_file_and_the_keys_alone() {
    let (founded, other) = (Founded::new(), Founded::new());
    let file = founded.path("evidence.json");
    let judge = |evidence: &SplitEvidence, trust: &str| {
        std::fs::write(&file, serde_json::to_vec(evidence).unwrap()).unwrap();
        run(&["evidence", "verify", &file, "--trust", trust])
    };
    let (evidence, trust) = (founded.evidence(), founded.path("trust-root"));
    let judged = judge(&evidence, &trust);
    let told = String::from_utf8(judged.stdout.clone()).unwrap();
    assert_eq!(told, "Convicted: solo signed two different histories of 9 entries.\n", "{}", said(&judged));
    let elsewhere = judge(&evidence, &other.path("trust-root"));
    assert!(!elsewhere.status.success() && said(&elsewhere).contains("different logs"), "{}", said(&elsewhere));
    let agree = SplitEvidence { other: evidence.one.clone(), ..evidence.clone() };
    assert!(said(&judge(&agree, &trust)).contains("There is nothing to report"));
    std::fs::write(&file, "{}").unwrap();
    let malformed = run(&["--lang", "zh", "evidence", "verify", &file, "--trust", &trust]);
    assert!(said(&malformed).contains("指控验证节点的证据格式错误"), "{}", said(&malformed));

    // The last validator stays: nobody could certify its conviction.
    let (mut child, address) = founded.start();
    judge(&evidence, &trust);
    let (node, url) = (founded.path(""), format!("http://{address}"));
    let accused = run(&["accuse", &file, "--dir", &node, "--node", &url]);
    assert!(said(&accused).contains("registry.validator.last"), "{}", said(&accused));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_proof_for_a_time_is_kept_in_a_file() {
    let founded = Founded::new();
    let (mut child, address) = founded.start();
    let (trust, url, out) = (founded.path("trust-root"), format!("http://{address}"), founded.path("time"));
    let at =
        |time: &str, lang: &str| run(&["at", time, "--trust", &trust, "--node", &url, "--out", &out, "--lang", lang]);
    let genesis: serde_json::Value =
        serde_json::from_slice(&std::fs::read(founded.path("genesis.json")).unwrap()).unwrap();
    let genesis = genesis["time"].as_u64().unwrap();
    let written = |millis: u64| {
        let (seconds, rest) = (millis / 1000, millis % 1000);
        format!("{}:{:02}.{rest:03}", service_kit::calendar::utc(i64::try_from(seconds).unwrap()), seconds % 60)
    };
    for (time, told) in [
        (written(genesis - 1), "ledger.time.before_genesis"),
        (written(genesis + 86_400_000), "ledger.time.not_yet_known"),
        ("tomorrow".to_owned(), "ledger.time.malformed"),
    ] {
        let refused = at(&time, "en");
        assert!(!refused.status.success() && said(&refused).contains(told), "{time}: {}", said(&refused));
        assert!(!Path::new(&out).exists());
    }
    // The next block closes it.
    let (node, subject) = (founded.path(""), founded.operator.did.to_string());
    let given =
        ["accredit", "--dir", &node, "--node", &url, "--subject", &subject, "--role", "issuer", "--type", "urn:x"];
    let given = run(&given);
    assert!(given.status.success(), "{}", said(&given));
    let told = at(&written(genesis), "zh");
    assert!(String::from_utf8(told.stdout.clone()).unwrap().starts_with("按账本时钟，"), "{}", said(&told));
    let proof = TimeProof::parse(&std::fs::read(&out).unwrap()).unwrap();
    let trust_root = TrustRoot::parse(&std::fs::read_to_string(&trust).unwrap()).unwrap();
    let moment = proof.verify(&trust_root, genesis).unwrap();
    assert!(moment.is_closed() && moment.sealed() == genesis);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_trust_root_is_walked_forward_and_members_vote() {
    let founded = Founded::new();
    let (mut child, address) = founded.start();
    let (trust, url) = (founded.path("trust-root"), format!("http://{address}"));
    let advance = |more: &[&str]| run(&[&["trust", "advance", "--trust", &trust, "--node", &url], more].concat());
    let unknown = advance(&[]);
    assert!(said(&unknown).contains("two members' nodes must be asked"), "{}", said(&unknown));
    let advanced = advance(&["--handed-over"]);
    assert!(advanced.status.success(), "{}", said(&advanced));
    assert!(std::fs::read_to_string(founded.path("trust-root.age")).unwrap().contains("\"size\":2"));
    assert!(advance(&[]).status.success(), "its age is known now");

    let node = founded.path("");
    let operate = |arguments: &[&str]| run(&[arguments, &["--dir", &node, "--node", &url]].concat());
    let did = founded.operator.did.to_string();
    let refusals = [
        (&["propose", "admit", "--subject", &did, "--name", "Sample"][..], "registry.member.exists"),
        (&["propose", "expel", "--subject", &did], "registry.member.last_authority"),
        (&["propose", "validator", "--subject", &did], "registry.validator.last"),
        (&["approve", "--proposal", "9"], "registry.proposal.unknown"),
        (&["withdraw", "--proposal", "9"], "registry.proposal.unknown"),
    ];
    for (arguments, code) in refusals {
        let refused = operate(arguments);
        assert!(said(&refused).contains(code), "{}", said(&refused));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_node_at_rest_is_brought_forward_from_a_peer_and_from_files() {
    let founded = Founded::new();
    let (mut child, address) = founded.start();
    assert!((1..=3).all(|seq| submit(&address, &founded.anchor(seq))));
    let root = founded.directory.path();
    let told = |output: Output| {
        assert!(output.status.success(), "{}", said(&output));
        (String::from_utf8(output.stdout.clone()).unwrap(), said(&output))
    };

    // From a node that runs; one that is not there is named.
    let (second, url) = (founded.other("second"), format!("http://{address}"));
    let catch_up =
        |config: &str| run(&["catch-up", "--config", config, "--peer", "http://127.0.0.1:1", "--peer", &url]);
    let (done, along) = told(catch_up(&second));
    assert_eq!(
        done,
        "The node stands at 8 entries (block 3), 6 more than before; each was proven and executed here.\n"
    );
    assert_eq!(along.matches("http://127.0.0.1:1 does not help: 127.0.0.1:1 cannot be reached").count(), 1, "{along}");
    assert!(along.contains("8 of 8 entries, ") && along.contains(" per second"), "{along}");
    assert!(told(catch_up(&second)).0.starts_with("The node stands at 8 entries (block 3); nothing newer"));
    assert!(told(run(&["fsck", "--config", &second])).0.starts_with("Sound: 8 log entries up to block 3"));
    assert!(said(&catch_up(&founded.config())).contains("is in use by xinfu-ledger"));
    child.kill().unwrap();
    child.wait().unwrap();
    let nobody = run(&["--lang", "zh", "catch-up", "--config", &second, "--peer", &url]);
    assert!(!nobody.status.success() && said(&nobody).contains("无法提供帮助"), "{}", said(&nobody));

    // As files, without any network.
    let (files, third) = (root.join("files").display().to_string(), founded.other("third"));
    let (written, _) = told(run(&["export", "--config", &second, "--to", &files]));
    assert!(
        written.starts_with("8 entries (up to block 3) are in ") && written.contains("5 files were written"),
        "{written}"
    );
    assert!(told(run(&["import", "--config", &third, "--from", &files])).0.contains("6 more than before"));
    assert!(told(run(&["import", "--config", &third, "--from", &files])).0.contains("nothing newer"));
    assert!(told(run(&["fsck", "--config", &third])).0.starts_with("Sound: 8 log entries up to block 3"));

    // One changed byte, and what cannot be.
    let bundle = Path::new(&files).join("tile/entries/000.p/8");
    let mut bytes = std::fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let fourth = founded.other("fourth");
    let refused = run(&["import", "--config", &fourth, "--from", &files]);
    assert!(said(&refused).contains("its entries 2 to 7 are not those that were certified"), "{}", said(&refused));
    assert!(said(&refused).contains("report this one to its operator"), "{}", said(&refused));
    assert!(
        said(&refused).contains("xinfu-ledger: no source helps to catch up\n  See what each"),
        "{}",
        said(&refused)
    );
    assert!(told(run(&["fsck", "--config", &fourth])).0.starts_with("Sound: 2 log entries up to block 0"));
    let uncertified = run(&["export", "--config", &fourth, "--to", &root.join("none").display().to_string()]);
    assert!(said(&uncertified).contains("no certified checkpoint yet"), "{}", said(&uncertified));
    let nowhere = run(&["import", "--config", &fourth, "--from", &root.join("none").display().to_string()]);
    assert!(said(&nowhere).contains("there is no such directory"), "{}", said(&nowhere));
}

#[test]
fn another_history_is_kept_as_evidence_and_not_executed() {
    let founded = Founded::new();
    let (ours, fork) = (founded.config(), founded.other("fork"));
    // One validator, two histories: the one signs what the other never saw.
    let (mut child, address) = founded.start();
    assert!(submit(&address, &founded.anchor(1)));
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, address) = program::start(&fork);
    assert!((1..=3).all(|seq| submit(&address, &founded.operator.anchor(seq, 10 + seq))));
    let stopped = run(&["catch-up", "--config", &ours, "--peer", &format!("http://{address}")]);
    assert!(!stopped.status.success() && said(&stopped).contains("of another history"), "{}", said(&stopped));
    assert!(said(&stopped).contains("they are evidence"), "{}", said(&stopped));
    let kept = std::fs::read_to_string(founded.path("data/evidence/history-8")).unwrap();
    assert!(kept.starts_with(&format!("{}\n8\n", founded.operator.origin)), "{kept}");
    let checked = run(&["fsck", "--config", &ours]);
    assert!(String::from_utf8_lossy(&checked.stdout).starts_with("Sound: 4 log entries"), "{}", said(&checked));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn it_says_plainly_what_is_wrong() {
    let founded = Founded::new();
    let config = founded.config();
    let (mut child, address) = founded.start();
    let busy = run(&["run", "--config", &config]);
    assert!(said(&busy).contains("is in use by xinfu-ledger (process "), "{}", said(&busy));
    let other = |change: &dyn Fn(String) -> String| {
        let path = founded.directory.path().join("other.toml");
        std::fs::write(&path, change(std::fs::read_to_string(&config).unwrap())).unwrap();
        let output = run(&["run", "--config", &path.display().to_string()]);
        assert_eq!(output.status.code(), Some(1));
        said(&output)
    };
    let elsewhere = founded.directory.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let moved = |text: String| {
        let data = founded.directory.path().join("node/data").display().to_string();
        text.replace(&format!("data = \"{data}\""), &format!("data = \"{}\"", elsewhere.display()))
    };
    let port = other(&|text| moved(text).replace("127.0.0.1:0", &address));
    assert!(port.contains("is already in use"), "{port}");
    let typo = other(&|text| text.replace("queue = ", "queu = "));
    assert!(typo.contains("unknown key `queu`; the nearest known one is `queue`"), "{typo}");
    let nowhere = other(&|text| moved(text).replace("/elsewhere", "/nowhere"));
    assert!(nowhere.contains("does not exist: create the directory or correct the path"), "{nowhere}");
    let exchanged = other(&|text| moved(text).replace("log.jwk", "relay.jwk"));
    assert!(exchanged.contains("not those of one validator"), "{exchanged}");
    child.kill().unwrap();
    child.wait().unwrap();

    let again = run(&["init", "--dir", &dir_of(&config), "--chain", "sample", "--operator", "Sample"]);
    assert!(said(&again).contains("already holds a chain"), "{}", said(&again));
    let named = run(&["init", "--dir", "/tmp/none", "--chain", "Sample!", "--operator", "Sample"]);
    assert!(said(&named).contains("cannot name a chain"), "{}", said(&named));
    let nothing = run(&["--lang", "zh"]);
    assert!(said(&nothing).contains("请指明要做什么"), "{}", said(&nothing));
}

#[test]
fn help_and_configuration_are_printed() {
    let printed = run(&["--print-config"]);
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("# Directory of the node's data") && text.contains("[http]"), "{text}");
    let founded = Founded::new();
    let genesis = founded.directory.path().join("node/genesis.json").display().to_string();
    let trust_root = run(&["trust-root", "--genesis", &genesis]).stdout;
    assert_eq!(trust_root, std::fs::read(founded.directory.path().join("node/trust-root")).unwrap());
}

fn dir_of(path: &str) -> String {
    Path::new(path).parent().unwrap().display().to_string()
}

#[test]
fn a_node_starts_from_a_snapshot_and_drops_its_history() {
    let founded = Founded::new();
    let (mut child, address) = founded.start();
    assert!((1..=3).all(|seq| submit(&address, &founded.anchor(seq))));
    // What is published is kept within a second.
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    child.kill().unwrap();
    child.wait().unwrap();
    let told = |output: Output| {
        assert!(output.status.success(), "{}", said(&output));
        (String::from_utf8(output.stdout.clone()).unwrap(), said(&output))
    };
    let file = founded.directory.path().join("snapshot").display().to_string();
    let (written, _) = told(run(&["snapshot", "--config", &founded.config(), "--to", &file]));
    assert!(written.starts_with("The state after block 3 (") && written.contains("under 8 log entries"), "{written}");

    let second = founded.other("second");
    let trust = founded.path("trust-root");
    let (done, _) = told(run(&["start-from", "--config", &second, "--from", &file, "--trust", &trust]));
    assert!(done.starts_with("The node stands at 8 entries (block 3) with "), "{done}");
    assert!(told(run(&["fsck", "--config", &second])).0.starts_with("Sound: 8 log entries up to block 3"));
    let again = run(&["start-from", "--config", &second, "--from", &file]);
    assert!(said(&again).contains("the node has data already"), "{}", said(&again));
    let third = founded.other("third");
    let (_, warned) = told(run(&["start-from", "--config", &third, "--from", &file]));
    assert!(warned.contains("followed from the genesis file alone"), "{warned}");

    // It takes part: its key is the validator's.
    let (mut child, address) = program::start(&second);
    assert!(submit(&address, &founded.anchor(4)) && !submit(&address, &founded.anchor(1)));
    child.kill().unwrap();
    child.wait().unwrap();
    // Its log is shorter than a bundle, so it has every entry.
    let (exported, _) = told(run(&["export", "--config", &second, "--to", &founded.path("files")]));
    assert!(exported.contains(" entries (up to block "), "{exported}");

    let (pruned, _) = told(run(&["prune", "--config", &founded.config(), "--keep", "0"]));
    assert!(pruned.contains("old items were removed"), "{pruned}");
    assert!(told(run(&["fsck", "--config", &founded.config()])).0.starts_with("Sound: 8 log entries up to block 3"));
    let unfinished = founded.directory.path().join("half");
    std::fs::write(&unfinished, &std::fs::read(&file).unwrap()[..2_000]).unwrap();
    let fourth = founded.other("fourth");
    let refused =
        run(&["--lang", "zh", "start-from", "--config", &fourth, "--from", &unfinished.display().to_string()]);
    assert!(said(&refused).contains("该文件不是账本快照"), "{}", said(&refused));
    assert!(said(&run(&["fsck", "--config", &fourth])).contains("holds no chain"));
}
