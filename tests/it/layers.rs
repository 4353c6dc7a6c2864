//! The order of the modules: each imports only what stands below it, and the lowest know nothing of the world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the bottom up; modules of one row do not know each other.
const ROWS: [&[&str]; 10] = [
    &["attempt"],
    &["risk"],
    &["policy"],
    &["telemetry", "tls", "geo"],
    &["proxy", "admin"],
    &["config"],
    &["app"],
    &["commands"],
    &["lib"],
    &["main"],
];

/// So many rows of [`ROWS`] from the bottom are pure.
const N_PURE: usize = 3;

/// Words that nobody says who waits for nothing and speaks to nobody.
const IMPURE: [&str; 5] = ["async", "tokio", "hyper", "http", "tracing"];

#[test]
fn every_module_has_a_row() {
    let modules: BTreeSet<String> = sources().iter().map(|source| source.module.clone()).collect();
    let rows: BTreeSet<String> = ROWS.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(modules, rows);
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for source in sources() {
        let row = row_of(&source.module);
        for (line, word) in source.imports() {
            if word != source.module && row <= row_of(&word) {
                wrong.push(format!("{}:{line}: {} imports {word}", source.path.display(), source.module));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn below_the_telemetry_nothing_waits_speaks_or_logs() {
    let mut wrong = Vec::new();
    for source in sources().into_iter().filter(|source| row_of(&source.module) < N_PURE) {
        for (line, code) in source.code() {
            let words = code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            wrong.extend(
                words
                    .filter(|word| IMPURE.contains(word))
                    .map(|word| format!("{}:{line}: {word}", source.path.display())),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_file_opens_with_its_subject() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    assert_eq!(silent.map(|source| source.path).collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

struct Source {
    path: PathBuf,
    /// The top-level module that the file belongs to.
    module: String,
    text: String,
}

// === impl Source ===

impl Source {
    /// Top-level modules that are named after `crate::`, or `tollgate::` in the binary.
    fn imports(&self) -> Vec<(usize, String)> {
        let root = if self.module == "main" { "tollgate::" } else { "crate::" };
        let mut imports = Vec::new();
        for (line, code) in self.code() {
            for (at, _) in code.match_indices(root) {
                let rest = &code[at + root.len()..];
                let list = rest.strip_prefix('{').map(|rest| rest.split('}').next().unwrap_or(rest));
                let names = list.map_or_else(|| vec![rest], |list| list.split(',').collect());
                imports.extend(names.into_iter().map(|name| (line, first_word(name.trim()))));
            }
        }
        imports
    }

    /// Lines without comments and the contents of one-line strings.
    fn code(&self) -> impl Iterator<Item = (usize, String)> {
        self.text.lines().enumerate().map(|(index, line)| {
            let line = line.trim_start();
            let code = if line.starts_with("//") { "" } else { line };
            let unquoted: String = code.split('"').step_by(2).collect::<Vec<_>>().join("\"");
            let uncommented = unquoted.split(" // ").next().unwrap_or_default().to_owned();
            (index + 1, uncommented)
        })
    }
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect()
}

fn row_of(module: &str) -> usize {
    ROWS.iter().position(|row| row.contains(&module)).unwrap_or_else(|| panic!("`{module}` has no row"))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap().with_extension("");
                let module = inside.iter().next().unwrap().to_string_lossy().into_owned();
                sources.push(Source { text: std::fs::read_to_string(&path).unwrap(), path, module });
            }
        }
    }
    assert!(40 < sources.len());
    sources
}
