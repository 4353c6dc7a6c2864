//! The configuration: what is right is read, what is wrong is named with its line, and the file shows the defaults.

use std::path::{Path, PathBuf};

use tollgate::config::Config;

#[test]
fn every_good_file_is_read() {
    let wrong: Vec<String> = files("good")
        .into_iter()
        .filter_map(|(path, text)| Some(format!("{}: {}", path.display(), Config::parse(&text).err()?)))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_bad_file_is_refused_with_the_text_that_it_expects() {
    let mut wrong = Vec::new();
    for (path, text) in files("bad") {
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).unwrap();
        match Config::parse(&text) {
            Ok(_) => wrong.push(format!("{}: accepted", path.display())),
            Err(error) if !error.to_string().contains(expected) => wrong.push(format!("{}: {error}", path.display())),
            Err(_) => {}
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_mistake_of_a_bad_file_has_a_line() {
    let wrong: Vec<String> = files("bad")
        .into_iter()
        .filter_map(|(path, text)| Some(format!("{}: {}", path.display(), Config::parse(&text).err()?)))
        .filter(|error| !error.contains("config:"))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let text = "[server]\nlisten = \"nowhere\"\nupstreem = \"http://127.0.0.1:1\"\nbody_timeout = \"soon\"\n\n\
                [limits]\nnumber = [{ count = 0, per = \"1h\" }]\n\n\
                [countries]\ndeny = [\"ZZ\"]\n\n\
                [[endpoint]]\nname = \"a\"\npath = \"/a\"\nnumber = [\"json:/a\"]\n\n\
                [[endpoint]]\nname = \"b\"\npath = \"b\"\nnumber = [\"json:/a\"]\n\n\
                [[endpoint]]\nname = \"c\"\npath = \"/c\"\nnumber = [\"xml:/a\"]\n";
    let error = Config::parse(text).unwrap_err().to_string();
    for expected in [
        "config:2: server.listen",
        "config:3: server.upstreem",
        "config:4: server.body_timeout",
        "config:7: limits.number",
        "config:10: countries.deny",
        "endpoint.1",
        "config:25: endpoint.2.number",
    ] {
        assert!(error.contains(expected), "{expected} in\n{error}");
    }
}

#[test]
fn the_annotated_file_states_the_defaults() {
    let (stated, built_in) = (Config::parse(ANNOTATED).unwrap(), Config::default());
    let pairs = [
        ("server", format!("{:?}", stated.server), format!("{:?}", built_in.server)),
        ("upstream", format!("{:?}", stated.upstream), format!("{:?}", built_in.upstream)),
        ("admin", format!("{:?}", stated.admin), format!("{:?}", built_in.admin)),
        ("policy", format!("{:?}", stated.policy), format!("{:?}", built_in.policy)),
        ("limits", format!("{:?}", stated.limits), format!("{:?}", built_in.limits)),
        ("countries", format!("{:?}", stated.countries), format!("{:?}", built_in.countries)),
        ("numbers", format!("{:?}", stated.numbers), format!("{:?}", built_in.numbers)),
        ("budget", format!("{:?}", stated.budget), format!("{:?}", built_in.budget)),
        ("conversion", format!("{:?}", stated.conversion), format!("{:?}", built_in.conversion)),
        ("expect", format!("{:?}", stated.expect), format!("{:?}", built_in.expect)),
        ("risk", format!("{:?}", stated.risk), format!("{:?}", built_in.risk)),
        ("geo", format!("{:?}", stated.geo), format!("{:?}", built_in.geo)),
        ("state", format!("{:?}", stated.state), format!("{:?}", built_in.state)),
        ("ceiling", format!("{:?}", stated.ceiling), format!("{:?}", built_in.ceiling)),
        ("block_log", format!("{:?}", stated.block_log), format!("{:?}", built_in.block_log)),
        ("log", format!("{:?}", stated.log), format!("{:?}", built_in.log)),
    ];
    for (section, stated, built_in) in pairs {
        assert_eq!(stated, built_in, "[{section}]");
    }
}

#[test]
fn the_annotated_file_states_every_key() {
    let built_in = format!("{:?}", Config::default());
    let missing: Vec<&str> = built_in
        .split(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
        .zip(built_in.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_').skip(1))
        .map(|(word, _)| word)
        .filter(|word| 3 < word.len() && built_in.contains(&format!(" {word}: ")))
        .filter(|word| !ANNOTATED.contains(&format!("{word} =")) && !ANNOTATED.contains(&format!("[{word}]")))
        .filter(|word| !INNER.contains(word))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn an_empty_file_is_the_defaults() {
    let (empty, built_in) = (Config::parse("").unwrap(), Config::default());
    assert_eq!(format!("{empty:?}"), format!("{built_in:?}"));
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testdata/config").join(folder);
    let paths = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = paths.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect();
    assert!(5 < files.len());
    files
}

const ANNOTATED: &str = include_str!("../../config.toml");

/// Fields of types inside a key, which the file does not name.
const INNER: [&str; 3] = ["nets", "trusts_unix", "endpoint"];
