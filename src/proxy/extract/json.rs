//! A strict walk over a whole JSON document that picks out the numbers on its way.
//!
//! Everything is visited, also what nobody asked for: a duplicate, a lone surrogate or a byte that is not UTF-8 in an
//! ignored member is where parsers part ways.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::super::endpoint::Segment;
use super::{Found, Unreadable};

/// Reads every number at one of `paths`; says whether there was any.
pub(super) fn find(body: &[u8], paths: &[&[Segment]], found: &mut Found<'_>) -> Result<bool, Unreadable> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Unreadable::Json);
    }
    let walk = Walk { fault: Cell::new(None), n_members: Cell::new(0) };
    // Checked once for the whole document, which is faster than string by string.
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Json)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let n_before = found.numbers.len();
    let routes = paths.iter().copied().collect();
    let walked = Node { walk: &walk, found, routes, depth: 0 }.deserialize(&mut deserializer);
    match walked.and_then(|()| deserializer.end()) {
        Ok(()) => Ok(n_before < found.numbers.len()),
        Err(_) => Err(walk.fault.get().unwrap_or(Unreadable::Json)),
    }
}

/// What the whole walk shares.
struct Walk {
    /// Why the walk was stopped, where it was not for the JSON itself.
    fault: Cell<Option<Unreadable>>,
    n_members: Cell<usize>,
}

/// A value about to be read, and what is left of the paths that lead through it.
struct Node<'w, 'f, 'a, 'p> {
    walk: &'w Walk,
    found: &'f mut Found<'a>,
    routes: Routes<'p>,
    depth: usize,
}

type Routes<'p> = SmallVec<[&'p [Segment]; 4]>;

// === impl Walk ===

impl Walk {
    fn stop<E: Error>(&self, fault: Unreadable) -> E {
        self.fault.set(Some(fault));
        E::custom("stopped")
    }

    fn count_member<E: Error>(&self) -> Result<(), E> {
        self.n_members.set(self.n_members.get() + 1);
        if MOST_MEMBERS < self.n_members.get() { Err(self.stop(Unreadable::Excessive)) } else { Ok(()) }
    }
}

// === impl Node ===

impl Node<'_, '_, '_, '_> {
    /// A value that is neither string nor container, where a number or a way to one should be.
    fn scalar<E: Error>(&self) -> Result<(), E> {
        Err(self.walk.stop(Unreadable::NotAString))
    }

    fn is_number(&self) -> bool {
        self.routes.iter().any(|route| route.is_empty())
    }

    /// Goes into a container, which must be of the kind that every path through it expects: an app that takes a map for
    /// a list, or the other way, would find a number where we do not look.
    fn enter<E: Error>(&self, is_expected: impl Fn(&Segment) -> bool) -> Result<(), E> {
        if !self.routes.iter().all(|route| route.first().is_some_and(&is_expected)) {
            return Err(self.walk.stop(Unreadable::NotAString));
        }
        if MOST_DEPTH <= self.depth { Err(self.walk.stop(Unreadable::Excessive)) } else { Ok(()) }
    }
}

impl<'p> Node<'_, '_, '_, 'p> {
    /// The paths that go on through the member `key`.
    fn through_member<E: Error>(&self, key: &str) -> Result<Routes<'p>, E> {
        let mut routes = Routes::new();
        for route in &self.routes {
            let Some((Segment::Member(name), rest)) = route.split_first() else { continue };
            if name == key {
                routes.push(rest);
            } else if is_alike(name, key) {
                return Err(self.walk.stop(Unreadable::Repeated));
            }
        }
        Ok(routes)
    }

    fn through_elements(&self) -> Routes<'p> {
        let rest = |route: &&'p [Segment]| match route.split_first() {
            Some((Segment::Each, rest)) => Some(rest),
            Some((Segment::Member(_), _)) | None => None,
        };
        self.routes.iter().filter_map(rest).collect()
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if !self.is_number() {
            return self.scalar();
        }
        self.found.text(text).map_err(|fault| self.walk.stop(fault))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.enter(|segment| matches!(segment, Segment::Member(_)))?;
        let mut keys = Keys::default();
        while let Some(key) = members.next_key::<Key<'de>>()? {
            self.walk.count_member()?;
            let routes = self.through_member(&key.0)?;
            if !keys.insert(folded(key.0)) {
                return Err(self.walk.stop(Unreadable::Repeated));
            }
            if routes.is_empty() {
                members.next_value_seed(Skim { walk: self.walk, depth: self.depth + 1 })?;
            } else {
                members.next_value_seed(Node { walk: self.walk, found: self.found, routes, depth: self.depth + 1 })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.enter(|segment| matches!(segment, Segment::Each))?;
        loop {
            let routes = self.through_elements();
            let node = Node { walk: self.walk, found: self.found, routes, depth: self.depth + 1 };
            if elements.next_element_seed(node)?.is_none() {
                return Ok(());
            }
            self.walk.count_member()?;
        }
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    /// Null is a field that is not there, except as the number itself.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.is_number() { self.scalar() } else { Ok(()) }
    }
}

