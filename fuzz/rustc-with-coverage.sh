#!/bin/sh
# RUSTC_WORKSPACE_WRAPPER of `cargo xtask fuzz`: our own crates get the counters that libFuzzer steers by, and checks
# of overflow; libraries stay as the release build has them, so that nothing outside the workspace is built twice.
case " $* " in
  *" --crate-name build_script_build "*) exec "$@" ;; # runs while building, where there is no fuzzer to count for
esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks --cfg fuzzing
