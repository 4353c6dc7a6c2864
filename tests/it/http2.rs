//! HTTP/2, TLS and Unix sockets: other ways to the same decision.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::harness::{SEND, Tollgate, Upstream, Wire, json, otp};

#[test]
fn http2_with_prior_knowledge_is_spoken() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "");
    let status = run(async {
        let stream = TcpStream::connect(tollgate.address).await.unwrap();
        ask_h2(stream, "http", "h2c").await
    });
    assert_eq!(status, StatusCode::OK);
    let seen = upstream.request("h2c");
    assert_eq!(seen.start_line(), "POST /api/auth/send-otp HTTP/1.1");
    assert_eq!(seen.header("host"), Some("app.example"));
    assert_eq!(seen.header("cookie"), Some("a=1; b=2"));
    assert_eq!(seen.text(), json("+12195550100"));
}

#[test]
fn http2_is_refused_as_http1_is() {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "");
    let statuses = run(async {
        let stream = TcpStream::connect(tollgate.address).await.unwrap();
        let mut sender = h2(stream).await;
        let mut statuses = Vec::new();
        for (path, host, body) in [
            (SEND, None, "{}".to_owned()),
            ("/api/auth/%73end-otp", None, json("+12195550101")),
            (SEND, Some("evil.example"), json("+12195550101")),
            (SEND, Some("app.example"), json("+12195550101")),
        ] {
            let mut request =
                Request::post(format!("http://app.example{path}")).header("content-type", "application/json");
            if let Some(host) = host {
                request = request.header("host", host);
            }
            let request = request.body(Full::new(Bytes::from(body))).unwrap();
            statuses.push(sender.send_request(request).await.unwrap().status().as_u16());
        }
        statuses
    });
    assert_eq!(statuses, [422, 400, 400, 200]);
}

#[test]
fn many_streams_of_one_connection_meet_one_exact_limit() {
    let upstream = Upstream::friendly();
    let rules =
        "[policy]\nthresholds = { challenge = 101, block = 101 }\n[limits]\nnumber = [{ count = 5, per = \"10m\" }]\n";
    let tollgate = Tollgate::start(&upstream, "", rules);
    let n_passed = run(async {
        let stream = TcpStream::connect(tollgate.address).await.unwrap();
        let sender = h2(stream).await;
        let mut answers = tokio::task::JoinSet::new();
        for _ in 0..60 {
            let mut sender = sender.clone();
            answers.spawn(async move {
                sender.ready().await.unwrap();
                sender.send_request(request("http", "burst", "+12195550102")).await.unwrap().status()
            });
        }
        answers.join_all().await.into_iter().filter(|status| *status == StatusCode::OK).count()
    });
    assert_eq!((n_passed, upstream.requests("burst").len()), (5, 5));
}

#[test]
fn over_tls_the_protocol_is_chosen_by_alpn() {
    let Secured { files, tollgate, .. } = &*SECURED;
    for (offered, chosen) in
        [(&[&b"h2"[..], b"http/1.1"][..], Some(&b"h2"[..])), (&[b"http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let chosen_by_server = run(async {
            let stream = files.connect(tollgate, offered).await;
            stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
        });
        assert_eq!(chosen_by_server.as_deref(), chosen);
    }
}

#[test]
fn over_tls_both_protocols_reach_the_upstream_as_https() {
    let Secured { files, upstream, tollgate } = &*SECURED;
    let statuses = run(async {
        let second = ask_h2(files.connect(tollgate, &[b"h2"]).await, "https", "tls-h2").await;
        let first = ask_h1(files.connect(tollgate, &[b"http/1.1"]).await, "tls-h1").await;
        [first.status(), second]
    });
    assert_eq!(statuses, [StatusCode::OK; 2]);
    for case in ["tls-h1", "tls-h2"] {
        let seen = upstream.request(case);
        assert_eq!(seen.header("x-forwarded-proto"), Some("https"), "{case}");
        assert_eq!(seen.header("forwarded"), Some("for=127.0.0.1;proto=https"), "{case}");
    }
}

#[test]
fn plain_text_on_a_tls_port_gets_no_answer() {
    let Secured { upstream, tollgate, .. } = &*SECURED;
    let mut client = crate::harness::Client::connect(tollgate.address);
    client.write(&otp("+12195550103", &["X-Case: plain"]));
    assert!(!client.wire.rest().starts_with(b"HTTP"));
    assert_eq!(upstream.requests("plain").len(), 0);
}

#[test]
fn an_https_upstream_is_reached_with_the_ca_that_is_given() {
    let files = Certificate::new();
    let upstream = Upstream::tls(files.server_config());
    let ca = format!("[upstream]\nca = \"{}\"\n", files.cert().display());
    let tollgate = Tollgate::start(&upstream, "", &ca);
    assert_eq!(tollgate.send("+12195550104", &["X-Case: https"]).status(), 200);
    assert_eq!(upstream.request("https").text(), json("+12195550104"));
}