/// A value that no path leads through: held to the same rules, and not looked at.
struct Skim<'w> {
    walk: &'w Walk,
    depth: usize,
}

// === impl Skim ===

impl<'w> Skim<'w> {
    fn inner(&self) -> Self {
        Self { walk: self.walk, depth: self.depth + 1 }
    }

    fn enter<E: Error>(&self) -> Result<(), E> {
        if MOST_DEPTH <= self.depth { Err(self.walk.stop(Unreadable::Excessive)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Skim<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skim<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.enter()?;
        let mut keys = Keys::default();
        while let Some(key) = members.next_key::<Key<'de>>()? {
            self.walk.count_member()?;
            if !keys.insert(folded(key.0)) {
                return Err(self.walk.stop(Unreadable::Repeated));
            }
            members.next_value_seed(self.inner())?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.enter()?;
        while elements.next_element_seed(self.inner())?.is_some() {
            self.walk.count_member()?;
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A key, borrowed unless it was escaped.
#[derive(serde::Deserialize)]
struct Key<'k>(#[serde(borrow)] Cow<'k, str>);

/// The keys of one object, folded: a short list first, a set when it grows.
#[derive(Default)]
struct Keys<'k> {
    few: SmallVec<[Cow<'k, str>; 16]>,
    many: HashSet<Cow<'k, str>>,
}

impl<'k> Keys<'k> {
    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'k, str>) -> bool {
        if self.many.is_empty() && self.few.len() < 16 {
            let is_new = !self.few.contains(&key);
            self.few.push(key);
            return is_new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key)
    }
}

/// The key as the laxest comparison sees it: `ſ` is `s`, the Kelvin sign is `k`.
fn folded(key: Cow<'_, str>) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return key;
    }
    Cow::Owned(key.to_uppercase().to_lowercase())
}

fn is_alike(name: &str, key: &str) -> bool {
    if key.is_ascii() && name.is_ascii() {
        return name.eq_ignore_ascii_case(key);
    }
    folded(Cow::Borrowed(name)) == folded(Cow::Borrowed(key))
}

const MOST_DEPTH: usize = 32;
const MOST_MEMBERS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::super::super::endpoint::{Endpoint, Locator};
    use super::*;
    use crate::attempt::phone::{Reader, ReaderKind};

    fn read(places: &[&str], body: &str) -> Result<usize, Unreadable> {
        let endpoint: Endpoint = serde_json::from_value(serde_json::json!({
            "name": "send", "path": "/send", "number": places
        }))
        .unwrap();
        let reader = Reader::builtin(ReaderKind::Google).unwrap();
        let mut found = Found { endpoint: &endpoint, reader: &reader, numbers: Default::default() };
        let paths: Vec<&[Segment]> = endpoint
            .numbers()
            .iter()
            .map(|place| match place {
                Locator::Json(path) => path.as_slice(),
                Locator::Form(_) | Locator::Query(_) => unreachable!("only JSON here"),
            })
            .collect();
        find(body.as_bytes(), &paths, &mut found).map(|_| found.numbers.len())
    }

    #[test]
    fn every_number_of_a_list_is_read() {
        let body = r#"{"to":[{"phone":"+14155550123"},{"x":1,"phone":"+14155550124"}]}"#;
        assert_eq!(read(&["json:/to/*/phone"], body), Ok(2));
    }

    #[test]
    fn a_container_of_another_kind_than_the_path_expects_is_refused() {
        for body in [
            r#"{"phone":"+14155550123","to":{"0":{"phone":"+8821234567"}}}"#,
            r#"{"to":[{"phone":"+14155550123"},"+8821234567"]}"#,
            r#"{"to":[{"phone":"+14155550123"},[{"phone":"+8821234567"}]]}"#,
            r#"{"phone":["+14155550123"]}"#,
        ] {
            assert_eq!(read(&["json:/phone", "json:/to/*/phone"], body), Err(Unreadable::NotAString), "{body}");
        }
    }
}
