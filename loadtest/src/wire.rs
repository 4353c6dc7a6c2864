//! HTTP/1.1 messages in a buffer: where one ends, and the little that a load generator wants to know of it.
//!
//! Reads `Content-Length` and chunked bodies. A response whose end is the end of the connection is a fault here, since
//! a proxy that answers so cannot be measured over kept connections.

use std::fmt;
use std::ops::Range;

/// The first complete response of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) n_bytes: usize,
    pub(crate) keeps_alive: bool,
}

/// The first complete request of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Range<usize>,
    pub(crate) path: Range<usize>,
    /// With the lines of chunk sizes in it, if it is chunked.
    pub(crate) body: Range<usize>,
    pub(crate) n_bytes: usize,
    pub(crate) keeps_alive: bool,
}

/// Bytes that are not a message of the kind expected, or one that is too large.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(&'static str);

/// Reads a response; `None` while it is incomplete. Interim (1xx) responses are passed over.
pub(crate) fn response(buffer: &[u8]) -> Result<Option<Response>, Malformed> {
    let mut start = 0;
    loop {
        let rest = buffer.get(start..).unwrap_or_default();
        let mut headers = [httparse::EMPTY_HEADER; N_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(n_head) = head.parse(rest).map_err(|_| Malformed("not an HTTP response"))?
        else {
            return incomplete(buffer);
        };
        let status = head.code.unwrap_or_default();
        if (100..200).contains(&status) {
            start += n_head;
            continue;
        }
        let framing = Framing::read(head.headers)?;
        let body = match status {
            204 | 304 => Some(n_head),
            _ => framing.body.ok_or(Malformed("a response without a length"))?.end(rest, n_head)?,
        };
        let keeps_alive = head.version == Some(1) && !framing.closes;
        return match body {
            Some(end) => Ok(Some(Response { status, n_bytes: start + end, keeps_alive })),
            None => incomplete(buffer),
        };
    }
}

/// Reads a request; `None` while it is incomplete.
pub(crate) fn request(buffer: &[u8]) -> Result<Option<Request>, Malformed> {
    let mut headers = [httparse::EMPTY_HEADER; N_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(n_head) = head.parse(buffer).map_err(|_| Malformed("not an HTTP request"))? else {
        return incomplete(buffer);
    };
    let framing = Framing::read(head.headers)?;
    let Some(end) = framing.body.unwrap_or(Body::Length(0)).end(buffer, n_head)? else {
        return incomplete(buffer);
    };
    let method = head.method.unwrap_or_default();
    let path = head.path.unwrap_or_default();
    let path_start = method.len() + 1;
    Ok(Some(Request {
        method: 0..method.len(),
        path: path_start..path_start + path.len(),
        body: n_head..end,
        n_bytes: end,
        keeps_alive: (head.version == Some(1) && !framing.closes) || framing.keeps,
    }))
}

/// What the headers say about the message's end and the connection's.
struct Framing {
    body: Option<Body>,
    closes: bool,
    keeps: bool,
}

#[derive(Clone, Copy)]
enum Body {
    Length(usize),
    Chunked,
}

// === impl Framing ===

impl Framing {
    fn read(headers: &[httparse::Header<'_>]) -> Result<Self, Malformed> {
        let mut framing = Self { body: None, closes: false, keeps: false };
        for header in headers {
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = std::str::from_utf8(header.value).ok().and_then(|text| text.trim().parse().ok());
                framing.body = Some(Body::Length(length.ok_or(Malformed("a length that is no number"))?));
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                framing.body = Some(Body::Chunked);
            } else if header.name.eq_ignore_ascii_case("connection") {
                framing.closes |= header.value.eq_ignore_ascii_case(b"close");
                framing.keeps |= header.value.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(framing)
    }
}

// === impl Body ===

impl Body {
    /// Where the message ends, if all of it is there.
    fn end(self, buffer: &[u8], n_head: usize) -> Result<Option<usize>, Malformed> {
        match self {
            Self::Length(length) if N_BYTES < length => Err(Malformed("a body that is too large")),
            Self::Length(length) => Ok(Some(n_head + length).filter(|&end| end <= buffer.len())),
            Self::Chunked => {
                let body = buffer.get(n_head..).unwrap_or_default();
                Ok(chunked_end(body)?.map(|end| n_head + end))
            }
        }
    }
}

/// Where a chunked body ends. Trailers are not expected.
fn chunked_end(body: &[u8]) -> Result<Option<usize>, Malformed> {
    let mut start = 0;
    loop {
        let rest = body.get(start..).unwrap_or_default();
        let parsed = httparse::parse_chunk_size(rest).map_err(|_| Malformed("a chunk without a size"))?;
        let httparse::Status::Complete((n_line, size)) = parsed else {
            return Ok(None);
        };
        let size = usize::try_from(size).ok().filter(|&size| size <= N_BYTES);
        start += n_line + size.ok_or(Malformed("a chunk that is too large"))? + "\r\n".len();
        if body.len() < start {
            return Ok(None);
        }
        if size == Some(0) {
            return Ok(Some(start));
        }
    }
}

fn incomplete<T>(buffer: &[u8]) -> Result<Option<T>, Malformed> {
    if N_BYTES < buffer.len() { Err(Malformed("a message that is too large")) } else { Ok(None) }
}

// === impl Malformed ===

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

const N_HEADERS: usize = 64;

/// The largest message: the answer of `/_stats` is the largest there should be.
const N_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_ends_where_its_length_says() {
        let text = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nRetry-After: 9\r\n\r\n{}HTTP/1.1";
        let read = response(text).unwrap().unwrap();
        assert_eq!(read, Response { status: 429, n_bytes: text.len() - 8, keeps_alive: true });
    }

    #[test]
    fn every_beginning_of_a_message_is_incomplete() {
        let texts: [&[u8]; 2] = [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        ];
        for text in texts {
            for n in 0..text.len() {
                assert_eq!(response(&text[..n]), Ok(None), "{n}");
            }
            assert_eq!(response(text).unwrap().unwrap().n_bytes, text.len());
        }
    }

    #[test]
    fn interim_responses_are_passed_over() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(response(text).unwrap().unwrap(), Response { status: 204, n_bytes: text.len(), keeps_alive: true });
    }

    #[test]
    fn a_request_shows_its_path_and_body() {
        let text = b"POST /a/b HTTP/1.1\r\ncontent-length: 4\r\n\r\n1234";
        let read = request(text).unwrap().unwrap();
        assert_eq!(&text[read.method.clone()], b"POST");
        assert_eq!(&text[read.path.clone()], b"/a/b");
        assert_eq!(&text[read.body.clone()], b"1234");
        assert!(read.keeps_alive);
    }

    #[test]
    fn nonsense_is_an_error_and_so_is_a_giant() {
        assert!(response(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
        assert!(request(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n").is_err());
        assert!(response(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
