//! Keys, DIDs, credentials, protocols, registry rules and verdicts, without IO.

pub mod datatype;
