//! How often one client may ask. Counted per client (see [`super::peer`]) and, on the admin API, per token.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use identity_core::problem::Code;

use super::{peer::Peer, shell::Shell};
use crate::reply::Problem;

crate::config! {
    /// How many requests one client may make in a minute, by kind of route; as many may come at once when none came
    /// before. 0 is no limit. More are answered 429 with `Retry-After`.
    pub struct RateConfig {
        /// Requests that only read (GET). A wallet makes about ten in a protocol run, a verifier a few per minute.
        pub reads: u32 = 3000,
        /// Other requests of the public: the steps of a protocol. A wallet makes about five in a run; an office of
        /// wallets may stand behind one address.
        pub posts: u32 = 600,
        /// Requests with one token of the admin API.
        pub admin: u32 = 6000,
        /// Errands that the service does for others at its own cost, such as relaying and notarising.
        pub errands: u32 = 60,
        /// Attempts to sign in to pages for operators.
        pub sign_ins: u32 = 10,
    }
}

/// Clients counted at a time per kind of route: some 8 MiB. Beyond them, until some have rested, strangers are counted
/// as one.
const MOST_COUNTED: usize = 65_536;

/// Requests between two searches for clients that have rested, while there is no room for more.
const REQUESTS_PER_SWEEP: u32 = 4096;

/// A kind of route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only reads.
    Read,
    /// A step of a protocol.
    Post,
    /// The admin API.
    Admin,
    /// Something the service does for others at its own cost.
    Errand,
    /// A token shown to pages for operators.
    SignIn,
}

impl Kind {
    /// The name in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Post => "post",
            Self::Admin => "admin",
            Self::Errand => "errand",
            Self::SignIn => "sign_in",
        }
    }

    /// Of a route that says nothing else.
    pub(super) fn of(method: &Method) -> Self {
        if method == Method::GET || method == Method::HEAD { Self::Read } else { Self::Post }
    }
}

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Client(Peer),
    /// The name of an admin token.
    Account(Arc<str>),
    /// All for whom there is no room.
    Others,
}

/// The counts of one server.
#[derive(Debug)]
pub(super) struct Rates<C: Clock = DefaultClock> {
    reads: Meter<C>,
    posts: Meter<C>,
    admin: Meter<C>,
    errands: Meter<C>,
    sign_ins: Meter<C>,
    notes: Meter<C>,
}

/// Lines in the audit log, in a minute, that say that one token of the admin API asks too often.
const NOTES: u32 = 1;

impl<C: Clock + Clone> Rates<C> {
    pub(super) fn new(config: &RateConfig, clock: &C) -> Self {
        let meter = |per_minute| Meter::new(per_minute, clock.clone());
        Self {
            reads: meter(config.reads),
            posts: meter(config.posts),
            admin: meter(config.admin),
            errands: meter(config.errands),
            sign_ins: meter(config.sign_ins),
            notes: meter(NOTES),
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// How long to wait.
    pub(super) fn admit(&self, kind: Kind, who: Counted) -> Result<(), Duration> {
        match kind {
            Kind::Read => self.reads.admit(who),
            Kind::Post => self.posts.admit(who),
            Kind::Admin => self.admin.admit(who),
            Kind::Errand => self.errands.admit(who),
            Kind::SignIn => self.sign_ins.admit(who),
        }
    }
}

type Limiter<C> = RateLimiter<Counted, DashMapStateStore<Counted>, C, NoOpMiddleware<<C as Clock>::Instant>>;

#[derive(Debug)]
struct Meter<C: Clock> {
    /// None without a limit.
    limiter: Option<Limiter<C>>,
    clock: C,
    most_counted: usize,
    since_sweep: AtomicU32,
}

impl<C: Clock + Clone> Meter<C> {
    fn new(per_minute: u32, clock: C) -> Self {
        let quota = NonZeroU32::new(per_minute).map(Quota::per_minute);
        let limiter = quota.map(|quota| RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()));
        Self { limiter, clock, most_counted: MOST_COUNTED, since_sweep: AtomicU32::new(REQUESTS_PER_SWEEP) }
    }

    fn admit(&self, who: Counted) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let who = if self.has_room(limiter) { who } else { Counted::Others };
        limiter.check_key(&who).map_err(|refused| {
            let now = self.clock.now();
            refused.earliest_possible().duration_since(now).into()
        })
    }

    /// Forgets who has rested, now and then, while the counts are full.
    fn has_room(&self, limiter: &Limiter<C>) -> bool {
        if limiter.len() < self.most_counted {
            return true;
        }
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) < REQUESTS_PER_SWEEP {
            return false;
        }
        self.since_sweep.store(0, Ordering::Relaxed);
        limiter.retain_recent();
        limiter.shrink_to_fit();
        limiter.len() < self.most_counted
    }
}

