//! Every seed runs through its target; each target accepts one of its seeds and refuses another, so that neither the
//! seeds nor the target have gone stale.

use std::path::Path;

use fuzz::{Outcome, TARGETS};

#[test]
fn every_target_accepts_a_seed_and_refuses_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut stale = Vec::new();
    for target in TARGETS {
        let mut outcomes = Vec::new();
        for seed in std::fs::read_dir(root.join(target.name)).into_iter().flatten() {
            let bytes = std::fs::read(seed.unwrap().path()).unwrap();
            outcomes.push((target.run)(&bytes));
        }
        if !outcomes.contains(&Outcome::Accepted) || !outcomes.contains(&Outcome::Refused) {
            stale.push((target.name, outcomes));
        }
    }
    assert!(stale.is_empty(), "{stale:?}");
}

#[test]
fn every_folder_of_seeds_has_its_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for folder in std::fs::read_dir(root).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(fuzz::target(&name).is_some(), "no target is called {name}");
    }
}

#[test]
fn the_seeds_of_the_sample_world_are_the_ones_in_the_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (target, name, bytes) in fuzz::seeds::all() {
        let stored = std::fs::read(root.join(target).join(name)).unwrap_or_default();
        // ES256 signatures differ from run to run: it is the outcome that must be the same.
        let run = fuzz::target(target).unwrap().run;
        assert_eq!(run(&stored), run(&bytes), "{target}/{name}: run `cargo run -p fuzz --bin seeds`");
    }
}
