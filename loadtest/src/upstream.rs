//! The application behind the proxy, pretended: takes every send, sends nothing, counts.
//!
//! `GET /_stats` answers with the counts; everything else is a send and is answered with 200 at once, but for a code of
//! 000000, which is a wrong one.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::counts::Counts;
use crate::wire;

/// Counts that the connections share.
pub(crate) type Shared = Arc<Mutex<Counts>>;

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, counts: Shared) {
    let places = Arc::new(Semaphore::new(N_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely; the next connection may have better luck.
            tokio::task::yield_now().await;
            continue;
        };
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            // A proxy that breaks a connection off shows in the client's figures; here it only ends the connection.
            drop(answer_all(stream, &counts).await);
            drop(place);
        });
    }
}

async fn answer_all(mut stream: TcpStream, counts: &Mutex<Counts>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(N_READ);
    loop {
        while let Some(request) = wire::request(&buffer).map_err(io::Error::other)? {
            let part = |range| buffer.get(range).unwrap_or_default();
            if part(request.method.clone()) == b"GET" && part(request.path.clone()) == b"/_stats" {
                let stats = lock(counts).json().to_string();
                stream.write_all(ok(&stats).as_bytes()).await?;
            } else {
                let body = part(request.body.clone());
                lock(counts).send(part(request.path.clone()), body);
                let is_wrong = body.windows(WRONG_CODE.len()).any(|some| some == WRONG_CODE);
                stream.write_all(if is_wrong { WRONG } else { SENT }).await?;
            }
            if !request.keeps_alive {
                return stream.shutdown().await;
            }
            buffer.drain(..request.n_bytes);
        }
        buffer.reserve(N_READ);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

/// The counts, for a moment.
pub(crate) fn lock(counts: &Mutex<Counts>) -> std::sync::MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ok(json: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}", json.len())
}

/// What an application answers whose message is on its way.
const SENT: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: 51\r\n\r\n\
    {\"status\":\"sent\",\"expires_in\":300,\"id\":\"000000001\"}";

/// What an application answers to a code that it never sent.
const WRONG: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n\
    {\"status\":\"incorrect\"}";

/// Such a code, as a body has it.
pub(crate) const WRONG_CODE: &[u8] = b"\"code\":\"000000\"";

const N_CONNECTIONS: usize = 4096;
const N_READ: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::target::Loopback;

    async fn upstream() -> (Client, Shared) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Loopback::port(listener.local_addr().unwrap().port());
        let counts = Shared::default();
        tokio::spawn(serve(listener, Arc::clone(&counts)));
        (Client::new(address), counts)
    }

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        for answer in [SENT, WRONG] {
            assert_eq!(wire::response(answer).unwrap().unwrap().n_bytes, answer.len());
        }
    }

    #[tokio::test]
    async fn sends_are_answered_and_show_in_the_stats() {
        let (mut client, _) = upstream().await;
        let send =
            b"POST /send HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n{\"phone\":\"+99450123\"}\r\n0\r\n\r\n";
        for _ in 0..3 {
            assert_eq!(client.exchange(send).await.unwrap().status, 200);
        }
        let stats: serde_json::Value = serde_json::from_slice(&client.fetch("/_stats").await.unwrap()).unwrap();
        assert_eq!(stats["paths"]["/send"], 3);
        assert_eq!(stats["prefixes"]["99450"], 3);
        assert_eq!(client.n_stale, 0);
    }

    #[tokio::test]
    async fn a_closed_connection_is_replaced() {
        let (mut client, counts) = upstream().await;
        for _ in 0..2 {
            let send = b"POST /send HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            assert_eq!(client.exchange(send).await.unwrap().status, 200);
        }
        assert_eq!(lock(&counts).n_requests, 2);
    }
}
