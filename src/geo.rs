//! Says where a client's address is used, from databases that the operator gives: its network and its country.
//!
//! A database that changes on disk is loaded beside the one in use and then takes its place. One that cannot be used
//! changes nothing: old knowledge is better than none. Refuses to know what an origin means.

mod database;
mod record;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Deserialize;

use crate::attempt::origin::Origin;

use database::{Database, Mark};

/// The `[geo]` section.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeoConfig {
    /// A database in MaxMind's format that tells the country of an address.
    pub country: Option<PathBuf>,
    /// A database in MaxMind's format that tells the network of an address; may be the same file.
    pub asn: Option<PathBuf>,
    /// How often to look whether the files have changed.
    pub reload: Period,
}

/// From one second to a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(Duration);

/// A text that is no such period.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a period from \"1s\" to \"1d\"")]
pub struct PeriodError(String);

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct GeoError {
    path: PathBuf,
    problem: String,
}

/// The databases in use. Share it: looking up takes no lock.
#[derive(Debug)]
pub struct Geo {
    sources: Vec<Source>,
}

/// What looking for changes has done.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// Files that were loaded and are in use now.
    pub loaded: Vec<PathBuf>,
    /// Files that have changed and cannot be used; what was loaded before stays.
    pub kept: Vec<GeoError>,
}

/// What a database is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The country of an address.
    Country,
    /// The network of an address.
    Asn,
}

/// One file, and the last good database from it.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    roles: Vec<Role>,
    database: ArcSwap<Database>,
    /// What was last looked at, good or bad: a bad file is told once and not at every look.
    seen: Mutex<Option<Mark>>,
}

// === impl Geo ===

impl Geo {
    /// Loads the databases that are configured, if any.
    ///
    /// # Errors
    /// [`GeoError`] names the file and what is wrong with it.
    pub fn load(config: &GeoConfig) -> Result<Self, GeoError> {
        let files: Vec<(&Path, Vec<Role>)> = match (config.country.as_deref(), config.asn.as_deref()) {
            (Some(country), Some(asn)) if country == asn => vec![(country, vec![Role::Country, Role::Asn])],
            (country, asn) => {
                let country = country.map(|path| (path, vec![Role::Country]));
                country.into_iter().chain(asn.map(|path| (path, vec![Role::Asn]))).collect()
            }
        };
        let sources = files.into_iter().map(|(path, roles)| Source::load(path, roles)).collect::<Result<_, _>>()?;
        Ok(Self { sources })
    }

    /// Whether there is no database: then nothing is known of any address.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// What is known of the address. Costs well under a microsecond.
    pub fn lookup(&self, ip: IpAddr) -> Origin {
        let ip = ip.to_canonical();
        let mut origin = Origin::default();
        for source in &self.sources {
            let found = source.database.load().find(ip);
            for role in &source.roles {
                match role {
                    Role::Country => origin.country = found.country,
                    Role::Asn => origin.asn = found.asn,
                }
            }
        }
        origin
    }

    /// Loads what has changed on disk. Reads files, so call it off the request's path.
    pub fn refresh(&self) -> Refreshed {
        let mut refreshed = Refreshed::default();
        for source in &self.sources {
            match source.refresh() {
                None => {}
                Some(Ok(())) => refreshed.loaded.push(source.path.clone()),
                Some(Err(error)) => refreshed.kept.push(error),
            }
        }
        refreshed
    }

    /// When each database was built, in seconds since the Unix epoch, as it says itself.
    pub fn built(&self) -> impl Iterator<Item = (Role, u64)> {
        self.sources.iter().flat_map(|source| {
            let built = source.database.load().built();
            source.roles.iter().map(move |role| (*role, built))
        })
    }
}

// === impl Source ===

impl Source {
    fn load(path: &Path, roles: Vec<Role>) -> Result<Self, GeoError> {
        let (mark, database) = Database::load(path, &roles);
        let database = ArcSwap::from_pointee(database?);
        Ok(Self { path: path.to_owned(), roles, database, seen: Mutex::new(mark) })
    }

    fn refresh(&self) -> Option<Result<(), GeoError>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == Mark::of(&self.path) {
            return None;
        }
        let (mark, database) = Database::load(&self.path, &self.roles);
        *seen = mark;
        Some(database.map(|database| self.database.store(Arc::new(database))))
    }
}

// === impl Role ===

impl Role {
    /// The name of its key, and of its label in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Asn => "asn",
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Country => "countries",
            Self::Asn => "networks",
        }
    }

    fn is_told_by(self, origin: Origin) -> bool {
        match self {
            Self::Country => origin.country.is_some(),
            Self::Asn => origin.asn.is_some(),
        }
    }
}

// === impl Period ===

impl Period {
    /// As a duration, never zero.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Default for Period {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        match humantime::parse_duration(&text) {
            Ok(period) if Duration::from_secs(1) <= period && period <= Duration::from_hours(24) => Ok(Self(period)),
            Ok(_) | Err(_) => Err(PeriodError(text)),
        }
    }
}
