//! What people see: progress while it happens, then the table and what to try.
//!
//! Progress goes to standard error and results to standard output, so that a script reads only results. On a terminal
//! the line of a running step is replaced by its outcome; elsewhere each is written once.

use std::io::{IsTerminal, Write};

use service_kit::messages::Catalogue;

use crate::{
    journey::{Step, Watcher},
    report::{StepResult, time, title},
};

/// Writes progress to standard error.
pub struct Progress<'a> {
    messages: &'a Catalogue,
    live: bool,
    /// Whether standard output belongs to a script.
    json: bool,
}

impl<'a> Progress<'a> {
    /// Progress in the catalogue's language.
    #[must_use]
    pub fn new(messages: &'a Catalogue, json: bool) -> Self {
        Self { messages, live: std::io::stderr().is_terminal(), json }
    }

    /// A line of its own.
    pub fn say(&self, id: &str, values: &[(&str, service_kit::messages::Value<'_>)]) {
        write_progress(&format!("{}\n", self.messages.text(id, values)));
    }

    /// A text in the catalogue's language, to be part of a line.
    #[must_use]
    pub fn text(&self, id: &str) -> String {
        self.messages.text(id, &[])
    }

    /// A text for people: to standard output, unless that belongs to a script.
    ///
    /// # Errors
    /// Standard output is closed: nobody reads.
    pub fn show(&self, text: &str) -> std::io::Result<()> {
        if self.json {
            write_progress(text);
            return Ok(());
        }
        write_result(text)
    }
}

impl Watcher for Progress<'_> {
    fn begins(&self, step: Step) {
        if self.live {
            write_progress(&format!("  … {}", title(self.messages, step.name())));
        }
    }

    fn ends(&self, _step: Step, result: &StepResult) {
        let mark = if result.ok { "✓" } else { "✗" };
        let back = if self.live { "\r\u{1b}[2K" } else { "" };
        write_progress(&format!("{back}  {mark} {}  {}\n", title(self.messages, &result.name), time(result.ms)));
    }
}

/// A closed standard error must not stop the world.
fn write_progress(text: &str) {
    let _closed = std::io::stderr().write_all(text.as_bytes());
}

/// Writes a result to standard output.
///
/// # Errors
/// Standard output is closed: nobody reads the result.
pub fn write_result(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
