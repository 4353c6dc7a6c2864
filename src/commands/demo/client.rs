//! Asks the demonstration's own proxy, which is on loopback: one connection for every request, as strangers have it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::BoxError;

/// Somebody's browser.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) proxy: SocketAddr,
    /// Who it is, as the hop in front of the proxy would say.
    pub(super) ip: IpAddr,
    pub(super) request_id: String,
}

// === impl Client ===

impl Client {
    /// Posts the number as typed; the answer's status.
    ///
    /// # Errors
    /// No answer, or none in time.
    pub(super) async fn post(&self, path: &str, phone: &str) -> Result<StatusCode, BoxError> {
        tokio::time::timeout(PATIENCE, self.exchange(path, phone)).await?
    }

    async fn exchange(&self, path: &str, phone: &str) -> Result<StatusCode, BoxError> {
        let body = serde_json::json!({ "phone": phone }).to_string();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, self.proxy.to_string())
            .header(CONTENT_TYPE, "application/json")
            .header("x-forwarded-for", self.ip.to_string())
            .header("x-request-id", &self.request_id)
            .body(Full::new(Bytes::from(body)))?;
        let stream = TcpStream::connect(self.proxy).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            response.into_body().collect().await?;
            Ok(status)
        };
        tokio::select! {
            // The answer first: the connection may end together with it.
            biased;
            status = answer => status,
            ended = connection => Err(ended.err().map_or_else(|| "no answer".into(), Into::into)),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
