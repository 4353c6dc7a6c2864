//! Joins two connections that left HTTP behind, WebSockets among them, until one side ends or both are silent.

use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Joins the two once both have agreed.
pub(super) fn join(client: OnUpgrade, upstream: OnUpgrade, idle_timeout: Duration) {
    tokio::spawn(async move {
        match tokio::try_join!(client, upstream) {
            Ok((client, upstream)) => relay(client, upstream, idle_timeout).await,
            Err(error) => tracing::debug!(%error, "upgrade was not completed"),
        }
    });
}

async fn relay(client: Upgraded, upstream: Upgraded, idle_timeout: Duration) {
    let (from_client, to_client) = tokio::io::split(TokioIo::new(client));
    let (from_upstream, to_upstream) = tokio::io::split(TokioIo::new(upstream));
    let (outward, inward) =
        (copy(from_client, to_upstream, idle_timeout), copy(from_upstream, to_client, idle_timeout));
    // Either direction's end is told to the other side by `copy`; both ends, or an error, end the tunnel.
    let _ended = tokio::try_join!(outward, inward);
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    idle_timeout: Duration,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 8 << 10];
    loop {
        let n_read = tokio::time::timeout(idle_timeout, from.read(&mut buffer)).await??;
        let Some(piece) = buffer.get(..n_read).filter(|piece| !piece.is_empty()) else {
            return to.shutdown().await;
        };
        tokio::time::timeout(idle_timeout, to.write_all(piece)).await??;
    }
}
