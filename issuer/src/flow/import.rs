//! Importing a table of subjects: good rows are kept, bad ones listed with line, column and rule, never with a value.

use std::collections::BTreeSet;

use identity_core::duty::{Deed, DutyError, IssuerAct};
use identity_core::problem::Lang;
use ledger::sha256;
use serde::Serialize;
use service_kit::audit::Act;
use service_kit::store::StoreError;

use super::order::OrderRefused;
use crate::kind::Kind;
use crate::service::Service;
use crate::store::{Outcome, Subject};

/// Bad rows listed in a report; beyond them only their number is told. A table with more is the wrong table.
const MAX_LISTED: usize = 1000;

/// The column that names the subject within the department.
const ID_COLUMN: &str = "id";

/// Longest subject id, in bytes.
const MAX_ID_BYTES: usize = 200;

/// What became of an import.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Rows now in place.
    pub imported: usize,
    /// Rows that were not taken.
    pub refused: usize,
    /// The first thousand faults.
    pub faults: Vec<RowFault>,
}

/// What is wrong with one cell, or with a whole row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFault {
    /// Line of the file, counted from 1.
    pub line: u64,
    /// The column's name; none if the row as a whole is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The stable code of the rule.
    pub code: &'static str,
    /// The rule that is broken.
    pub reason: String,
    /// The rule in Chinese.
    pub reason_zh: &'static str,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The service does not issue this type.
    #[error("this issuer has no credential type of that name")]
    KindUnknown,
    /// The first line does not name the columns.
    #[error("the table's first line must name its columns, `{ID_COLUMN}` among them, each once")]
    Header,
    /// A column that the type does not have.
    #[error("the type has no column `{0}`")]
    ColumnUnknown(String),
    /// Nobody answers for it.
    #[error(transparent)]
    Order(OrderRefused),
    /// The store failed; rows before are in place, and importing again is safe.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// The stable code of this refusal.
    #[must_use]
    pub fn code(&self) -> identity_core::problem::Code {
        use identity_core::problem::Code;
        match self {
            Self::KindUnknown => Code::VciRequestConfigurationUnknown,
            Self::Header => Code::VciImportHeader,
            Self::ColumnUnknown(_) => Code::VciImportColumn,
            Self::Order(refused) => refused.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl From<OrderRefused> for ImportError {
    fn from(refused: OrderRefused) -> Self {
        match refused {
            OrderRefused::Store(error) => Self::Store(error),
            refused => Self::Order(refused),
        }
    }
}

/// A table that was read and not taken over: its good rows, and what is to be ordered for them.
pub(crate) struct Checked {
    subjects: Vec<Subject>,
    pub report: ImportReport,
    pub deed: Deed,
}

impl Service {
    /// Reads a table of one type's subjects, and changes nothing.
    pub(crate) fn check_import(&self, kind: &str, table: &[u8]) -> Result<Checked, ImportError> {
        let known = self.kinds.get(kind).ok_or(ImportError::KindUnknown)?;
        check(known, table)
    }

    /// Imports a table of one type's subjects. An official's order must be over this table and as many good rows.
    pub(crate) async fn import(
        &self,
        act: &Act,
        kind: &str,
        table: &[u8],
        order: Option<&str>,
    ) -> Result<ImportReport, ImportError> {
        let Checked { subjects, mut report, deed } = self.check_import(kind, table)?;
        if subjects.is_empty() {
            return Ok(report);
        }
        let order = self.ordered(&deed, order).await?;
        if self.records.import_subjects(act, kind, &subjects, &order).await? == Outcome::OrderUsed {
            return Err(OrderRefused::from(DutyError::Used).into());
        }
        report.imported = subjects.len();
        Ok(report)
    }
}

/// Reads `table`: its good rows, and what is wrong with the others.
fn check(kind: &Kind, table: &[u8]) -> Result<Checked, ImportError> {
    let content = sha256(table);
    // A table saved by a spreadsheet begins with a byte order mark.
    let table = table.strip_prefix(b"\xef\xbb\xbf").unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table);
    let columns = read_columns(&mut reader, kind)?;
    let mut report = ImportReport::default();
    let mut subjects = Vec::new();
    let mut seen = BTreeSet::new();
    for row in reader.records() {
        match read_row(row, &columns, kind, &mut seen) {
            Ok(subject) => subjects.push(subject),
            Err(faults) => report.refuse(faults),
        }
    }
    let count = u64::try_from(subjects.len()).unwrap_or(u64::MAX);
    Ok(Checked { subjects, report, deed: Deed { act: IssuerAct::Import, vct: kind.vct.clone(), content, count } })
}

fn read_columns(reader: &mut csv::Reader<&[u8]>, kind: &Kind) -> Result<Vec<String>, ImportError> {
    let columns: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Err(_) => return Err(ImportError::Header),
    };
    let distinct: BTreeSet<&String> = columns.iter().collect();
    if distinct.len() != columns.len() || !columns.iter().any(|name| name == ID_COLUMN) {
        return Err(ImportError::Header);
    }
    let known: BTreeSet<String> = kind.shape.columns().collect();
    match columns.iter().find(|name| *name != ID_COLUMN && !known.contains(*name)) {
        Some(unknown) => Err(ImportError::ColumnUnknown(unknown.chars().take(80).collect())),
        None => Ok(columns),
    }
}

