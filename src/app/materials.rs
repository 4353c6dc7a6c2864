//! What a configuration names outside itself, read and found good before anything starts.

use std::sync::Arc;

use crate::attempt::phone::Reader;
use crate::config::Config;
use crate::geo::Geo;
use crate::policy::Policy;
use crate::risk::{Carriers, Data, Destinations, Engine, Hosting, Settings, Tag, Verified};
use crate::telemetry::Pseudonyms;
use crate::tls;

/// Every file that a configuration names.
#[derive(Debug)]
pub struct Materials {
    pub(super) reader: Reader,
    pub(super) data: Data,
    pub(super) geo: Geo,
    pub(super) pseudonyms: Arc<Pseudonyms>,
    pub(super) server_tls: Option<Arc<rustls::ServerConfig>>,
    pub(super) client_tls: Option<Arc<rustls::ClientConfig>>,
}

/// Everything that decides about an attempt.
#[derive(Debug)]
pub struct Judge {
    /// Reads numbers.
    pub reader: Reader,
    /// Knows where clients are.
    pub geo: Geo,
    /// Scores.
    pub engine: Engine,
    /// Decides.
    pub policy: Policy,
}

// === impl Materials ===

impl Materials {
    /// Reads every file that the configuration names.
    ///
    /// # Errors
    /// All of them that cannot be used, not only the first.
    pub fn load(config: &Config) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let reader = keep(&mut problems, "numbers.reader", Reader::builtin(config.numbers.reader));
        let (prices, prefixes) = (config.risk.prices.as_deref(), config.risk.prefixes.as_deref());
        let destinations = keep(&mut problems, "risk", Destinations::load(prices, prefixes));
        let pseudonyms =
            config.block_log.hash_key.as_deref().map_or_else(|| Ok(Pseudonyms::ephemeral()), Pseudonyms::load);
        let pseudonyms = keep(&mut problems, "block_log.hash_key", pseudonyms);
        let geo = keep(&mut problems, "geo", Geo::load(&config.geo));
        let carriers = keep(&mut problems, "risk.carriers", Carriers::load(config.risk.carriers.as_deref()));
        let hosting = keep(&mut problems, "risk.hosting", Hosting::load(config.risk.hosting.as_deref()));
        let verified = match (config.risk.verified.as_deref(), &reader, &pseudonyms) {
            (None, ..) => Some(Verified::empty()),
            (Some(path), Some(reader), Some(pseudonyms)) => {
                keep(&mut problems, "risk.verified", Verified::load(path, reader, |text| pseudonyms.parse(text)))
            }
            // What stands in the way is a problem already.
            (Some(_), ..) => None,
        };
        let server_tls = config.server.tls.as_ref().map(tls::server).transpose();
        let server_tls = keep(&mut problems, "server.tls", server_tls);
        let client_tls =
            config.server.upstream.wants_tls().then(|| tls::client(config.upstream.ca.as_deref())).transpose();
        let client_tls = keep(&mut problems, "upstream.ca", client_tls);
        let data = (reader, destinations, carriers, hosting, verified, geo);
        match (data, pseudonyms, server_tls, client_tls) {
            (
                (Some(reader), Some(destinations), Some(carriers), Some(hosting), Some(verified), Some(geo)),
                Some(pseudonyms),
                Some(server_tls),
                Some(client_tls),
            ) => {
                let pseudonyms = Arc::new(pseudonyms);
                let tagging = Arc::clone(&pseudonyms);
                let tag = Tag::new(move |number| tagging.tag(number));
                let data = Data { destinations, carriers, hosting, verified, tag };
                Ok(Self { reader, data, geo, pseudonyms, server_tls, client_tls })
            }
            _ => Err(problems),
        }
    }

    /// What is known of the world before any traffic.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The policy of the configuration, as this reader's numbers need it.
    pub fn policy(&self, config: &Config) -> Policy {
        Policy::new(config.policy, config.countries.clone(), config.numbers.deny_types.clone(), &self.reader)
    }

    /// All that decides, in one: what replay and explain need.
    pub fn into_judge(self, config: &Config) -> Judge {
        let policy = self.policy(config);
        let engine = engine(config, self.data, REPLAYED);
        Judge { reader: self.reader, geo: self.geo, engine, policy }
    }
}

/// The engine that the configuration asks for, with fingerprints that nobody outside can foresee.
pub(super) fn live_engine(config: &Config, data: Data) -> Engine {
    let mut seed = [0; 8];
    // Without randomness somebody who knows the seed can make keys collide, which costs him an address each.
    let _filled = aws_lc_rs::rand::fill(&mut seed);
    engine(config, data, u64::from_le_bytes(seed))
}

fn engine(config: &Config, data: Data, seed: u64) -> Engine {
    let settings = Settings {
        state: config.state,
        limits: config.limits.clone(),
        feed: config.conversion.feed,
        budget: config.budget,
        expected: config.expect.clone(),
        seed,
    };
    Engine::new(settings, data)
}

fn keep<T, E: std::fmt::Display>(problems: &mut Vec<String>, key: &str, result: Result<T, E>) -> Option<T> {
    result.map_err(|error| problems.push(format!("{key}: {error}"))).ok()
}

/// The seed of every replay: the same recording gives the same decisions.
const REPLAYED: u64 = 0;
