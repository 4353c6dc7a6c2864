//! Which requests are guarded, and where their number is.
//!
//! An app's router is laxer than a comparison of bytes, so a guarded path also matches in any case, with a trailing
//! slash or a format suffix. A target that decodes to a guarded path but is not spelled canonically is refused: it has
//! no honest use.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use http::{Method, Uri};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::attempt::Channel;
use crate::attempt::phone::Region;

/// One `[[endpoint]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "RawEndpoint")]
pub struct Endpoint {
    name: String,
    path: String,
    methods: Vec<Method>,
    numbers: Vec<Locator>,
    region: Option<Region>,
    role: Role,
    channel: Channel,
    max_numbers: NonZeroU8,
}

/// What the endpoint does to a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends a message.
    #[default]
    Send,
    /// Checks a code: an answer of 2xx means that the number's owner typed it.
    Verify,
}

/// Where a number stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Locator {
    /// `json:/a/b`, where `*` stands for every element of an array.
    Json(Vec<Segment>),
    /// `form:name` in a body of `application/x-www-form-urlencoded`.
    Form(String),
    /// `query:name`.
    Query(String),
}

/// One step into a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object.
    Member(String),
    /// Every element of an array.
    Each,
}

/// An endpoint that cannot be guarded.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The name would not survive in a metric.
    #[error("`name` must be 1 to 64 letters, digits, `-`, `_` or `.`, not `{0}`")]
    Name(String),
    /// The path is not one that a canonical request can have.
    #[error("`path` must start with `/`, without `?`, `%`, `;`, `//` or dot segments, not `{0}`")]
    Path(String),
    /// The methods are none, or one cannot be read.
    #[error("`methods` must list at least one HTTP method such as \"POST\", not `{0}`")]
    Methods(String),
    /// There is nowhere to look for a number.
    #[error("`number` must name at least one place, such as \"json:/phone\"")]
    Number,
}

/// A place that cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` names no place, expected `json:/phone`, `json:/recipients/*/to`, `form:phone` or `query:phone`")]
pub struct LocatorError(String);

/// All guarded endpoints.
#[derive(Clone, Debug)]
pub struct Endpoints(Vec<Endpoint>);

