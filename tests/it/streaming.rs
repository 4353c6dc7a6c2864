//! Unguarded traffic is not held up: not by size, not by time, not by a change of protocol.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use crate::harness::{Client, Gate, Message, Tollgate, Upstream, Wire};

#[test]
fn the_upstream_sees_the_first_piece_before_the_client_sends_the_last() {
    let seen = Gate::default();
    let told = seen.clone();
    on("/early-up", move |_, mut wire| {
        assert_eq!(wire.chunk().unwrap(), b"first");
        told.open();
        assert_eq!(wire.chunk().unwrap(), b"last");
        assert_eq!(wire.chunk().unwrap(), b"");
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let mut client = client();
    client.write(b"POST /early-up HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    assert!(seen.pass());
    assert_eq!(client.ask(b"4\r\nlast\r\n0\r\n\r\n").status(), 200);
}

#[test]
fn the_client_sees_the_first_piece_before_the_upstream_sends_the_last() {
    let seen = Gate::default();
    let wait = seen.clone();
    on("/early-down", move |_, mut wire| {
        wire.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
        );
        assert!(wait.pass());
        wire.write(b"4\r\nlast\r\n0\r\n\r\n");
    });
    let mut client = client();
    client.write(b"GET /early-down HTTP/1.1\r\nHost: app.example\r\n\r\n");
    client.wire.head().unwrap();
    assert_eq!(client.wire.chunk().unwrap(), b"first");
    seen.open();
    assert_eq!(client.wire.chunk().unwrap(), b"last");
}

#[test]
fn a_large_upload_passes() {
    let (sum_seen, told) = std::sync::mpsc::channel();
    on("/up", move |head, mut wire| {
        let body = wire.bytes(head.header("content-length").unwrap().parse().unwrap()).unwrap();
        sum_seen.send(sum(&body)).unwrap();
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let body = megabytes();
    let head = format!("POST /up HTTP/1.1\r\nHost: app.example\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut client = client();
    client.write(head.as_bytes());
    client.write(&body);
    assert_eq!(client.read().status(), 200);
    assert_eq!(told.recv().unwrap(), sum(&body));
}

#[test]
fn a_large_download_passes() {
    on("/down", |_, mut wire| {
        let body = megabytes();
        wire.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        wire.write(&body);
    });
    let answer = client().ask(b"GET /down HTTP/1.1\r\nHost: app.example\r\n\r\n");
    assert_eq!(sum(&answer.body), sum(&megabytes()));
}

#[test]
fn an_answer_that_breaks_off_breaks_off_for_the_client() {
    let seen = Gate::default();
    let wait = seen.clone();
    on("/broken", move |_, mut wire| {
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        assert!(wait.pass());
    });
    let mut client = client();
    client.write(b"GET /broken HTTP/1.1\r\nHost: app.example\r\n\r\n");
    client.wire.head().unwrap();
    seen.open();
    assert_eq!(client.wire.bytes(100), None);
}

#[test]
fn an_upgraded_connection_is_a_tunnel_both_ways() {
    on("/tunnel", |head, mut wire| {
        let asks = head.header("upgrade") == Some("websocket") && head.header("connection") == Some("Upgrade");
        if asks {
            wire.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
            let said = wire.bytes(4).unwrap();
            wire.write(&said);
        }
    });
    let mut client = client();
    client.write(WEBSOCKET.replacen("/chat", "/tunnel", 1).as_bytes());
    let head = client.wire.head().unwrap();
    assert_eq!((head.status(), head.header("upgrade")), (101, Some("websocket")));
    assert_eq!(client.wire.bytes(5).unwrap(), b"hello");
    client.write(b"ping");
    assert_eq!(client.wire.bytes(4).unwrap(), b"ping");
    client.wait_for_close();
}

#[test]
fn bytes_behind_a_refused_upgrade_are_not_passed_as_a_tunnel() {
    let (seen, told) = std::sync::mpsc::channel();
    on("/chat", move |_, mut wire| {
        wire.write(b"HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
        seen.send(wire.rest()).unwrap();
    });
    let mut client = client();
    assert_eq!(client.ask(WEBSOCKET.as_bytes()).status(), 426);
    let smuggled = b"POST /api/auth/send-otp HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(client.ask(smuggled).status(), 422);
    assert_eq!(told.recv().unwrap(), b"");
}

/// Has the upstream serve a path so, from the request's head on.
fn on(path: &'static str, serve: impl Fn(&Message, Wire) + Send + Sync + 'static) {
    SERVED.lock().unwrap().insert(path, Arc::new(serve));
}

fn client() -> Client {
    Client::connect(TOLLGATE.address)
}

type Serve = Arc<dyn Fn(&Message, Wire) + Send + Sync>;

static SERVED: Mutex<BTreeMap<&str, Serve>> = Mutex::new(BTreeMap::new());

static TOLLGATE: LazyLock<Tollgate> = LazyLock::new(|| {
    let upstream = Upstream::raw(|mut wire| {
        let Some(head) = wire.head() else { return };
        let serve = head.start_line().split(' ').nth(1).and_then(|path| SERVED.lock().unwrap().get(path).cloned());
        serve.unwrap()(&head, wire);
    });
    // This app serves one request a connection and does not say so: none of them is worth keeping.
    Tollgate::at(&format!("http://{upstream}"), "", "[upstream]\nmax_idle = 0\n")
});

fn megabytes() -> Vec<u8> {
    (0..6u32 << 20).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn sum(bytes: &[u8]) -> (usize, u64) {
    (bytes.len(), bytes.iter().fold(0, |sum, byte| sum * 31 % 1_000_000_007 + u64::from(*byte)))
}

const WEBSOCKET: &str = "GET /chat HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[test]
fn an_upgrade_to_anything_but_a_websocket_does_not_cross() {
    let (seen, told) = std::sync::mpsc::channel();
    on("/h2c", move |head, mut wire| {
        seen.send((head.header("upgrade").is_some(), head.header("connection").is_some())).unwrap();
        wire.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    });
    let mut client = client();
    client.write(b"GET /h2c HTTP/1.1\r\nHost: app.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n");
    assert_eq!(client.wire.head().unwrap().status(), 502, "an upgrade that nobody asked for is no answer");
    assert_eq!(told.recv().unwrap(), (false, false));
}
