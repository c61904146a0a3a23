//! Who may ask for what: generated cases, decided by the real ledger rules and the real verdict, and by `oracle.py`, which
//! was written from `docs/who-may-ask.md` and shares no code. They must agree in every one.
//!
//! `XINFU_MATRIX=100000 cargo test -p conformance --test matrix -- --nocapture` is the long form, of `python.sh`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a world that cannot be made fails its test")]

mod matrix {
    pub(crate) mod case;
    pub(crate) mod choose;
    pub(crate) mod question;
    pub(crate) mod scene;
    pub(crate) mod story;
}

use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;

use matrix::case::Judging;
use matrix::question::Question;
use matrix::scene::Scene;
use matrix::story;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

/// Cases where nothing else is asked for: enough for each outcome to come.
const FEW: usize = 9_000;
/// Questions that are asked at the end of each block of one story.
const QUESTIONS: usize = 25;
/// The chance of every run: the same cases each time.
const SEED: u64 = 5;

#[test]
fn no_act_is_allowed_that_the_oracle_refuses_and_none_refused_that_it_allows() {
    let wanted = std::env::var("XINFU_MATRIX").map_or(FEW, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases");
    write_cases(&file, wanted);
    for (arguments, what) in [(&[][..], "the oracle disagrees"), (&["--plant"][..], "wrong verdicts are not found")] {
        let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle.py");
        let Ok(said) = Command::new("python3").arg("-B").arg(oracle).arg(&file).args(arguments).output() else {
            conformance::ignored("no python3 here; the oracle of who may ask was not run");
            return;
        };
        let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
        println!("{text}");
        assert!(said.status.success(), "{what}: {text}");
    }
}

/// Stories, each with its cases, until there are enough; each follows from its number alone, so that several are told at once.
fn write_cases(file: &Path, wanted: usize) {
    let (scene, per_story) = (Scene::new(), story::BLOCKS * QUESTIONS);
    let stories: Vec<usize> = (0..wanted.div_ceil(per_story)).collect();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let told = std::thread::scope(|scope| {
        let tell = |share: &[usize]| share.iter().flat_map(|number| cases(&scene, *number)).collect::<Vec<String>>();
        let shares = stories.chunks(stories.len().div_ceil(threads));
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || tell(share))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<String>>()
    });
    fs::write(file, told.concat()).unwrap();
}

/// The lines of one story: itself, then its cases.
fn cases(scene: &Scene, number: usize) -> Vec<String> {
    let mut rng = StdRng::seed_from_u64(SEED + u64::try_from(number).unwrap());
    let story = story::tell(scene, &mut rng);
    let questions: Vec<Question> = (0..QUESTIONS).map(|_| Question::make(scene, &story.duties, &mut rng)).collect();
    let mut lines = vec![json!({ "story": story.blocks })];
    for (block, ledger) in story.ledgers.iter().enumerate() {
        let judging = Judging::at_the_end_of(block, ledger, scene);
        lines.extend(questions.iter().map(|question| judging.case(question, &mut rng)));
    }
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}
