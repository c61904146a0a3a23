//! Orders transactions, executes the registry rules, certifies and serves the ledger.
