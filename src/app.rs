//! Puts the parts together, runs them, and ends them in order.

mod materials;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use aws_lc_rs::digest;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

use crate::admin::{Admin, Readiness};
use crate::config::Config;
use crate::geo::{Geo, Refreshed};
use crate::proxy::caller::Clock;
use crate::proxy::ceiling::Ceiling;
use crate::proxy::endpoint::{Endpoint, Endpoints};
use crate::proxy::guard::{ReadConfig, Rules, Shared};
use crate::proxy::{Listen, Server, Shutdown, serve};
use crate::risk::TableSize;
use crate::telemetry::block_log::Writer;
use crate::telemetry::{BlockLog, Metrics};

pub use materials::{Judge, Materials};

/// A running tollgate.
#[derive(Debug)]
pub struct App {
    listens: Vec<Listen>,
    admin: std::net::SocketAddr,
    readiness: Readiness,
    shared: Arc<Shared>,
    proxy: Shutdown,
    control: Control,
    log_writer: Writer,
    drain_delay: Duration,
    drain_timeout: Duration,
}

/// The thread for everything that is not traffic.
#[derive(Debug)]
struct Control {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

// === impl App ===

impl App {
    /// Binds, starts, and is ready when it returns.
    ///
    /// # Errors
    /// Everything that is wrong with the files, or the first thing that the system refuses.
    pub fn start(config: &Config) -> Result<Self, Vec<String>> {
        let materials = Materials::load(config)?;
        Self::start_with(config, materials, Clock::start()).map_err(|error| vec![error.to_string()])
    }

    /// Where clients connect, with the ports the system chose.
    pub fn listens(&self) -> &[Listen] {
        &self.listens
    }

    /// Where the admin side listens.
    pub fn admin(&self) -> std::net::SocketAddr {
        self.admin
    }

    /// How full the engine's tables are.
    pub fn tables(&self) -> Vec<TableSize> {
        self.shared.engine.tables()
    }

    /// Turns readiness off, lets requests finish, and ends. Says whether all of them did in time.
    pub async fn drain(mut self) -> bool {
        self.readiness.set(false);
        self.shared.metrics.set_ready(false);
        tokio::time::sleep(self.drain_delay).await;
        let is_drained = self.proxy.drain(self.drain_timeout).await;
        // The thread may have ended by itself; then there is nobody to tell.
        let _told = self.control.end.send(());
        let _ended = self.control.thread.join();
        self.log_writer.close();
        for listen in &self.listens {
            if let Listen::Unix(path) = listen {
                // Somebody else may have removed it.
                let _removed = std::fs::remove_file(path);
            }
        }
        is_drained
    }

    /// As [`App::start`], with materials that were read before and a clock of its own.
    ///
    /// # Errors
    /// The first thing that the system refuses.
    pub fn start_with(config: &Config, materials: Materials, clock: Clock) -> Result<Self, tower::BoxError> {
        for region in config.endpoint.iter().filter_map(Endpoint::region) {
            // National formats go through patterns that are compiled at their first use: here, not in a request.
            let _warmed = materials.reader.read("2015550123", Some(region));
        }
        let metrics = Arc::new(Metrics::new());
        let rules = Rules::new(
            Endpoints::new(config.endpoint.clone()),
            materials.policy(config).without_answers(),
            version(config),
            &metrics,
        );
        let (block_log, log_writer) = BlockLog::open(&config.block_log, materials.pseudonyms)
            .map_err(|error| format!("block_log.path: {}: {error}", config.block_log.path.display()))?;
        let geo = Arc::new(materials.geo);
        let shared = Arc::new(Shared {
            rules,
            in_work: Semaphore::new(config.server.max_in_flight.get() as usize),
            engine: Arc::new(materials::live_engine(config, materials.data)),
            reader: materials.reader,
            geo: Arc::clone(&geo),
            fingerprint_header: config.server.fingerprint_header.as_ref().map(|name| name.0.clone()),
            block_log,
            metrics: Arc::clone(&metrics),
            read: ReadConfig {
                max_body: usize::try_from(config.server.max_body.as_u64()).unwrap_or(usize::MAX),
                body_timeout: config.server.body_timeout,
                idle_timeout: config.server.idle_timeout,
            },
        });
        let mut server_config = config.server.clone();
        if let Some(trust) = &materials.client_tls {
            server_config.upstream = server_config.upstream.trusting(trust);
        }
        let server = Server {
            config: server_config,
            forward: config.upstream.clone(),
            tls: materials.server_tls,
            ceiling: Ceiling::new(config.ceiling, Arc::clone(&metrics)),
            shared: Arc::clone(&shared),
            clock,
        };
        let n_threads = match config.server.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            n => n,
        };
        let bound =
            config.server.listen.0.iter().map(|listen| listen.bind(n_threads)).collect::<Result<Vec<_>, _>>()?;
        let listens = bound.iter().map(|bound| bound.listen.clone()).collect();
        let readiness = Readiness::default();
        let (control, admin) = Control::start(config, &server, geo, readiness.clone())?;
        let proxy = serve(&server, bound)?;
        readiness.set(true);
        metrics.set_ready(true);
        let (drain_delay, drain_timeout) = (config.server.drain_delay, config.server.drain_timeout);
        Ok(Self { listens, admin, readiness, shared, proxy, control, log_writer, drain_delay, drain_timeout })
    }
}

