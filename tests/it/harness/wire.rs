//! HTTP/1.1 as bytes: just enough to tell messages apart, and nothing that would hide what was sent.

use std::io::{Read, Write};

/// One end of a connection of any kind.
pub(crate) trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A connection, and what was read from it ahead of time.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// One request or response.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Up to and with the empty line.
    pub(crate) head: String,
    /// Without chunk framing.
    pub(crate) body: Vec<u8>,
}

// === impl Wire ===

impl Wire {
    pub(crate) fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), buffer: Vec::new() }
    }

    /// Says whether the bytes could be written.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).is_ok()
    }

    /// `None` when the other end closed, broke or stayed silent too long.
    pub(crate) fn message(&mut self) -> Option<Message> {
        let mut message = self.head()?;
        message.body = self.body(&message)?;
        Some(message)
    }

    /// The head alone, with an empty body.
    pub(crate) fn head(&mut self) -> Option<Message> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.take(end + 4);
                return Some(Message { head: String::from_utf8_lossy(&head).into_owned(), body: Vec::new() });
            }
            self.fill()?;
        }
    }

    /// Exactly so many bytes.
    pub(crate) fn bytes(&mut self, n_bytes: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < n_bytes {
            self.fill()?;
        }
        Some(self.take(n_bytes))
    }

    /// Everything until the other end closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.fill().is_some() {}
        std::mem::take(&mut self.buffer)
    }

    /// One chunk of a chunked body; empty at its end.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = self.line()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let n_bytes = usize::from_str_radix(size, 16).ok()?;
        let chunk = self.bytes(n_bytes)?;
        self.bytes(2)?;
        Some(chunk)
    }

    fn body(&mut self, message: &Message) -> Option<Vec<u8>> {
        if message.header("transfer-encoding").is_some() {
            let mut body = Vec::new();
            loop {
                match self.chunk()? {
                    chunk if chunk.is_empty() => return Some(body),
                    chunk => body.extend(chunk),
                }
            }
        }
        match message.header("content-length") {
            Some(length) => self.bytes(length.parse().ok()?),
            None if message.head.starts_with("HTTP/") && !matches!(message.status(), 101 | 204 | 304) => {
                Some(self.rest())
            }
            None => Some(Vec::new()),
        }
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = self.take(end + 2);
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Option<()> {
        let mut piece = [0; 64 << 10];
        match self.stream.read(&mut piece) {
            Ok(0) | Err(_) => None,
            Ok(n_read) => {
                self.buffer.extend_from_slice(&piece[..n_read]);
                Some(())
            }
        }
    }

    fn take(&mut self, n_bytes: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(n_bytes);
        std::mem::replace(&mut self.buffer, rest)
    }
}

// === impl Message ===

impl Message {
    pub(crate) fn start_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> u16 {
        self.start_line().split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The value of a header that stands there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        match self.headers(name).as_slice() {
            [value] => Some(value),
            [] => None,
            several => panic!("{name} stands there {} times", several.len()),
        }
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
