//! Which pages a service has, and where.

use std::sync::Arc;

/// One of the pages that the navigation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    path: &'static str,
    name: &'static str,
}

impl Place {
    /// The page at `path`, which begins with a slash and counts from the first page; `name` is a text of the catalogue.
    #[must_use]
    pub const fn new(path: &'static str, name: &'static str) -> Self {
        Self { path, name }
    }

    /// Where it is, from the first page on.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.path
    }

    pub(super) const fn name(self) -> &'static str {
        self.name
    }
}

/// Who may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody: the pages only read, and keep no cookie.
    Everybody,
    /// Operators who signed in: see [`super::operator`].
    Operators,
}

/// The pages of a service. Routes hand it on as `web::Data`, so that handlers can take a [`super::visitor::Visitor`].
#[derive(Debug, Clone)]
pub struct Site {
    /// The path that all of them begin with, without a slash at its end.
    pub root: Arc<str>,
    /// Text: what the pages are called together.
    pub name: &'static str,
    /// Text: what stands at the foot of each.
    pub foot: &'static str,
    /// The navigation; the first is the first page.
    pub places: &'static [Place],
    /// Who may look.
    pub audience: Audience,
}

impl Site {
    /// A page, from the first one on, as an address of this server.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }
}
