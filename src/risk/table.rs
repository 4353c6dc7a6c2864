//! Data files as operators write them: a row a line, comments behind `#`, one header, and errors that name the line.

use std::path::{Path, PathBuf};

/// A data file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct TableError {
    path: PathBuf,
    line: Option<usize>,
    problem: String,
}

// === impl TableError ===

impl TableError {
    pub(super) fn in_line(path: &Path, line: usize, problem: String) -> Self {
        Self { path: path.to_owned(), line: Some(line), problem }
    }

    pub(super) fn in_file(path: &Path, problem: String) -> Self {
        Self { path: path.to_owned(), line: None, problem }
    }
}

pub(super) fn read(path: &Path) -> Result<String, TableError> {
    std::fs::read_to_string(path).map_err(|error| TableError::in_file(path, error.to_string()))
}

/// The rows with their line numbers. The first may be a header, which starts with `header`.
pub(super) fn rows<'a>(text: &'a str, header: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let mut rows = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).peekable();
    let _header = rows.next_if(|(_, line)| line.starts_with(header));
    rows
}
