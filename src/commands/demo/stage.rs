//! Sets up what the demonstration needs, in one process: the app, the proxy in front of it, and a file for its log.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tariff::Tariff;
use super::upstream::{Delivered, Upstream};
use crate::app::App;
use crate::config::Config;
use crate::proxy::{Listen, OneOrMany};

/// Everything that runs.
#[derive(Debug)]
pub(super) struct Stage {
    app: App,
    proxy: SocketAddr,
    upstream: Upstream,
    log: PathBuf,
    notes: Vec<String>,
}

// === impl Stage ===

impl Stage {
    /// Starts all of it.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn set(tariff: &Arc<Tariff>) -> Result<Self, Vec<String>> {
        let one = |error: std::io::Error| vec![error.to_string()];
        let upstream = Upstream::start(tariff).map_err(one)?;
        let log = create_log().map_err(one)?;
        let mut notes = Vec::new();
        let mut config = Config::parse(CONFIG).map_err(|error| vec![error.to_string()])?;
        let listen = free_or_any(PROXY_PORT, &mut notes);
        config.server.listen = OneOrMany(vec![Listen::Tcp(listen)]);
        config.admin.listen = free_or_any(ADMIN_PORT, &mut notes);
        config.server.upstream =
            format!("http://{}", upstream.address()).parse().map_err(|error| vec![format!("{error}")])?;
        config.block_log.path.clone_from(&log);
        let app = App::start(&config)?;
        let proxy = app.listens().iter().find_map(|listen| match listen {
            Listen::Tcp(address) => Some(*address),
            Listen::Unix(_) => None,
        });
        Ok(Self { app, proxy: proxy.unwrap_or(listen), upstream, log, notes })
    }

    /// Where the proxy listens.
    pub(super) fn proxy(&self) -> SocketAddr {
        self.proxy
    }

    /// Where its admin side listens.
    pub(super) fn admin(&self) -> SocketAddr {
        self.app.admin()
    }

    /// Where decisions are written.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// What is not as it is described elsewhere.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What the app was asked to send so far.
    pub(super) fn delivered(&self) -> Delivered {
        self.upstream.delivered()
    }

    /// Ends everything in order; the log is complete afterwards. Where it is, and what was sent in all.
    pub(super) async fn strike(self) -> (PathBuf, Delivered) {
        // Whatever is cut off here, nobody waits for it any more.
        let _is_drained = self.app.drain().await;
        (self.log, self.upstream.close())
    }
}

/// The port if nobody has it, else 0, for the system to choose.
fn free_or_any(port: u16, notes: &mut Vec<String>) -> SocketAddr {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address) {
        Ok(_probe) => address,
        Err(error) => {
            notes.push(format!("Port {port} cannot be had ({error}), so another one is used."));
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
        }
    }
}

/// An empty file that nobody else reads, however well known the directory is.
fn create_log() -> std::io::Result<PathBuf> {
    let name = format!("tollgate-demo-{:016x}.jsonl", fastrand::u64(..));
    let path = std::env::temp_dir().join(name);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok(path)
}

const CONFIG: &str = include_str!("config.toml");
const PROXY_PORT: u16 = 8080;
const ADMIN_PORT: u16 = 9090;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demonstration_runs_with_the_default_thresholds_and_limits() {
        let (ours, default) = (Config::parse(CONFIG).unwrap(), Config::default());
        assert_eq!(format!("{:?}", ours.policy), format!("{:?}", default.policy));
        assert_eq!(format!("{:?}", ours.limits), format!("{:?}", default.limits));
    }

    #[test]
    fn a_taken_port_is_left_to_its_owner() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut notes = Vec::new();
        assert_eq!(free_or_any(taken.local_addr().unwrap().port(), &mut notes).port(), 0);
        assert_eq!(notes.len(), 1);
    }
}