fn read_row(
    row: Result<csv::StringRecord, csv::Error>,
    columns: &[String],
    kind: &Kind,
    seen: &mut BTreeSet<String>,
) -> Result<(String, serde_json::Map<String, serde_json::Value>), Vec<RowFault>> {
    use identity_core::problem::Code;
    let row = row.map_err(|error| {
        let line = error.position().map_or(0, csv::Position::line);
        vec![RowFault::of_row(line, Code::VciImportRow, "is not a row of UTF-8 text")]
    })?;
    let line = row.position().map_or(0, csv::Position::line);
    if row.len() != columns.len() {
        return Err(vec![RowFault::of_row(
            line,
            Code::VciImportRow,
            "has another number of cells than the first line",
        )]);
    }
    let cells: Vec<(&str, &str)> = columns.iter().map(String::as_str).zip(row.iter()).collect();
    let id = cells.iter().find(|(name, _)| *name == ID_COLUMN).map_or("", |(_, cell)| cell);
    if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
        return Err(vec![RowFault::of_cell(
            line,
            ID_COLUMN,
            Code::VciImportId,
            "is empty, too long or not plain text",
        )]);
    }
    let others: Vec<(&str, &str)> = cells.iter().copied().filter(|(name, _)| *name != ID_COLUMN).collect();
    let claims = kind.shape.claims(&others).map_err(|faults| {
        faults
            .into_iter()
            .map(|fault| RowFault::of_cell(line, &fault.column, fault.code(), &fault.fault.to_string()))
            .collect::<Vec<_>>()
    })?;
    if !seen.insert(id.to_owned()) {
        return Err(vec![RowFault::of_cell(line, ID_COLUMN, Code::VciImportIdTwice, "stands in the table twice")]);
    }
    Ok((id.to_owned(), claims))
}

impl RowFault {
    fn of_row(line: u64, code: identity_core::problem::Code, reason: &str) -> Self {
        Self { line, column: None, code: code.as_str(), reason: reason.to_owned(), reason_zh: code.title(Lang::Zh) }
    }

    fn of_cell(line: u64, column: &str, code: identity_core::problem::Code, reason: &str) -> Self {
        let (reason, reason_zh) = (reason.to_owned(), code.title(Lang::Zh));
        Self { line, column: Some(column.to_owned()), code: code.as_str(), reason, reason_zh }
    }
}

impl ImportReport {
    fn refuse(&mut self, faults: Vec<RowFault>) {
        self.refused = self.refused.saturating_add(1);
        let room = MAX_LISTED.saturating_sub(self.faults.len());
        self.faults.extend(faults.into_iter().take(room));
    }
}
