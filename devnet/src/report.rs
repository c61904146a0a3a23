//! What came of the journey: the table for people and the last line for machines.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::messages::Catalogue;

/// What came of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// Its name, stable: scripts look for it.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What was seen, in a few words; no personal data.
    pub detail: String,
}

/// What came of the journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether every step held.
    pub ok: bool,
    /// The steps in order; those after a failed one were not tried.
    pub steps: Vec<StepResult>,
}

impl Report {
    /// The report of `steps`, of which there should be `expected`.
    #[must_use]
    pub fn of(steps: Vec<StepResult>, expected: usize) -> Self {
        Self { ok: steps.len() == expected && steps.iter().all(|step| step.ok), steps }
    }

    /// One JSON object in one line.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        // Strings, numbers and booleans only: this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The table of steps with their times, for the terminal.
    #[must_use]
    pub fn to_table(&self, messages: &Catalogue) -> String {
        let header = [
            messages.text("devnet-table-step", &[]),
            messages.text("devnet-table-time", &[]),
            messages.text("devnet-table-result", &[]),
        ];
        let rows: Vec<[String; 3]> = std::iter::once(header)
            .chain(self.steps.iter().map(|step| {
                let mark = messages.text(if step.ok { "devnet-table-held" } else { "devnet-table-failed" }, &[]);
                [title(messages, &step.name), time(step.ms), format!("{mark} {}", step.detail)]
            }))
            .collect();
        render(&rows, self.steps.iter().map(|step| step.ms).sum(), messages)
    }
}

/// What a step is called for people.
#[must_use]
pub fn title(messages: &Catalogue, name: &str) -> String {
    messages.text(&format!("devnet-step-{name}"), &[])
}

/// A time for people: `340 ms`, `2.1 s`.
#[must_use]
pub fn time(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{:.1} s", Duration::from_millis(ms).as_secs_f64()) }
}

fn render(rows: &[[String; 3]], total: u64, messages: &Catalogue) -> String {
    let column = |which: usize| rows.iter().filter_map(|row| row.get(which)).map(|cell| width(cell)).max().unwrap_or(0);
    let (first, second) = (column(0), column(1));
    let mut table = String::new();
    for (number, [step, took, result]) in rows.iter().enumerate() {
        table.push_str(&format!("  {}  {}  {result}\n", pad(step, first), pad_left(took, second)));
        if number == 0 {
            table.push_str(&format!("  {}\n", "─".repeat(first.saturating_add(second).saturating_add(40))));
        }
    }
    let sum = messages.text("devnet-table-total", &[]);
    table.push_str(&format!("  {}  {}\n", pad(&sum, first), pad_left(&time(total), second)));
    table
}

fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

fn pad_left(text: &str, to: usize) -> String {
    format!("{}{text}", " ".repeat(to.saturating_sub(width(text))))
}

/// Columns that a text takes in a terminal: Chinese characters and their punctuation take two.
fn width(text: &str) -> usize {
    let wide = |letter: char| matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}');
    text.chars().map(|letter| if wide(letter) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use service_kit::messages::Lang;

    use super::*;

    fn step(name: &str, ok: bool) -> StepResult {
        StepResult { name: name.into(), ok, ms: 1234, detail: "seen".into() }
    }

    #[test]
    fn the_last_line_is_as_agreed() {
        let line = Report::of(vec![step("genesis", true)], 1).to_json_line();
        assert_eq!(line, r#"{"ok":true,"steps":[{"name":"genesis","ok":true,"ms":1234,"detail":"seen"}]}"#);
    }

    #[test]
    fn one_failed_or_missing_step_is_failure() {
        assert!(!Report::of(vec![step("genesis", true)], 2).ok);
        assert!(!Report::of(vec![step("genesis", true), step("accredit", false)], 2).ok);
        assert!(Report::of(vec![step("genesis", true), step("accredit", true)], 2).ok);
    }

    #[test]
    fn columns_line_up_in_both_languages() {
        for lang in [Lang::En, Lang::Zh] {
            let table =
                Report::of(vec![step("genesis", true), step("accredit", true)], 2).to_table(&Catalogue::new(lang));
            let places: Vec<usize> = table
                .lines()
                .filter(|line| line.contains("seen"))
                .map(|line| width(&line[..line.find("1.2 s").unwrap()]))
                .collect();
            assert_eq!(places.len(), 2);
            assert_eq!(places[0], places[1], "{table}");
        }
    }
}
