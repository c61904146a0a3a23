//! Who orders what the departments issue.

/// Duty number of each department's service account, which imports and makes offers.
pub const DESK: &str = "issuing-desk";
/// Duty number of the sample official who revokes.
pub const WINDOW: &str = "window-3";
/// The legal basis that the departments state: a sample.
pub const BASIS: &str = "Regulations on the Administration of Public Credentials, article 7 (sample)";
