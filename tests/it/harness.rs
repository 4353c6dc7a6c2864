//! Both ends of the wire: an upstream that counts and misbehaves, clients that send exact bytes, and a tollgate between.

mod app;
mod client;
mod gate;
mod mmdb;
mod upstream;
mod wire;

pub(crate) use app::{Tollgate, config_text};
pub(crate) use client::{Client, fetch, json, otp, post};
pub(crate) use gate::{Gate, eventually};
pub(crate) use mmdb::mmdb;
pub(crate) use upstream::{Reply, Upstream, ok};
pub(crate) use wire::{Message, Wire};

/// The guarded path of every test.
pub(crate) const SEND: &str = "/api/auth/send-otp";

/// A fictional number of North America: the 100 numbers from 555-0100 on in each of many area codes.
pub(crate) fn fictional(n: usize) -> String {
    let area = AREAS[n / 100 % AREAS.len()];
    format!("+1{area}55501{:02}", n % 100)
}

/// Area codes of the United States.
pub(crate) const AREAS: [u16; 40] = [
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234,
    239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302,
];
