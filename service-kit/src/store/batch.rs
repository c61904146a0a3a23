//! A batch: preconditions and writes that hold all or none.

use super::StoreError;

/// Longest key, in bytes: our keys are short names; the number keeps a slip from becoming a page-long key.
pub const MAX_KEY_BYTES: usize = 1024;

/// Longest value, in bytes: the largest thing we keep in one value is a status list or an import file's row set.
pub const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;

/// Largest sum of keys and values in one batch, in bytes: bounds what one commit can hold in memory.
pub const MAX_BATCH_BYTES: usize = 256 * 1024 * 1024;

/// What must be true for a batch to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// No value stands at the key.
    Absent {
        /// The key.
        key: Vec<u8>,
    },
    /// Exactly this value stands at the key.
    Equals {
        /// The key.
        key: Vec<u8>,
        /// The value expected there.
        value: Vec<u8>,
    },
}

impl Precondition {
    /// The key this precondition speaks of.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Absent { key } | Self::Equals { key, .. } => key,
        }
    }

    /// Whether it holds, given what stands at its key.
    #[must_use]
    pub fn holds(&self, found: Option<&[u8]>) -> bool {
        match self {
            Self::Absent { .. } => found.is_none(),
            Self::Equals { value, .. } => found == Some(value.as_slice()),
        }
    }
}

/// One change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Puts a value, over whatever was there.
    Put {
        /// The key.
        key: Vec<u8>,
        /// The new value.
        value: Vec<u8>,
    },
    /// Removes the value, if any.
    Delete {
        /// The key.
        key: Vec<u8>,
    },
}

impl Write {
    /// The key that changes.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// Preconditions and writes, built up call by call.
///
/// ```
/// use service_kit::store::Batch;
/// // Take an offer once: it must still be what we read, and then it is gone.
/// let batch = Batch::new().require_equals("offer/7", "open").delete("offer/7").put("taken/7", "1");
/// assert!(batch.check().is_ok());
/// // One key cannot be written twice in one batch: the order inside a batch carries no meaning.
/// assert!(Batch::new().put("a", "1").put("a", "2").check().is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Batch {
    preconditions: Vec<Precondition>,
    writes: Vec<Write>,
}

impl Batch {
    /// An empty batch: nothing required, nothing written.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires that no value stands at `key`.
    pub fn require_absent(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.preconditions.push(Precondition::Absent { key: key.into() });
        self
    }

    /// Requires that exactly `value` stands at `key`.
    pub fn require_equals(mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.preconditions.push(Precondition::Equals { key: key.into(), value: value.into() });
        self
    }

    /// Puts `value` at `key`, over whatever was there.
    pub fn put(mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write::Put { key: key.into(), value: value.into() });
        self
    }

    /// Puts `value` at `key`, which must be absent: the way to write what never changes.
    pub fn put_new(self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        let key = key.into();
        self.require_absent(key.clone()).put(key, value)
    }

    /// Changes the value at `key` from exactly `from` to `to`.
    pub fn replace(self, key: impl Into<Vec<u8>>, from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Self {
        let key = key.into();
        self.require_equals(key.clone(), from).put(key, to)
    }

    /// Removes the value at `key`, if any.
    pub fn delete(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write::Delete { key: key.into() });
        self
    }

    /// Takes over everything of `other`, after what is here.
    pub fn and(mut self, other: Self) -> Self {
        self.preconditions.extend(other.preconditions);
        self.writes.extend(other.writes);
        self
    }

    /// What must be true, in the order required.
    #[must_use]
    pub fn preconditions(&self) -> &[Precondition] {
        &self.preconditions
    }

    /// What is written.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// What is written, given away.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    /// True when nothing is required and nothing written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.preconditions.is_empty() && self.writes.is_empty()
    }

    /// Checks the port's rules: keys between 1 and [`MAX_KEY_BYTES`], values up to [`MAX_VALUE_BYTES`], no key
    /// written twice. Every implementation calls this first.
    ///
    /// # Errors
    /// [`StoreError::Misused`], saying which rule.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut bytes = 0_usize;
        for key in self.preconditions.iter().map(Precondition::key).chain(self.writes.iter().map(Write::key)) {
            if key.is_empty() || key.len() > MAX_KEY_BYTES {
                return Err(StoreError::Misused("a key is empty or too long"));
            }
        }
        let mut written: Vec<&[u8]> = self.writes.iter().map(Write::key).collect();
        written.sort_unstable();
        if written.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(StoreError::Misused("one batch writes a key twice"));
        }
        for write in &self.writes {
            if let Write::Put { key, value } = write {
                if value.len() > MAX_VALUE_BYTES {
                    return Err(StoreError::Misused("a value is too long"));
                }
                bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
            }
        }
        if bytes > MAX_BATCH_BYTES {
            return Err(StoreError::Misused("a batch is too large"));
        }
        Ok(())
    }
}
