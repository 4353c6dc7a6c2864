//! Writes small databases in MaxMind's format: 24-bit records, IPv6, networks that do not overlap.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

/// A database of the networks and what it says of them.
pub(crate) fn mmdb(built: u64, networks: &[(&str, Value)]) -> Vec<u8> {
    let (mut tree, mut data): (Vec<[Record; 2]>, Vec<u8>) = (vec![[Record::Empty; 2]], Vec::new());
    for (network, value) in networks {
        insert(&mut tree, network.parse().unwrap(), data.len());
        encode(&mut data, value);
    }
    let mut bytes = Vec::new();
    for record in tree.iter().flatten() {
        let number = match *record {
            Record::Node(index) => index,
            Record::Empty => tree.len(),
            Record::Data(offset) => tree.len() + SEPARATOR + offset,
        };
        bytes.extend(&u32::try_from(number).unwrap().to_be_bytes()[1..]);
    }
    bytes.extend([0; SEPARATOR]);
    bytes.extend(data);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": built,
        "database_type": "tollgate-test", "description": {"en": "made by a test"}, "ip_version": 6,
        "languages": ["en"], "node_count": tree.len(), "record_size": 24,
    });
    encode(&mut bytes, &metadata);
    bytes
}

#[derive(Clone, Copy)]
enum Record {
    Empty,
    Node(usize),
    Data(usize),
}

fn insert(tree: &mut Vec<[Record; 2]>, network: IpNet, offset: usize) {
    let (bits, length) = match network.addr() {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 96 + network.prefix_len()),
        IpAddr::V6(ip) => (ip.to_bits(), network.prefix_len()),
    };
    let mut node = 0;
    for depth in 0..length {
        let side = (bits >> (127 - depth) & 1) as usize;
        if depth + 1 == length {
            tree[node][side] = Record::Data(offset);
        } else if let Record::Node(next) = tree[node][side] {
            node = next;
        } else {
            tree.push([Record::Empty; 2]);
            let next = tree.len() - 1;
            tree[node][side] = Record::Node(next);
            node = next;
        }
    }
}

fn encode(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(map) => {
            control(out, 7, map.len());
            for (key, value) in map {
                encode(out, &json!(key));
                match (key.as_str(), value.as_u64()) {
                    ("build_epoch", Some(number)) => integer(out, 9, number),
                    ("ip_version" | "record_size", Some(number)) => integer(out, 5, number),
                    (key, Some(number)) if key.starts_with("binary_format") => integer(out, 5, number),
                    _ => encode(out, value),
                }
            }
        }
        Value::Array(list) => {
            control(out, 11, list.len());
            list.iter().for_each(|value| encode(out, value));
        }
        Value::String(text) => {
            control(out, 2, text.len());
            out.extend(text.as_bytes());
        }
        Value::Bool(is_so) => control(out, 14, usize::from(*is_so)),
        Value::Number(number) => integer(out, 6, number.as_u64().unwrap()),
        Value::Null => panic!("the format has no null"),
    }
}

fn integer(out: &mut Vec<u8>, kind: u8, number: u64) {
    let bytes = &number.to_be_bytes()[number.leading_zeros() as usize / 8..];
    control(out, kind, bytes.len());
    out.extend(bytes);
}

/// Type and length of what follows, which is shorter than 285.
fn control(out: &mut Vec<u8>, kind: u8, length: usize) {
    let short = u8::try_from(length.min(29)).unwrap();
    if kind < 8 {
        out.push(kind << 5 | short)
    } else {
        out.extend([short, kind - 7])
    }
    if 29 <= length {
        out.push(u8::try_from(length - 29).unwrap());
    }
}

const SEPARATOR: usize = 16;