/// What a request is.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// No endpoint guards it.
    Open,
    /// The endpoint at this index does.
    Guarded(usize, &'a Endpoint),
    /// A browser's question whether it may send; open if it brings no body.
    Preflight(&'a Endpoint),
    /// It is at a guarded path with a method that the endpoint does not take.
    WrongMethod(&'a Endpoint),
    /// It might reach a guarded path, and is spelled so that nobody can be sure.
    Doubtful(&'a Endpoint),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    name: String,
    path: String,
    #[serde(default = "post")]
    methods: Vec<String>,
    #[serde(default)]
    number: Vec<Locator>,
    region: Option<Region>,
    #[serde(default)]
    role: Role,
    #[serde(default)]
    channel: Channel,
    #[serde(default = "most_numbers")]
    max_numbers: NonZeroU8,
}

// === impl Endpoints ===

impl Endpoints {
    /// These, where the first that matches counts.
    pub fn new(endpoints: Vec<Endpoint>) -> Self {
        Self(endpoints)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.0.iter()
    }

    /// Whether any checks codes.
    pub fn any_verifies(&self) -> bool {
        self.iter().any(|endpoint| endpoint.role == Role::Verify)
    }

    /// The endpoint at a path as an app would route it, whatever the method.
    pub fn at_path(&self, path: &str) -> Option<&Endpoint> {
        self.iter().find(|endpoint| reaches(path, &endpoint.path))
    }

    pub(super) fn find(&self, method: &Method, uri: &Uri) -> Found<'_> {
        let path = uri.path();
        let mut at_path = self.0.iter().enumerate().filter(|(_, endpoint)| reaches(path, &endpoint.path)).peekable();
        let Some((_, first)) = at_path.peek().copied() else {
            return self.doubtful(path).map_or(Found::Open, Found::Doubtful);
        };
        match at_path.find(|(_, endpoint)| endpoint.methods.contains(method)) {
            Some((index, endpoint)) => Found::Guarded(index, endpoint),
            None if *method == Method::OPTIONS => Found::Preflight(first),
            None => Found::WrongMethod(first),
        }
    }

    /// The endpoint that a target which matches nothing as it stands would reach once somebody behind us decoded it, or
    /// handed what follows a script's name to the app.
    fn doubtful(&self, path: &str) -> Option<&Endpoint> {
        if !path.bytes().any(|byte| matches!(byte, b'%' | b';' | b'\\' | b'.')) && !path.contains("//") {
            return None;
        }
        let loose = simplified(path);
        let behind_scripts = loose.match_indices('/').map(|(index, _)| loose.split_at(index));
        let behind_scripts = behind_scripts.filter(|(script, _)| is_script(script)).map(|(_, rest)| rest);
        let targets: Vec<&str> = std::iter::once(loose.as_str()).chain(behind_scripts).collect();
        self.iter().find(|endpoint| targets.iter().any(|target| reaches(target, &endpoint.path)))
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// The name in logs and metrics.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The guarded path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The methods it takes.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// Where its numbers are.
    pub fn numbers(&self) -> &[Locator] {
        &self.numbers
    }

    /// How national formats are read; without it they are not.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// How its messages are delivered.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// What it does to a phone.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The most numbers one request may name.
    pub fn max_numbers(&self) -> usize {
        usize::from(self.max_numbers.get())
    }
}

impl TryFrom<RawEndpoint> for Endpoint {
    type Error = EndpointError;

    fn try_from(raw: RawEndpoint) -> Result<Self, EndpointError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if raw.name.is_empty() || 64 < raw.name.len() || !raw.name.bytes().all(is_plain) {
            return Err(EndpointError::Name(raw.name));
        }
        if !raw.path.starts_with('/')
            || raw.path.contains(['?', '#', '%', ';', '\\'])
            || simplified(&raw.path) != raw.path
        {
            return Err(EndpointError::Path(raw.path));
        }
        let methods = raw
            .methods
            .iter()
            .map(|method| Method::from_str(method).map_err(|_| EndpointError::Methods(method.clone())));
        let methods = methods.collect::<Result<Vec<_>, _>>()?;
        if methods.is_empty() {
            return Err(EndpointError::Methods("[]".to_owned()));
        }
        if raw.number.is_empty() {
            return Err(EndpointError::Number);
        }
        Ok(Self {
            name: raw.name,
            path: raw.path,
            methods,
            numbers: raw.number,
            region: raw.region,
            role: raw.role,
            channel: raw.channel,
            max_numbers: raw.max_numbers,
        })
    }
}

// === impl Locator ===

impl TryFrom<String> for Locator {
    type Error = LocatorError;

    fn try_from(text: String) -> Result<Self, LocatorError> {
        let name_of = |name: &str| (!name.is_empty() && name.len() <= 128).then(|| name.to_owned());
        let locator = match text.split_once(':') {
            Some(("json", pointer)) => pointer.strip_prefix('/').and_then(|path| {
                let segments: Option<Vec<_>> = path.split('/').map(Segment::parse).collect();
                segments.map(Self::Json)
            }),
            Some(("form", name)) => name_of(name).map(Self::Form),
            Some(("query", name)) => name_of(name).map(Self::Query),
            Some(_) | None => None,
        };
        locator.ok_or(LocatorError(text))
    }
}

impl Segment {
    /// The member's name, where it is one.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Member(name) => Some(name),
            Self::Each => None,
        }
    }

    /// One part of an RFC 6901 pointer, or `*`.
    fn parse(part: &str) -> Option<Self> {
        match part {
            "" => None,
            "*" => Some(Self::Each),
            name => Some(Self::Member(name.replace("~1", "/").replace("~0", "~"))),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send => "send",
            Self::Verify => "verify",
        })
    }
}