/// Counts a request, and answers it if its client has to wait.
pub(crate) fn admit(request: &ServiceRequest, kind: Kind, account: Option<&Arc<str>>) -> Result<(), Box<HttpResponse>> {
    ask(request, kind, account).map_err(|refusal| Box::new(refusal.response()))
}

/// Counts a request, and refuses it if its client has to wait. Without a server around (in tests of handlers) nobody is
/// counted.
pub(crate) fn ask(request: &ServiceRequest, kind: Kind, account: Option<&Arc<str>>) -> Result<(), Problem> {
    let Some(shell) = request.app_data::<web::Data<Shell>>() else { return Ok(()) };
    let who = match account {
        Some(account) => Counted::Account(Arc::clone(account)),
        None => client(request, shell),
    };
    let Err(wait) = shell.rates.admit(kind, who) else { return Ok(()) };
    shell.metrics.count_limited(kind.as_str());
    // Rounded up: who comes back on the second is served.
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
    Err(Problem::new(Code::HttpRateLimited).with_retry_after(seconds))
}

/// Whether it is to be written down that a token asks too often; or it was, not long ago.
pub(crate) fn is_noted(request: &ServiceRequest, account: &Arc<str>) -> bool {
    let shell = request.app_data::<web::Data<Shell>>();
    shell.is_some_and(|shell| shell.rates.notes.admit(Counted::Account(Arc::clone(account))).is_ok())
}

fn client(request: &ServiceRequest, shell: &Shell) -> Counted {
    // Several headers are one list: the last was written by whoever is nearest to us.
    let forwarded = request.headers().get_all("x-forwarded-for").next_back();
    let forwarded = forwarded.and_then(|value| value.to_str().ok());
    shell.proxies.client(request.peer_addr(), forwarded).map_or(Counted::Others, Counted::Client)
}

/// Middleware for routes that do something for others at the service's own cost: counted as [`Kind::Errand`] beside
/// what every request is counted as.
///
/// # Errors
/// Those of the route.
pub async fn errands(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(&request, Kind::Errand, None) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(refusal) => Ok(request.into_response(*refusal)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn client(last: u8) -> Counted {
        Counted::Client(Peer::of(IpAddr::from([192, 0, 2, last])))
    }

    #[test]
    fn each_client_and_each_kind_is_counted_by_itself() {
        let clock = FakeRelativeClock::default();
        let rates = Rates::new(&RateConfig { reads: 2, posts: 1, admin: 1, errands: 0, sign_ins: 1 }, &clock);
        assert!(rates.admit(Kind::Read, client(1)).is_ok() && rates.admit(Kind::Read, client(1)).is_ok());
        assert_eq!(rates.admit(Kind::Read, client(1)), Err(Duration::from_secs(30)));
        assert!(rates.admit(Kind::Read, client(2)).is_ok() && rates.admit(Kind::Post, client(1)).is_ok());
        clock.advance(Duration::from_secs(29));
        assert_eq!(rates.admit(Kind::Read, client(1)), Err(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert!(rates.admit(Kind::Read, client(1)).is_ok() && rates.admit(Kind::Read, client(1)).is_err());
        let account = |name: &str| Counted::Account(name.into());
        assert!(rates.admit(Kind::Admin, account("a")).is_ok() && rates.admit(Kind::Admin, account("b")).is_ok());
        assert!(rates.admit(Kind::Admin, account("a")).is_err());
        assert!(rates.admit(Kind::SignIn, client(1)).is_ok() && rates.admit(Kind::SignIn, client(1)).is_err());
        assert!((0..1000).all(|_| rates.admit(Kind::Errand, client(1)).is_ok()), "0 is no limit");
    }

    #[test]
    fn counts_are_bounded_and_the_rested_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let mut meter = Meter::new(1, clock.clone());
        meter.most_counted = 3;
        assert!((1..=3).all(|last| meter.admit(client(last)).is_ok()));
        assert!(meter.admit(client(4)).is_ok() && meter.admit(client(5)).is_err(), "strangers are counted as one");
        let kept = |meter: &Meter<FakeRelativeClock>| meter.limiter.as_ref().unwrap().len();
        assert_eq!(kept(&meter), 4);
        clock.advance(Duration::from_secs(120));
        meter.since_sweep.store(REQUESTS_PER_SWEEP, Ordering::Relaxed);
        assert!(meter.admit(client(5)).is_ok());
        assert_eq!(kept(&meter), 1);
    }
}
