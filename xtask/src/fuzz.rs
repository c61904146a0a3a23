//! `cargo xtask fuzz [--seconds N] [--jobs N] [TARGET…]`: builds the fuzzer and runs each target for `N` seconds, from
//! the seeds in the repository. Prints a row for each target; fails if one of them found anything.
//!
//! What a run learns stays in `target/fuzz/`, and the next one begins with it. An input that broke a target is left
//! there as a file, and its path is printed: it becomes a seed together with the fix.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;

use anyhow::{Context, bail, ensure};

/// The longest input, in bytes: a presentation with its proof fits, and the fuzzer's time goes into short ones.
const MAX_LENGTH: usize = 16 * 1024;
/// Seconds after which one input counts as a hang; the slowest honest one takes milliseconds.
const HANG: usize = 10;
/// Memory of one fuzzer in MiB; a status list of the largest size takes a few of it.
const MEMORY: usize = 1024;

struct Wanted {
    seconds: usize,
    jobs: usize,
    targets: Vec<String>,
}

/// What became of one target.
struct Run {
    target: String,
    /// libFuzzer's last words about itself: executions, executions a second, counters reached.
    figures: String,
    /// Inputs that broke the target.
    broken: Vec<PathBuf>,
    ended_well: bool,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut wanted = Wanted::read(arguments)?;
    let all = targets(root)?;
    if let Some(unknown) = wanted.targets.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    if wanted.targets.is_empty() {
        wanted.targets = all;
    }
    let fuzzer = build(root)?;
    let runs = run_all(root, &fuzzer, &wanted);
    let broken = runs.iter().filter(|run| !run.ended_well).count();
    println!("{} targets, {} s each, {broken} broken", runs.len(), wanted.seconds);
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Wanted {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut wanted = Self { seconds: 60, jobs: cores, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut number = || -> anyhow::Result<usize> {
                let text = arguments.next().with_context(|| format!("{argument} needs a number"))?;
                text.parse().with_context(|| format!("{argument} needs a number"))
            };
            match argument.as_str() {
                "--seconds" => wanted.seconds = number()?,
                "--jobs" => wanted.jobs = number()?.max(1),
                option if option.starts_with('-') => bail!("there is no option {option}"),
                target => wanted.targets.push(target.to_owned()),
            }
        }
        Ok(wanted)
    }
}

/// The folders of seeds: a test holds them against the list of targets.
fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join("fuzz/seeds");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn target_directory(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "-p", "fuzz", "--features", "libfuzzer", "--bin", "libfuzzer"])
        .env("RUSTC_WORKSPACE_WRAPPER", root.join("fuzz/rustc-with-coverage.sh"))
        .current_dir(root)
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "the fuzzer could not be built; it needs a C++ compiler");
    Ok(target_directory(root).join("release/libfuzzer"))
}

/// Runs the targets, `jobs` at a time, and prints each as it ends.
fn run_all(root: &Path, fuzzer: &Path, wanted: &Wanted) -> Vec<Run> {
    let waiting = Mutex::new(wanted.targets.iter().rev().cloned().collect::<Vec<_>>());
    let done = Mutex::new(Vec::new());
    let take = || waiting.lock().ok().and_then(|mut waiting| waiting.pop());
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            scope.spawn(|| {
                while let Some(target) = take() {
                    let run = run_one(root, fuzzer, &target, wanted.seconds).unwrap_or_else(|error| Run {
                        target,
                        figures: format!("{error:#}"),
                        broken: Vec::new(),
                        ended_well: false,
                    });
                    run.print();
                    if let Ok(mut done) = done.lock() {
                        done.push(run);
                    }
                }
            });
        }
    });
    done.into_inner().unwrap_or_default()
}

impl Run {
    fn print(&self) {
        let verdict = if self.ended_well { "ok    " } else { "BROKEN" };
        println!("{verdict}  {:<18} {}", self.target, self.figures);
        for input in &self.broken {
            println!("        {}", input.display());
        }
    }
}

fn run_one(root: &Path, fuzzer: &Path, target: &str, seconds: usize) -> anyhow::Result<Run> {
    let learnt = target_directory(root).join("fuzz").join(target);
    let found = target_directory(root).join("fuzz-found").join(target);
    std::fs::create_dir_all(&learnt)?;
    std::fs::create_dir_all(&found)?;
    let output = Command::new(fuzzer)
        .env("FUZZ_TARGET", target)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MAX_LENGTH}"))
        .arg(format!("-timeout={HANG}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        .args([&learnt, &root.join("fuzz/seeds").join(target)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .with_context(|| format!("running {}", fuzzer.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    std::fs::write(found.join("log.txt"), log.as_bytes())?;
    let mut broken = Vec::new();
    for entry in std::fs::read_dir(&found)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != "log.txt") {
            broken.push(path);
        }
    }
    Ok(Run { target: target.to_owned(), figures: figures(&log), broken, ended_well: output.status.success() })
}

fn figures(log: &str) -> String {
    let stat = |name: &str| {
        let line = log.lines().find(|line| line.starts_with(&format!("stat::{name}:")));
        line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("?").to_owned()
    };
    let coverage = log.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "cov:");
        words.nth(1)
    });
    format!(
        "{:>10} inputs, {:>7} a second, {:>5} edges, {:>4} MB",
        stat("number_of_executed_units"),
        stat("average_exec_per_sec"),
        coverage.unwrap_or("?"),
        stat("peak_rss_mb"),
    )
}