/// Whether a router would take `path` for `guarded`: in any case, with one trailing slash, with a format suffix.
fn reaches(path: &str, guarded: &str) -> bool {
    let (path, guarded) = (path.as_bytes(), guarded.as_bytes());
    let Some((head, rest)) = path.split_at_checked(guarded.len()) else {
        return path.eq_ignore_ascii_case(guarded.strip_suffix(b"/").unwrap_or(guarded));
    };
    head.eq_ignore_ascii_case(guarded)
        && match rest {
            [] | [b'/'] => true,
            [b'.', suffix @ ..] => {
                let suffix = suffix.strip_suffix(b"/").unwrap_or(suffix);
                suffix.len() <= 8 && suffix.iter().all(u8::is_ascii_alphanumeric)
            }
            [..] => false,
        }
}

/// Whether the path names a script that apps are mounted under: `/index.php`.
fn is_script(path: &str) -> bool {
    let suffixes = [".php", ".cgi", ".fcgi", ".pl", ".py", ".rb", ".asp", ".aspx", ".ashx", ".jsp", ".do"];
    let path = path.to_ascii_lowercase();
    suffixes.iter().any(|suffix| path.ends_with(suffix))
}

/// The path as the laxest decoder would see it: decoded until nothing changes, backslashes turned, path parameters
/// cut, empty and dot segments resolved.
fn simplified(path: &str) -> String {
    let mut decoded = Cow::Borrowed(path);
    for _ in 0..3 {
        let next = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        if next == decoded {
            break;
        }
        decoded = Cow::Owned(next);
    }
    let mut segments = Vec::new();
    for segment in decoded.split(['/', '\\']) {
        let segment = segment.split([';', '?', '#', '\0']).next().unwrap_or_default().trim();
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name.trim_end_matches('.')),
        }
    }
    let mut simple = String::with_capacity(path.len());
    for segment in segments {
        simple.push('/');
        simple.push_str(segment);
    }
    if simple.is_empty() || (path.ends_with('/') && !simple.ends_with('/')) {
        simple.push('/');
    }
    simple
}

fn post() -> Vec<String> {
    vec!["POST".to_owned()]
}

fn most_numbers() -> NonZeroU8 {
    NonZeroU8::MIN.saturating_add(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(method: &str, target: &str) -> String {
        let raw = RawEndpoint {
            name: "send".to_owned(),
            path: "/api/send".to_owned(),
            methods: post(),
            number: vec![Locator::Form("phone".to_owned())],
            region: None,
            role: Role::Send,
            channel: Channel::default(),
            max_numbers: most_numbers(),
        };
        let endpoints = Endpoints::new(vec![raw.try_into().unwrap()]);
        match endpoints.find(&method.parse().unwrap(), &target.parse().unwrap()) {
            Found::Open => "open",
            Found::Guarded(..) => "guarded",
            Found::Preflight(_) => "preflight",
            Found::WrongMethod(_) => "wrong method",
            Found::Doubtful(_) => "doubtful",
        }
        .to_owned()
    }

    #[test]
    fn what_a_router_would_take_for_the_path_is_guarded() {
        for target in ["/api/send", "/API/Send", "/api/send/", "/api/send.json", "/api/send?x=1"] {
            assert_eq!(find("POST", target), "guarded", "{target}");
        }
    }

    #[test]
    fn what_decodes_to_the_path_is_doubtful() {
        for target in [
            "/api/%73end",
            "/api//send",
            "/x/../api/send",
            "/api;a=b/send",
            "/api/%2573end",
            "/api%2fsend",
            "/index.php/api/send",
        ] {
            assert_eq!(find("POST", target), "doubtful", "{target}");
        }
    }

    #[test]
    fn other_paths_are_open() {
        for target in ["/api/sender", "/api/send/now", "/", "/a%20b", "/api/send-more.json"] {
            assert_eq!(find("POST", target), "open", "{target}");
        }
    }

    #[test]
    fn another_method_is_refused_and_a_preflight_is_not() {
        assert_eq!(find("GET", "/api/send"), "wrong method");
        assert_eq!(find("OPTIONS", "/api/send"), "preflight");
    }
}
