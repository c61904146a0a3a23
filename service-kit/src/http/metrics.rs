//! `/metrics`: counts and times per route, in Prometheus' text format. Labels are routes and statuses only.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
    core::{Collector, Desc},
    proto::MetricFamily,
};

/// The service's metrics; services may register their own beside ours.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    limited: IntCounterVec,
}

impl Metrics {
    /// Fresh metrics.
    ///
    /// # Errors
    /// None in practice: the names below are valid and registered once.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("http_requests_total", "Requests answered, by route and status."),
            &["route", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new("http_request_seconds", "Time to answer a request, by route."),
            &["route"],
        )?;
        let limited = IntCounterVec::new(
            Opts::new(
                "http_rate_limited_total",
                "Requests refused because their client asks too often, by kind of route.",
            ),
            &["kind"],
        )?;
        registry.register(Box::new(limited.clone()))?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self { registry, requests, seconds, limited })
    }

    /// The registry, for a service's own metrics.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Shows how many connections are open, as `open` counts them.
    pub(super) fn watch_connections(
        &self,
        open: impl Fn() -> u32 + Send + Sync + 'static,
    ) -> Result<(), prometheus::Error> {
        self.watch("http_connections", "Connections open now.", move || i64::from(open()))
    }

    /// Registers a number that is asked for whenever the metrics are.
    ///
    /// # Errors
    /// The name is malformed or taken: a mistake in our code.
    pub fn watch(
        &self,
        name: &str,
        help: &str,
        read: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<(), prometheus::Error> {
        let gauge = IntGauge::new(name, help)?;
        self.registry.register(Box::new(Watched { gauge, read }))
    }

    /// Counts one answered request. `route` is the pattern (`/offers/{id}`), never the path.
    pub(super) fn count(&self, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[route, &status.to_string()]).inc();
        self.seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Counts one request that came too soon.
    pub(super) fn count_limited(&self, kind: &str) {
        self.limited.with_label_values(&[kind]).inc();
    }

    /// All metrics as text.
    #[must_use]
    pub fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

struct Watched<F> {
    gauge: IntGauge,
    read: F,
}

impl<F: Fn() -> i64 + Send + Sync> Collector for Watched<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set((self.read)());
        self.gauge.collect()
    }
}

pub(super) fn routes(metrics: Metrics) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(web::Data::new(metrics)).route("/metrics", web::get().to(render));
    }
}

async fn render(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
