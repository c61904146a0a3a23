//! Pages for people with nothing but a browser: what those of all services have in common.
//!
//! ```text
//! request -> visitor (language, what is asked) -> a file of the service per page -> frame -> HTML
//! ```
//!
//! Pages load nothing from elsewhere and run no script but the files beside this one, without which they work, too. Every
//! value is escaped by `maud` where it is written.
//!
//! - [`visitor`]: who looks, in which language; [`site`]: which pages there are and what they are called.
//! - [`frame`]: what every page has around it; [`piece`]: what pages are made of; [`names`]: what things are called.
//! - [`asset`]: style and scripts.
//! - [`operator`]: pages that only operators see, and may change something by.

pub mod asset;
pub mod frame;
pub mod names;
pub mod operator;
pub mod piece;
pub mod site;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod visitor;
