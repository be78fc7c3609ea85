//! Bodies that take their time, as no event's does: those of a server that streams.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Frame;

pub(crate) enum SlowBody {
    /// It never ends: its caller holds the connection.
    Unending,
    /// It comes whole once this has happened.
    After(fn(), Option<Bytes>),
}

impl http_body::Body for SlowBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Unending => Poll::Pending,
            Self::After(happens, octets) => {
                happens();
                Poll::Ready(octets.take().map(|octets| Ok(Frame::data(octets))))
            }
        }
    }
}

impl From<Vec<u8>> for SlowBody {
    fn from(octets: Vec<u8>) -> Self {
        Self::After(|| {}, Some(octets.into()))
    }
}