// === impl Control ===

impl Control {
    fn start(
        config: &Config,
        server: &Server,
        geo: Arc<Geo>,
        readiness: Readiness,
    ) -> Result<(Self, std::net::SocketAddr), tower::BoxError> {
        let listener = std::net::TcpListener::bind(config.admin.listen)
            .map_err(|error| format!("admin.listen: cannot listen on {}: {error}", config.admin.listen))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (shared, ceiling, clock) = (Arc::clone(&server.shared), server.ceiling.clone(), server.clock);
        let metrics = {
            let (shared, ceiling) = (Arc::clone(&shared), ceiling.clone());
            move || {
                let mut tables = shared.engine.tables();
                let (n_keys, capacity) = ceiling.size();
                tables.push(TableSize { table: "ceiling", n_keys, capacity, n_evicted: 0 });
                shared.metrics.set_feed(shared.engine.feed(clock.now()));
                shared.metrics.render(&tables, shared.block_log.n_lost())
            }
        };
        let admin = Admin::new(&config.admin, readiness, Box::new(metrics));
        let reload = config.geo.reload.get();
        for (role, built) in geo.built() {
            shared.metrics.geo_built(role.as_str(), built);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("control".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::spawn(admin.serve(listener));
                tokio::select! {
                    () = maintain(&shared, &ceiling, clock) => {}
                    () = refresh(&geo, reload, &shared.metrics) => {}
                    _ = ended => {}
                }
            });
        })?;
        Ok((Self { end, thread }, address))
    }
}

/// Forgets what has expired, once a second, on a thread that no request waits for.
async fn maintain(shared: &Shared, ceiling: &Ceiling, clock: Clock) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.engine.maintain(clock.now());
        ceiling.maintain();
    }
}

/// Loads databases that have changed on disk. Reading one takes a while, so not on the thread that serves the admin side.
async fn refresh(geo: &Arc<Geo>, period: Duration, metrics: &Metrics) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let reading = Arc::clone(geo);
        let Ok(Refreshed { loaded, kept }) = tokio::task::spawn_blocking(move || reading.refresh()).await else {
            continue;
        };
        for path in loaded {
            metrics.geo_loaded();
            tracing::info!(path = %path.display(), "a new database of addresses is in use");
        }
        for error in kept {
            metrics.geo_kept();
            tracing::warn!(%error, "a database of addresses cannot be used, the one before stays in use");
        }
        for (role, built) in geo.built() {
            metrics.geo_built(role.as_str(), built);
        }
    }
}

/// Eight hexadecimal digits that change when anything that decides does.
pub fn version(config: &Config) -> String {
    let Config { endpoint, policy, limits, countries, numbers, risk, geo, budget, conversion, expect, server, .. } =
        config;
    let what = (endpoint, policy, limits, countries, numbers, risk, geo);
    let text = format!("{what:?}{:?}", (budget, conversion, expect, &server.fingerprint_header));
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The configuration at `path`, and what it names; or every mistake, one a line.
///
/// # Errors
/// The mistakes in the file and in the files it names.
pub fn load(path: &Path) -> Result<(Config, Materials), Vec<String>> {
    let config =
        Config::load(path).map_err(|error| error.problems().iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let materials = Materials::load(&config)?;
    Ok((config, materials))
}
