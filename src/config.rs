//! The whole configuration: defaults, then `config.toml`, then `TOLLGATE_SECTION__KEY`.
//!
//! Each section's type lives beside what it configures; here they are put together, and every mistake in them is
//! found at once. Holding a [`Config`] means that it is right.

mod problem;

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Value};
use serde::Deserialize;

use crate::admin::AdminConfig;
use crate::attempt::phone::{Kind, ReaderKind};
use crate::geo::GeoConfig;
use crate::policy::{CountriesConfig, PolicyConfig};
use crate::proxy::ceiling::CeilingConfig;
use crate::proxy::endpoint::Endpoint;
use crate::proxy::{ForwardConfig, Listen, ServerConfig};
use crate::risk::{BudgetConfig, Expected, FeedMode, Limits, StateConfig};
use crate::telemetry::{BlockLogConfig, LogConfig};

pub use problem::{ConfigError, Problem};

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Listeners, upstream, bounds.
    pub server: ServerConfig,
    /// How the upstream is asked.
    pub upstream: ForwardConfig,
    /// Health and metrics.
    pub admin: AdminConfig,
    /// What is guarded.
    pub endpoint: Vec<Endpoint>,
    /// Thresholds and mode.
    pub policy: PolicyConfig,
    /// Exact limits.
    pub limits: Limits,
    /// Destinations.
    pub countries: CountriesConfig,
    /// How numbers are read, and which kinds are refused.
    pub numbers: NumbersConfig,
    /// Exact money.
    pub budget: BudgetConfig,
    /// How typed codes are seen.
    pub conversion: ConversionConfig,
    /// Events that are known beforehand.
    pub expect: Vec<Expected>,
    /// Data that evidence rests on.
    pub risk: RiskConfig,
    /// Where clients are.
    pub geo: GeoConfig,
    /// How much is remembered.
    pub state: StateConfig,
    /// The coarse ceiling per client.
    pub ceiling: CeilingConfig,
    /// Decisions.
    pub block_log: BlockLogConfig,
    /// The process's own log.
    pub log: LogConfig,
}

/// The `[numbers]` section.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumbersConfig {
    /// Which library reads them.
    pub reader: ReaderKind,
    /// Kinds that no code is ever sent to.
    pub deny_types: Vec<Kind>,
}

/// The `[conversion]` section.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConversionConfig {
    /// Whether typed codes are seen.
    pub feed: FeedMode,
}

/// The `[risk]` section.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskConfig {
    /// A CSV of `prefix,usd_micros`: what messages cost; the shipped table if left out.
    pub prices: Option<PathBuf>,
    /// A CSV of `prefix,points`: the operator's own evidence in decibans.
    pub prefixes: Option<PathBuf>,
    /// A CSV of `prefix,carrier`: whose numbers are whose; the shipped table if left out.
    pub carriers: Option<PathBuf>,
    /// A CSV of `asn,name`: networks of hosting providers; the shipped list if left out.
    pub hosting: Option<PathBuf>,
    /// Numbers that are customers' already, or their pseudonyms, one a line.
    pub verified: Option<PathBuf>,
}

// === impl Config ===

impl Config {
    /// Reads the file and the environment.
    ///
    /// # Errors
    /// [`ConfigError`] holds every mistake: where it is, what is wrong, what would be right.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::from_text(path, &text, Env::prefixed(ENV_PREFIX).split("__"))
    }

    /// Reads a text as if it were a file, without the environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::from_text(Path::new("config"), text, Env::raw().only(&[]))
    }

    fn from_text(path: &Path, text: &str, env: Env) -> Result<Self, ConfigError> {
        let mut problems = problem::Finder::new(path, text);
        let figment = Figment::from(Toml::string(text)).merge(env);
        let Some(mut sections) = problems.note(figment.extract::<Dict>()) else {
            return Err(problems.into_error());
        };
        let endpoints = match sections.remove("endpoint") {
            None => Vec::new(),
            Some(Value::Array(_, endpoints)) => endpoints,
            Some(other) => {
                problems.add(
                    "endpoint",
                    format!("expected a list of tables, each headed `[[endpoint]]`, not {}", other.to_actual()),
                );
                Vec::new()
            }
        };
        let endpoint: Vec<Option<Endpoint>> = endpoints
            .into_iter()
            .enumerate()
            .map(|(index, endpoint)| problems.extract(&format!("endpoint.{index}"), endpoint))
            .collect();
        let config: Option<Self> = problems.extract("", Value::from(sections));
        let config = config.map(|config| Self { endpoint: endpoint.into_iter().flatten().collect(), ..config });
        if let Some(config) = &config {
            config.cross_check(&mut problems);
        }
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            Some(_) | None => Err(problems.into_error()),
        }
    }

    /// What no section can see of itself.
    fn cross_check(&self, problems: &mut problem::Finder<'_>) {
        if Listen::Tcp(self.admin.listen).is_public() && self.admin.token.is_none() && !problems.any_at("admin") {
            let message = format!(
                "`{}` can be reached from outside: set `admin.token` as well, or listen on 127.0.0.1",
                self.admin.listen
            );
            problems.add("admin.listen", message);
        }
        for (index, endpoint) in self.endpoint.iter().enumerate() {
            if self.endpoint.iter().take(index).any(|other| other.name() == endpoint.name()) {
                problems.add(
                    &format!("endpoint.{index}.name"),
                    format!("`{}` names two endpoints, give each its own name", endpoint.name()),
                );
            }
        }
    }
}

impl Default for NumbersConfig {
    fn default() -> Self {
        let deny_types = vec![
            Kind::PremiumRate,
            Kind::SharedCost,
            Kind::Uan,
            Kind::Pager,
            Kind::Voicemail,
            Kind::Personal,
            Kind::TollFree,
        ];
        Self { reader: ReaderKind::default(), deny_types }
    }
}

/// In front of every variable that overrides a key.
const ENV_PREFIX: &str = "TOLLGATE_";
