//! Joins two connections that left HTTP behind, WebSockets among them, until one side ends or both are silent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use super::serve::Place;

/// Joins the two once both have agreed. The client's connection keeps its place meanwhile.
pub(super) fn join(client: OnUpgrade, upstream: OnUpgrade, idle_timeout: Duration, place: Arc<Place>) {
    tokio::spawn(async move {
        match tokio::try_join!(client, upstream) {
            Ok((client, upstream)) => relay(client, upstream, idle_timeout).await,
            Err(error) => tracing::debug!(%error, "upgrade was not completed"),
        }
        drop(place);
    });
}

async fn relay(client: Upgraded, upstream: Upgraded, idle_timeout: Duration) {
    let (from_client, to_client) = tokio::io::split(TokioIo::new(client));
    let (from_upstream, to_upstream) = tokio::io::split(TokioIo::new(upstream));
    let moved = Mutex::new(Instant::now());
    let outward = copy(from_client, to_upstream, &moved);
    let inward = copy(from_upstream, to_client, &moved);
    // Either direction's end is told to the other side by `copy`; both ends, or an error, end the tunnel.
    let both = async { tokio::try_join!(outward, inward).map(|_| ()) };
    tokio::select! {
        _ended = both => {}
        () = silence(&moved, idle_timeout) => {}
    }
}

/// Ends when neither side has said anything for so long.
async fn silence(moved: &Mutex<Instant>, idle_timeout: Duration) {
    loop {
        let until = *moved.lock().unwrap_or_else(PoisonError::into_inner) + idle_timeout;
        if until <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(until).await;
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    moved: &Mutex<Instant>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 8 << 10];
    loop {
        let n_read = from.read(&mut buffer).await?;
        touch(moved);
        let Some(piece) = buffer.get(..n_read).filter(|piece| !piece.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(piece).await?;
        touch(moved);
    }
}

fn touch(moved: &Mutex<Instant>) {
    *moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
}
