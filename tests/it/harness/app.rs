//! A tollgate in this process, with its files in a directory of its own.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use tollgate::app::App;
use tollgate::config::Config;
use tollgate::proxy::Listen;

use super::client::{fetch, otp};
use super::gate::eventually;
use super::upstream::Upstream;
use super::wire::Message;

/// A running tollgate, which ends when it is dropped.
pub(crate) struct Tollgate {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) dir: TempDir,
}

// === impl Tollgate ===

impl Tollgate {
    /// In front of the upstream; `server` are keys of `[server]`, `rest` are further tables.
    pub(crate) fn start(upstream: &Upstream, server: &str, rest: &str) -> Self {
        Self::at(upstream.url(), server, rest)
    }

    /// As [`Tollgate::start`], judging nobody: limits and scores do not come into the test's way.
    pub(crate) fn lenient(upstream: &Upstream, server: &str) -> Self {
        Self::start(upstream, server, LENIENT)
    }

    pub(crate) fn at(upstream: &str, server: &str, rest: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = config_text(&dir, upstream, server, rest);
        let app = App::start(&Config::parse(&text).unwrap()).unwrap();
        let address = app.listens().iter().find_map(|listen| match listen {
            Listen::Tcp(address) => Some(*address),
            Listen::Unix(_) => None,
        });
        let admin = app.admin();
        Self { address: address.unwrap_or(admin), admin, app, dir }
    }

    /// Asks for a code and returns the answer.
    pub(crate) fn send(&self, phone: &str, headers: &[&str]) -> Message {
        fetch(self.address, &otp(phone, headers))
    }

    pub(crate) fn ask(&self, request: &[u8]) -> Message {
        fetch(self.address, request)
    }

    pub(crate) fn ask_admin(&self, path: &str) -> Message {
        fetch(self.admin, format!("GET {path} HTTP/1.1\r\nHost: admin.example\r\n\r\n").as_bytes())
    }

    /// The line of the block log about the request that was answered so.
    pub(crate) fn logged(&self, answer: &Message) -> Value {
        self.logged_as(answer.header("x-request-id").unwrap())
    }

    pub(crate) fn logged_as(&self, request_id: &str) -> Value {
        eventually("a line of the block log", || {
            self.log_lines().into_iter().find(|line| line["request_id"] == request_id)
        })
    }

    pub(crate) fn log_lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log_path()).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.dir.path().join("block.jsonl")
    }
}

/// A configuration that touches nothing outside `dir`.
pub(crate) fn config_text(dir: &TempDir, upstream: &str, server: &str, rest: &str) -> String {
    let listen = if server.contains("listen =") { "" } else { "listen = \"127.0.0.1:0\"" };
    let endpoint = if rest.contains("[[endpoint]]") { "" } else { ENDPOINT };
    let log = dir.path().join("block.jsonl");
    format!(
        "[server]\n{listen}\nupstream = \"{upstream}\"\nthreads = 2\n{server}\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n[block_log]\npath = \"{}\"\n{rest}\n{endpoint}",
        log.display()
    )
}

const LENIENT: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n\
                       [limits]\nnumber = []\nclient = []\nnet = []\n\
                       [ceiling]\nburst = 100000\n";

const ENDPOINT: &str = "[[endpoint]]\nname = \"send-otp\"\npath = \"/api/auth/send-otp\"\n\
                        number = [\"json:/phone\", \"form:phone\"]\n";
