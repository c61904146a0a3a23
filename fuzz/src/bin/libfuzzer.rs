//! The coverage-guided fuzzer for the target that `FUZZ_TARGET` names; `cargo xtask fuzz` builds and runs it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static RUN: LazyLock<fn(&[u8]) -> fuzz::Outcome> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = fuzz::target(&name) else {
        eprintln!("FUZZ_TARGET names no target; see fuzz/src/lib.rs");
        std::process::exit(2);
    };
    target.run
});

fuzz_target!(|data: &[u8]| {
    let _ = RUN(data);
});