#[test]
fn an_https_upstream_with_a_strangers_certificate_is_502() {
    let (files, other) = (Certificate::new(), Certificate::new());
    let upstream = Upstream::tls(files.server_config());
    let ca = format!("[upstream]\nca = \"{}\"\n", other.cert().display());
    let tollgate = Tollgate::start(&upstream, "", &ca);
    assert_eq!(tollgate.send("+12195550105", &[]).status(), 502);
    assert_eq!(upstream.n_requests(), 0);
}

#[test]
fn unix_sockets_serve_on_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::unix(&dir.path().join("app.sock"));
    let (tollgate, socket) = on_socket(&upstream, &dir, "");
    let answer = ask_socket(&socket, &otp("+12195550106", &["X-Case: unix", "X-Forwarded-For: 192.0.2.1"]));
    assert_eq!(answer.status(), 200);
    assert_eq!(upstream.request("unix").header("x-forwarded-for"), None, "a socket vouches for nobody");
    assert!(tollgate.logged(&answer)["client_ip"].is_null());
}

#[test]
fn a_trusted_socket_says_who_the_client_is() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = Upstream::friendly();
    let (tollgate, socket) = on_socket(&upstream, &dir, "trusted_proxies = [\"unix:\"]");
    let answer = ask_socket(&socket, &otp("+12195550107", &["X-Case: hop", "X-Forwarded-For: 203.0.113.9, 192.0.2.1"]));
    assert_eq!(tollgate.logged(&answer)["client_ip"], "192.0.2.1");
    assert_eq!(upstream.request("hop").header("x-forwarded-for"), Some("203.0.113.9, 192.0.2.1"));
}

#[test]
fn a_socket_that_a_crash_left_behind_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(dir.path().join("tollgate.sock")).unwrap());
    let upstream = Upstream::friendly();
    let (_tollgate, socket) = on_socket(&upstream, &dir, "");
    assert_eq!(ask_socket(&socket, &otp("+12195550108", &[])).status(), 200);
}

fn on_socket(upstream: &Upstream, dir: &TempDir, server: &str) -> (Tollgate, std::path::PathBuf) {
    let socket = dir.path().join("tollgate.sock");
    let listen = format!("listen = [\"unix:{}\"]\n{server}", socket.display());
    (Tollgate::lenient(upstream, &listen), socket)
}

fn ask_socket(socket: &Path, request: &[u8]) -> crate::harness::Message {
    let mut wire = Wire::new(UnixStream::connect(socket).unwrap());
    assert!(wire.write(request));
    wire.message().unwrap()
}

/// A tollgate that speaks TLS.
struct Secured {
    files: Certificate,
    upstream: Upstream,
    tollgate: Tollgate,
}

static SECURED: LazyLock<Secured> = LazyLock::new(|| {
    let (files, upstream) = (Certificate::new(), Upstream::friendly());
    let tollgate = Tollgate::lenient(&upstream, &files.server_keys());
    Secured { files, upstream, tollgate }
});

/// A certificate for `localhost` and its key, in files.
struct Certificate(TempDir);

impl Certificate {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(dir.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(dir.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self(dir)
    }

    fn cert(&self) -> std::path::PathBuf {
        self.0.path().join("cert.pem")
    }

    fn key(&self) -> std::path::PathBuf {
        self.0.path().join("key.pem")
    }

    fn server_keys(&self) -> String {
        format!("tls = {{ cert = \"{}\", key = \"{}\" }}", self.cert().display(), self.key().display())
    }

    fn server_config(&self) -> Arc<rustls::ServerConfig> {
        let chain = vec![CertificateDer::from_pem_file(self.cert()).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.key()).unwrap();
        Arc::new(rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap())
    }

    async fn connect(&self, tollgate: &Tollgate, offered: &[&[u8]]) -> tokio_rustls::client::TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.cert()).unwrap()).unwrap();
        let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = TcpStream::connect(tollgate.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let patience = std::time::Duration::from_secs(30);
    runtime.block_on(async { tokio::time::timeout(patience, future).await.unwrap() })
}

fn request(scheme: &str, case: &str, phone: &str) -> Request<Full<Bytes>> {
    Request::post(format!("{scheme}://app.example{SEND}"))
        .header("x-case", case)
        .header("content-type", "application/json")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from(json(phone))))
        .unwrap()
}

async fn ask_h2<S>(stream: S, scheme: &str, case: &str) -> StatusCode
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = h2(stream).await.send_request(request(scheme, case, "+12195550100")).await.unwrap();
    let status = answer.status();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "sent");
    status
}

async fn h2<S>(stream: S) -> hyper::client::conn::http2::SendRequest<Full<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask_h1<S>(stream: S, case: &str) -> Response<hyper::body::Incoming>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = request("https", case, "+12195550100");
    *request.uri_mut() = SEND.parse().unwrap();
    request.headers_mut().insert("host", "app.example".parse().unwrap());
    sender.send_request(request).await.unwrap()
}
