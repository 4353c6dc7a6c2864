//! The body of an answer, which gives its connection back when all of it was read. Dropped before, it closes it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::super::activity::Answering;
use super::connection::Connection;
use super::pool::Pool;

#[derive(Debug)]
pub(super) struct Lent {
    body: Incoming,
    /// `None` once it was given back.
    lender: Option<(Connection, Arc<Pool>)>,
    _answering: Answering,
}

// === impl Lent ===

impl Lent {
    pub(super) fn new(body: Incoming, connection: Connection, pool: Arc<Pool>, answering: Answering) -> Self {
        let mut lent = Self { body, lender: Some((connection, pool)), _answering: answering };
        lent.give_back_if_done();
        lent
    }

    fn give_back_if_done(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let Some((connection, pool)) = self.lender.take() {
            pool.give_back(connection);
        }
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let lent = self.get_mut();
        let Some((connection, _)) = &mut lent.lender else { return Poll::Ready(None) };
        let frame = ready!(connection.poll_frame(&mut lent.body, cx));
        match &frame {
            Some(Ok(_)) => lent.give_back_if_done(),
            Some(Err(_)) => lent.lender = None,
            None => lent.give_back(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
