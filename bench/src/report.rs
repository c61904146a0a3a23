//! The table for people and the line for programs.

use serde_json::json;

use crate::row::{Row, Target};

/// Prints the table.
pub(crate) fn table(rows: &[Row]) {
    println!("operations per CPU second of one thread, median of the rounds");
    println!(
        "{:<4} {:<44} {:>10} {:>10} {:>7} {:>9} {:>9} {:>5}",
        "row", "ours, against", "ours/s", "other/s", "ratio", "target", "final", "held"
    );
    for row in rows {
        let Row { id, what, outcome, target, last_target } = row;
        println!(
            "{id:<4} {what:<44} {:>10.0} {:>10.0} {:>7.3} {:>9} {:>9} {:>5}",
            outcome.ours,
            outcome.against,
            row.ratio(),
            target.to_string(),
            last_target.to_string(),
            if row.held() { "yes" } else { "NO" },
        );
    }
    let busiest = rows.iter().map(|row| row.outcome.wall).fold(0.0, f64::max);
    println!("wall time was up to {busiest:.2} times CPU time");
}

/// Prints the line.
pub(crate) fn json(rows: &[Row]) {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "ours": row.outcome.ours.round(),
                "against": row.outcome.against.round(),
                "ratio": row.ratio(),
                "target": row.target.number(),
                "held": row.held(),
            })
        })
        .collect();
    println!("{}", json!({"rows": rows}));
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(number) => write!(f, ">= {number:.2}"),
            Self::CostAtMost(number) => write!(f, "<= {number:.2}"),
        }
    }
}
