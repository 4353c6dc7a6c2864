//! Reads the numbers out of a guarded request: one meaning, or none.
//!
//! Apps behind us read bodies with many parsers, which disagree about duplicates, cases, charsets and nesting. What
//! two of them could read differently is refused here, whatever it would have meant; what is forwarded is then the
//! same bytes, and every parser reads the number that was judged.

mod form;
mod json;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use smallvec::SmallVec;

use super::endpoint::{Endpoint, Locator, Segment};
use crate::attempt::phone::{self, Number, Reader};
use crate::risk::Fact;

/// The numbers of one request.
pub(super) type Numbers = SmallVec<[Number; 1]>;

/// Why no number could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    ContentType,
    Encoded,
    Json,
    Repeated,
    Excessive,
    Form,
    Missing,
    Twice,
    NotAString,
    TooMany,
    Number(phone::Unreadable),
}

// === impl Unreadable ===

impl Unreadable {
    /// The reason for the log.
    pub(super) fn fact(self) -> Fact {
        Fact::Because(match self {
            Self::ContentType => "the content type is missing, doubled or not one that the endpoint takes",
            Self::Encoded => "the body is encoded",
            Self::Json => "the body is not one strict JSON object",
            Self::Repeated => "a key is there twice, or in another spelling",
            Self::Excessive => "the body is too deep or has too many members",
            Self::Form => "the form or query is not strictly encoded",
            Self::Missing => "the number's field is missing",
            Self::Twice => "the number's field is in more than one place",
            Self::NotAString => "the number is not a string",
            Self::TooMany => "the request names more numbers than allowed",
            Self::Number(number) => return Fact::BadNumber(number),
        })
    }
}

/// All numbers that the request names, at least one.
pub(super) fn numbers(endpoint: &Endpoint, reader: &Reader, parts: &Parts, body: &[u8]) -> Result<Numbers, Unreadable> {
    let mut found = Found { endpoint, reader, numbers: Numbers::new() };
    if parts.headers.contains_key(CONTENT_ENCODING) {
        return Err(Unreadable::Encoded);
    }
    let query = parts.uri.query().unwrap_or_default();
    let places = endpoint.numbers();
    let mut n_places = usize::from(from_query(query, places, &mut found)?);
    let wants_body = places.iter().any(|place| !matches!(place, Locator::Query(_)));
    if !wants_body && !body.is_empty() {
        // Some apps merge a body's fields into the query's, and let the body win.
        return Err(Unreadable::Twice);
    }
    if wants_body && !(body.is_empty() && n_places == 1) {
        n_places += usize::from(from_body(parts, body, places, &mut found)?);
    }
    match n_places {
        0 => Err(Unreadable::Missing),
        1 => Ok(found.numbers),
        _ => Err(Unreadable::Twice),
    }
}

/// What has been found so far; a number is read as soon as its text is seen.
pub(super) struct Found<'a> {
    endpoint: &'a Endpoint,
    reader: &'a Reader,
    numbers: Numbers,
}

// === impl Found ===

impl Found<'_> {
    fn text(&mut self, text: &str) -> Result<(), Unreadable> {
        let number = self.reader.read(text, self.endpoint.region());
        self.push(number)
    }

    /// A text from a form or query, where a plus may have become a space.
    fn form_text(&mut self, text: &str) -> Result<(), Unreadable> {
        let number = self.reader.read_form(text, self.endpoint.region());
        self.push(number)
    }

    fn push(&mut self, number: Result<Number, phone::Unreadable>) -> Result<(), Unreadable> {
        if self.endpoint.max_numbers() <= self.numbers.len() {
            return Err(Unreadable::TooMany);
        }
        self.numbers.push(number.map_err(Unreadable::Number)?);
        Ok(())
    }
}

/// Whether the query held the number. A body's field in the query is refused: some apps merge the two.
fn from_query(query: &str, places: &[Locator], found: &mut Found<'_>) -> Result<bool, Unreadable> {
    if query.is_empty() {
        return Ok(false);
    }
    let wanted = places.iter().find_map(|place| match place {
        Locator::Query(name) => Some(name.as_str()),
        Locator::Json(_) | Locator::Form(_) => None,
    });
    let bodily = places.iter().filter_map(|place| match place {
        Locator::Form(name) => Some(name.as_str()),
        Locator::Json(path) => path.first().and_then(Segment::name),
        Locator::Query(_) => None,
    });
    let value = form::field(query.as_bytes(), wanted, &bodily.filter(|name| Some(*name) != wanted))?;
    value.map(|text| found.form_text(&text)).transpose().map(|read| read.is_some())
}

fn from_body(parts: &Parts, body: &[u8], places: &[Locator], found: &mut Found<'_>) -> Result<bool, Unreadable> {
    match content_type(parts)? {
        ContentType::Json => {
            let paths = places.iter().filter_map(|place| match place {
                Locator::Json(path) => Some(path.as_slice()),
                Locator::Form(_) | Locator::Query(_) => None,
            });
            let paths: SmallVec<[_; 4]> = paths.collect();
            if paths.is_empty() { Err(Unreadable::ContentType) } else { json::find(body, &paths, found) }
        }
        ContentType::Form => {
            let name = places.iter().find_map(|place| match place {
                Locator::Form(name) => Some(name.as_str()),
                Locator::Json(_) | Locator::Query(_) => None,
            });
            let name = name.ok_or(Unreadable::ContentType)?;
            let value = form::field(body, Some(name), &std::iter::empty())?;
            value.map(|text| found.form_text(&text)).transpose().map(|read| read.is_some())
        }
    }
}

enum ContentType {
    Json,
    Form,
}

/// The one content type, with no parameter but `charset=utf-8`.
fn content_type(parts: &Parts) -> Result<ContentType, Unreadable> {
    let mut lines = parts.headers.get_all(CONTENT_TYPE).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(Unreadable::ContentType) };
    let text = line.to_str().map_err(|_| Unreadable::ContentType)?;
    let (essence, parameters) = text.split_once(';').map_or((text, None), |(essence, rest)| (essence, Some(rest)));
    if parameters.is_some_and(|parameters| !is_utf8(parameters)) {
        return Err(Unreadable::ContentType);
    }
    match essence.trim() {
        essence if essence.eq_ignore_ascii_case("application/json") => Ok(ContentType::Json),
        essence if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") => Ok(ContentType::Form),
        _ => Err(Unreadable::ContentType),
    }
}

fn is_utf8(parameters: &str) -> bool {
    let parameters = parameters.trim();
    parameters.is_empty()
        || parameters.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim_matches('"');
            name.eq_ignore_ascii_case("charset")
                && (value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8"))
        })
}
