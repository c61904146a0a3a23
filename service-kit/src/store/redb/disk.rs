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

/// One row, `commits`: how many groups were committed. Read after a failure to learn whether the file shows the last one.
pub(super) const COUNTER: TableDefinition<&str, u64> = TableDefinition::new("xinfu-commits");
const COMMITS: &str = "commits";

/// An open database, and the means to open it again.
pub(super) struct Disk {
    source: Box<dyn Source>,
    format: Format,
    state: RwLock<State>,
}

enum State {
    Open(Database),
    /// The disk was full, and the file is not open again yet. Then it must show as many commits as before.
    Shut {
        commits: u64,
    },
    /// A write or a sync failed: what the file shows may be in the system's memory alone, and nothing tells. What would be
    /// read now may be gone after a power cut, and what would be written would rest on it: opening the file again writes.
    Doubtful,
}

/// The verdict on each batch of a group, in order.
pub(super) type Verdicts = Vec<Result<(), StoreError>>;

impl Disk {
    pub(super) fn open(source: Box<dyn Source>, format: &Format) -> Result<Self, OpenError> {
        let database = open_marked(source.as_ref(), format)?;
        Ok(Self { source, format: *format, state: RwLock::new(State::Open(database)) })
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
            Err(error) => return refused(batches, &error),
        };
        let committed = self.with_database(|database| {
            let transaction = database.begin_write()?;
            let judged = judge_and_apply(&transaction, batches)?;
            finish(transaction, &judged, before)?;
            Ok(judged)
        });
        committed.unwrap_or_else(|error| refused(batches, &self.settle(before, error)))
    }

    /// After a failed commit, which is never a success: the file may show it, and the drive not have it. Only after a
    /// full disk, or damage that was found, things can go on.
    fn settle(&self, before: u64, error: StoreError) -> StoreError {
        let goes_on = matches!(error, StoreError::Full | StoreError::Corrupt(_));
        // The old handle holds the file's lock: it must be gone before a new one can be had.
        *self.state.write().unwrap_or_else(PoisonError::into_inner) =
            if goes_on { State::Shut { commits: before } } else { State::Doubtful };
        match self.open_again() {
            Err(StoreError::Broken(_)) => StoreError::Broken("the outcome of the last write is unknown".into()),
            _ => error,
        }
    }

    /// Opens a file that is shut, which makes redb recover the last commit that the file shows.
    fn open_again(&self) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have opened it meanwhile, and committed more.
        let State::Shut { commits } = *state else { return Ok(()) };
        let database = open_marked(self.source.as_ref(), &self.format).map_err(reopen_failure)?;
        *state = if guarded(&database, read_counter)? == commits { State::Open(database) } else { State::Doubtful };
        if matches!(*state, State::Doubtful) { Err(doubtful()) } else { Ok(()) }
    }

    fn with_database<T>(&self, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let is_shut = matches!(*self.state.read().unwrap_or_else(PoisonError::into_inner), State::Shut { .. });
        if is_shut {
            self.open_again()?;
        }
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(database) => guarded(database, act),
            State::Shut { .. } => Err(StoreError::Broken("the file could not be opened again".into())),
            State::Doubtful => Err(doubtful()),
        }
    }
}

fn guarded<T>(database: &Database, act: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(|| act(database))) {
        Ok(done) => done.map_err(|error| explain(&error)),
        // redb asserts on some kinds of damage instead of answering.
        Err(_) => Err(StoreError::Corrupt("its structure contradicts itself".into())),
    }
}

fn refused(batches: &[Batch], error: &StoreError) -> Verdicts {
    batches.iter().map(|_| Err(error.clone())).collect()
}

fn doubtful() -> StoreError {
    StoreError::Broken("the drive did not confirm the last write: see to it, and start the machine again".into())
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
