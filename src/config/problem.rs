//! Finds every mistake in a configuration at once, and says of each where it is.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

/// A configuration with mistakes in it.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(Vec<Problem>);

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: Place,
    key: String,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File { path: PathBuf, line: Option<usize> },
    Variable(String),
}

/// Collects mistakes while the parts of a configuration are read.
pub(super) struct Finder<'a> {
    path: &'a Path,
    text: &'a str,
    problems: Vec<Problem>,
}

// === impl ConfigError ===

impl ConfigError {
    /// Each mistake.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        let place = Place::File { path: path.to_owned(), line: None };
        Self(vec![Problem { place, key: String::new(), message: error.to_string() }])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if 0 < index {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { path, line: Some(line) } => write!(f, "{}:{line}: ", path.display())?,
            Place::File { path, line: None } => write!(f, "{}: ", path.display())?,
            Place::Variable(name) => write!(f, "{name}: ")?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

// === impl Finder ===

impl<'a> Finder<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, problems: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether anything in the section is wrong by itself.
    pub(super) fn any_at(&self, section: &str) -> bool {
        self.problems.iter().any(|problem| problem.key.split('.').next() == Some(section))
    }

    pub(super) fn into_error(self) -> ConfigError {
        ConfigError(self.problems)
    }

    pub(super) fn add(&mut self, key: &str, message: String) {
        let place = self.place(key);
        self.problems.push(Problem { place, key: key.to_owned(), message });
    }

    /// The value, or its mistakes noted.
    pub(super) fn note<T>(&mut self, result: Result<T, figment::Error>) -> Option<T> {
        result.map_err(|error| self.note_all("", error)).ok()
    }

    /// Reads `T` from `value`, which stands at the key `at`. A key with a mistake is noted, left out and the rest read
    /// again, until all mistakes are known; what is returned then is only good for finding more of them.
    pub(super) fn extract<T: DeserializeOwned>(&mut self, at: &str, mut value: Value) -> Option<T> {
        let n_before = self.problems.len();
        for _ in 0..MOST_PROBLEMS {
            let error = match value.deserialize::<T>() {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let bad = bad_key(&error);
            // What is missing because it was left out is no further mistake.
            if n_before == self.problems.len() || !matches!(error.kind, Kind::MissingField(_)) {
                self.note_all(at, error);
            }
            if !leave_out(&mut value, &bad) {
                return None;
            }
        }
        None
    }

    fn note_all(&mut self, at: &str, error: figment::Error) {
        for error in error {
            let key: Vec<String> =
                at.split('.').filter(|part| !part.is_empty()).map(str::to_owned).chain(bad_key(&error)).collect();
            let message = match &error.kind {
                Kind::UnknownField(_, expected) => {
                    format!("there is no such key here, expected one of {}", list(expected))
                }
                Kind::MissingField(_) => "this key is needed".to_owned(),
                Kind::UnknownVariant(found, expected) => format!("`{found}` is not one of {}", list(expected)),
                other => other.to_string(),
            };
            self.add(&key.join("."), message);
        }
    }

    fn place(&self, key: &str) -> Place {
        let variable = format!("{}{}", super::ENV_PREFIX, key.replace('.', "__").to_uppercase());
        if !key.is_empty() && std::env::var_os(&variable).is_some() {
            return Place::Variable(variable);
        }
        Place::File { path: self.path.to_owned(), line: line_of(self.text, key) }
    }
}

/// Where the mistake is, as parts of a key.
fn bad_key(error: &figment::Error) -> Vec<String> {
    let mut key = error.path.clone();
    match &error.kind {
        Kind::UnknownField(name, _) if key.last() != Some(name) => key.push(name.clone()),
        Kind::MissingField(name) => key.push(name.to_string()),
        _ => {}
    }
    key
}

/// Removes the key; says whether there was anything to remove.
fn leave_out(value: &mut Value, key: &[String]) -> bool {
    let (Some((first, rest)), Value::Dict(_, dict)) = (key.split_first(), value) else { return false };
    if rest.is_empty() || !leaves_out_inside(dict, first, rest) {
        return dict.remove(first).is_some();
    }
    true
}

fn leaves_out_inside(dict: &mut Dict, first: &str, rest: &[String]) -> bool {
    dict.get_mut(first).is_some_and(|inner| leave_out(inner, rest))
}

fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The line where the key, or as much of it as is there, stands in the text.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.as_item();
    let mut span = None;
    for part in key.split('.') {
        let (key_span, next) = match item {
            toml_edit::Item::ArrayOfTables(tables) => (None, tables.get(part.parse().ok()?).map(Inner::Table)),
            other => match other.as_table_like() {
                Some(table) => match table.get_key_value(part) {
                    Some((key, item)) => (key.span(), Some(Inner::Item(item))),
                    None => break,
                },
                None => break,
            },
        };
        match next {
            Some(Inner::Item(next)) => {
                span = key_span.or_else(|| next.span()).or(span);
                item = next;
            }
            Some(Inner::Table(table)) => {
                span = table.span().or(span);
                return line_in_table(text, table, key, part).or_else(|| span.map(|span| line_at(text, span.start)));
            }
            None => break,
        }
    }
    span.map(|span| line_at(text, span.start))
}

enum Inner<'a> {
    Item(&'a toml_edit::Item),
    Table(&'a toml_edit::Table),
}

/// Goes on inside one table of an array of tables.
fn line_in_table(text: &str, table: &toml_edit::Table, key: &str, index: &str) -> Option<usize> {
    let (_, rest) = key.split_once(&format!(".{index}."))?;
    let first = rest.split('.').next()?;
    let (key, _) = table.get_key_value(first)?;
    key.span().map(|span| line_at(text, span.start))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// After so many mistakes it is another kind of file.
const MOST_PROBLEMS: usize = 100;
