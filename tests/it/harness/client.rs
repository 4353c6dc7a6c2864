//! A client that sends exactly the bytes it is given.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::SEND;
use super::gate::PATIENCE;
use super::wire::{Message, Wire};

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    pub(crate) wire: Wire,
}

// === impl Client ===

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { wire: Wire::new(stream.try_clone().unwrap()), stream }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        // A tollgate that has answered already may close before it has read everything.
        self.wire.write(bytes);
    }

    pub(crate) fn read(&mut self) -> Message {
        self.wire.message().unwrap()
    }

    pub(crate) fn ask(&mut self, request: &[u8]) -> Message {
        self.write(request);
        self.read()
    }

    /// How long the other end took to close.
    pub(crate) fn wait_for_close(&mut self) -> Duration {
        let started = Instant::now();
        let mut piece = [0; 1024];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return started.elapsed(),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return started.elapsed(),
                Err(error) => panic!("the connection was not closed: {error}"),
            }
        }
    }

    pub(crate) fn leave(self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }
}

/// Sends one request on a connection of its own.
pub(crate) fn fetch(address: SocketAddr, request: &[u8]) -> Message {
    Client::connect(address).ask(request)
}

/// A request with a body, and its Content-Length.
pub(crate) fn post(path: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut request = format!("POST {path} HTTP/1.1\r\nHost: app.example\r\n").into_bytes();
    for header in headers {
        request.extend_from_slice(header.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(body);
    request
}

/// A guarded request for a code, with further headers.
pub(crate) fn otp(phone: &str, headers: &[&str]) -> Vec<u8> {
    let mut all = vec!["Content-Type: application/json"];
    all.extend_from_slice(headers);
    post(SEND, &all, json(phone))
}

pub(crate) fn json(phone: &str) -> String {
    format!(r#"{{"phone":"{phone}"}}"#)
}
