//! The redb file itself: reads, groups of batches, and recovery after a failed write.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{PoisonError, RwLock},
};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::open::{Format, OpenError, Source, open_marked};
use crate::store::{Batch, Entry, Range, StoreError, Write};

/// Everything services store.
pub(super) const DATA: TableDefinition<&[u8], &[u8]> = TableDefinition::new("xinfu-data");

/// One row, `commits`: how many groups were committed. Read after a failure to learn whether the last one was.
pub(super) const COUNTER: TableDefinition<&str, u64> = TableDefinition::new("xinfu-commits");
const COMMITS: &str = "commits";

/// An open database, and the means to open it again.
pub(super) struct Disk {
    source: Box<dyn Source>,
    format: Format,
    /// None while the file could not be opened again after a failure.
    database: RwLock<Option<Database>>,
}

/// The verdict on each batch of a group, in order.
pub(super) type Verdicts = Vec<Result<(), StoreError>>;

impl Disk {
    pub(super) fn open(source: Box<dyn Source>, format: &Format) -> Result<Self, OpenError> {
        let database = open_marked(source.as_ref(), format)?;
        Ok(Self { source, format: *format, database: RwLock::new(Some(database)) })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_database(|database| {
            let table = database.begin_read()?.open_table(DATA)?;
            Ok(table.get(key)?.map(|found| found.value().to_vec()))
        })
    }

    pub(super) fn scan(&self, range: &Range, limit: usize) -> Result<Vec<Entry>, StoreError> {
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        self.with_database(|database| {
            let table = database.begin_read()?.open_table(DATA)?;
            let found = match range.end() {
                Some(end) => table.range::<&[u8]>(range.start()..end)?,
                None => table.range::<&[u8]>(range.start()..)?,
            };
            let rows: Result<Vec<Entry>, redb::StorageError> = if range.is_descending() {
                found.rev().take(limit).map(copy_row).collect()
            } else {
                found.take(limit).map(copy_row).collect()
            };
            Ok(rows?)
        })
    }

    /// Judges and applies the batches in order, in one durable commit. The answer has one verdict per batch.
    pub(super) fn commit_group(&self, batches: &[Batch]) -> Verdicts {
        let before = match self.with_database(read_counter) {
            Ok(count) => count,
            Err(error) => return batches.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut judged = Verdicts::new();
        let outcome = self.with_database(|database| {
            let transaction = database.begin_write()?;
            // Kept outside: if the commit fails halfway, these are the verdicts should it turn out to be saved.
            judged = judge_and_apply(&transaction, batches)?;
            finish(transaction, &judged, before)
        });
        match outcome {
            Ok(()) => judged,
            Err(error) => self.settle(before, error, judged, batches.len()),
        }
    }

    /// After a failed commit: opens the file again and asks the counter whether the group was saved after all.
    fn settle(&self, before: u64, error: StoreError, judged: Verdicts, count: usize) -> Verdicts {
        let refused = |error: StoreError| (0..count).map(|_| Err(error.clone())).collect();
        match self.reopen().and_then(|()| self.with_database(read_counter)) {
            Ok(after) if after > before && judged.len() == count => judged,
            Ok(_) => refused(error),
            Err(StoreError::Full) => refused(StoreError::Full),
            Err(_) => refused(StoreError::Broken("the outcome of the last write is unknown".into())),
        }
    }

    /// Drops the database and opens it again, which makes redb recover the last durable commit.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut slot = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The old handle holds the file's lock: it must be gone before the new one can be had.
        drop(slot.take());
        *slot = Some(open_marked(self.source.as_ref(), &self.format).map_err(reopen_failure)?);
        Ok(())
    }

    fn with_database<T>(&self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        if self.database.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.reopen()?;
        }
        let slot = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = slot.as_ref() else {
            return Err(StoreError::Broken("the file could not be opened again".into()));
        };
        match catch_unwind(AssertUnwindSafe(|| act(database))) {
            Ok(done) => done.map_err(|error| explain(&error)),
            // redb asserts on some kinds of damage instead of answering.
            Err(_) => Err(StoreError::Corrupt("its structure contradicts itself".into())),
        }
    }
}

/// Makes the group durable, unless there is nothing to make durable.
fn finish(transaction: WriteTransaction, judged: &Verdicts, before: u64) -> Result<(), redb::Error> {
    if judged.iter().all(Result::is_err) {
        return Ok(transaction.abort()?);
    }
    transaction.open_table(COUNTER)?.insert(COMMITS, before.saturating_add(1))?;
    Ok(transaction.commit()?)
}

/// Each batch is judged against all earlier batches of the group, and is applied only if all its preconditions
/// hold, so a refused one leaves no trace for the next.
fn judge_and_apply(transaction: &WriteTransaction, batches: &[Batch]) -> Result<Verdicts, redb::Error> {
    let mut table = transaction.open_table(DATA)?;
    let mut verdicts = Verdicts::with_capacity(batches.len());
    for batch in batches {
        let verdict = judge(&table, batch)?;
        if verdict.is_ok() {
            for write in batch.writes() {
                match write {
                    Write::Put { key, value } => drop(table.insert(key.as_slice(), value.as_slice())?),
                    Write::Delete { key } => drop(table.remove(key.as_slice())?),
                }
            }
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

fn judge(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    batch: &Batch,
) -> Result<Result<(), StoreError>, redb::Error> {
    for (which, precondition) in batch.preconditions().iter().enumerate() {
        let found = table.get(precondition.key())?;
        if !precondition.holds(found.as_ref().map(redb::AccessGuard::value)) {
            return Ok(Err(StoreError::Precondition { which, key: precondition.key().to_vec() }));
        }
    }
    Ok(Ok(()))
}

type Row<'a> = (redb::AccessGuard<'a, &'static [u8]>, redb::AccessGuard<'a, &'static [u8]>);

fn copy_row(row: Result<Row<'_>, redb::StorageError>) -> Result<Entry, redb::StorageError> {
    row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec()))
}

fn read_counter(database: &Database) -> Result<u64, redb::Error> {
    let table = database.begin_read()?.open_table(COUNTER)?;
    Ok(table.get(COMMITS)?.map_or(0, |count| count.value()))
}

/// What a redb error means to a caller of the port.
pub(super) fn explain(error: &redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(detail) => StoreError::Corrupt(detail.clone()),
        redb::Error::Io(error) => match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Corrupt(error.to_string()),
            _ => StoreError::Broken(error.to_string()),
        },
        other => StoreError::Broken(other.to_string()),
    }
}

fn reopen_failure(error: OpenError) -> StoreError {
    match error {
        OpenError::Full(_) => StoreError::Full,
        OpenError::Corrupt { detail, .. } => StoreError::Corrupt(detail),
        other => StoreError::Broken(other.to_string()),
    }
}
