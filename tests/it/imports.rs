//! Data files that an operator gives, as the configuration names them.

use tempfile::TempDir;
use tollgate::app::Materials;
use tollgate::attempt::origin::Asn;
use tollgate::attempt::phone::{Number, Reader, ReaderKind};
use tollgate::config::Config;
use tollgate::telemetry::Pseudonyms;

use crate::harness::fictional;

#[test]
fn tables_of_the_operator_replace_the_shipped_ones() {
    let dir = tempfile::tempdir().unwrap();
    let carriers = file(&dir, "carriers.csv", "prefix,carrier\n12015550,Ours\n");
    let hosting = file(&dir, "hosting.csv", "asn,name\n64496,Ours\n");
    let materials = load(&format!("[risk]\ncarriers = \"{carriers}\"\nhosting = \"{hosting}\"\n")).unwrap();
    let carrier = materials.data().carriers.find(number(0));
    assert_eq!((carrier.prefix.to_string().as_str(), carrier.name), ("12015550", Some("Ours")));
    assert!(materials.data().hosting.contains(Asn::new(64_496).unwrap()));
    assert!(!materials.data().hosting.contains(Asn::new(14_061).unwrap()));
}

#[test]
fn numbers_and_the_block_logs_pseudonyms_are_imported() {
    let dir = tempfile::tempdir().unwrap();
    let key = file(&dir, "hash.key", KEY);
    let pseudonyms = Pseudonyms::load(key.as_ref()).unwrap();
    let rows = format!("{}\n{}\n{FROM_OPENSSL}\n", fictional(0), pseudonyms.of(number(2)));
    let verified = file(&dir, "verified.csv", &rows);
    let text = format!("[risk]\nverified = \"{verified}\"\n[block_log]\nhash_key = \"{key}\"\n");
    let materials = load(&text).unwrap();
    let is_verified = |n| materials.data().verified.contains(number(n), || pseudonyms.tag(number(n)));
    assert_eq!([0, 1, 2, 3].map(is_verified), [true, true, true, false]);
}

#[test]
fn pseudonyms_are_refused_without_the_key_that_made_them() {
    let dir = tempfile::tempdir().unwrap();
    let pseudonym = Pseudonyms::load(file(&dir, "hash.key", KEY).as_ref()).unwrap().of(number(1));
    let verified = file(&dir, "verified.csv", &format!("number_hash\n{pseudonym}\n"));
    let problems = load(&format!("[risk]\nverified = \"{verified}\"\n")).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with(&format!("risk.verified: {verified}:2: a pseudonym says nothing without the key")));
    assert!(!problems[0].contains(&pseudonym));
}

#[test]
fn all_files_that_cannot_be_used_are_named_at_once() {
    let text = "[risk]\ncarriers = \"/nonexistent/a\"\nhosting = \"/nonexistent/b\"\nverified = \"/nonexistent/c\"\n\
                [geo]\nasn = \"/nonexistent/d\"\n";
    let problems = load(text).unwrap_err().join("\n");
    for expected in [
        "risk.carriers: /nonexistent/a",
        "risk.hosting: /nonexistent/b",
        "risk.verified: /nonexistent/c",
        "geo: /nonexistent/d",
    ] {
        assert!(problems.contains(expected), "{expected} in\n{problems}");
    }
}

fn load(text: &str) -> Result<Materials, Vec<String>> {
    Materials::load(&Config::parse(text).unwrap())
}

fn number(n: usize) -> Number {
    Reader::builtin(ReaderKind::Google).unwrap().read(&fictional(n), None).unwrap()
}

fn file(dir: &TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What the command in docs/operations.md prints for the key and +12015550101.
const FROM_OPENSSL: &str = "991fb04e880cf1d7a84b4218e3b4e5138ba4e753ccd67358a1b5ccc43cf58131";

/// Long enough to be a key.
const KEY: &str = "0123456789abcdef0123456789abcdef";
