//! Where clients are: what databases say in their several layouts, and what happens when they change on disk.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate::config::Config;
use tollgate::geo::{Geo, GeoConfig};

use crate::harness::{Tollgate, Upstream, eventually, mmdb};

// === layouts ===

#[test]
fn countries_are_read_in_every_layout() {
    let dir = tempfile::tempdir().unwrap();
    let geo = geo(&file(&dir, "country.mmdb", &mmdb(1, &countries())), None);
    for (ip, country) in [
        ("192.0.2.1", "DE"),
        ("198.51.100.1", "UZ"),
        ("203.0.113.1", "FR"),
        ("2001:db8::1", "JP"),
        ("::ffff:192.0.2.1", "DE"),
    ] {
        assert_eq!(country_of(&geo, ip).as_deref(), Some(country), "{ip}");
    }
}

#[test]
fn networks_are_read_in_every_layout() {
    let dir = tempfile::tempdir().unwrap();
    let networks = [
        ("192.0.2.0/24", json!({"autonomous_system_number": 14_061, "autonomous_system_organization": "One"})),
        ("198.51.100.0/24", json!({"asn": "AS64496", "as_name": "Two"})),
        ("203.0.113.0/24", json!({"asn": 4_200_000_000_u32})),
        ("2001:db8::/32", json!({"autonomous_system_number": "AS0"})),
    ];
    let geo = geo_of(None, Some(&file(&dir, "asn.mmdb", &mmdb(1, &networks))));
    let asn = |ip: &str| geo.lookup(ip.parse().unwrap()).asn.map(|asn| asn.get());
    assert_eq!(asn("192.0.2.200"), Some(14_061));
    assert_eq!(asn("198.51.100.1"), Some(64_496));
    assert_eq!(asn("203.0.113.1"), Some(4_200_000_000));
    assert_eq!(asn("2001:db8::1"), None);
}

#[test]
fn what_a_database_does_not_say_is_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let geo = geo(&file(&dir, "country.mmdb", &mmdb(1, &countries())), None);
    // No network, no country in the record, no such country, fields of unexpected types.
    for ip in ["10.0.0.1", "2001:db9::1", "100.64.0.1", "100.65.0.1", "100.66.0.1"] {
        assert_eq!(geo.lookup(ip.parse().unwrap()), tollgate::attempt::origin::Origin::default(), "{ip}");
    }
}

#[test]
fn one_file_may_say_both() {
    let dir = tempfile::tempdir().unwrap();
    let networks = [("192.0.2.0/24", json!({"asn": "AS64496", "country": "Germany", "country_code": "DE"}))];
    let path = file(&dir, "both.mmdb", &mmdb(7, &networks));
    let geo = geo(&path, Some(&path));
    let origin = geo.lookup("192.0.2.1".parse().unwrap());
    assert_eq!((origin.asn.unwrap().get(), origin.country.unwrap().to_string()), (64_496, "DE".to_owned()));
    assert_eq!(
        geo.built().map(|(role, built)| (role.as_str(), built)).collect::<Vec<_>>(),
        [("country", 7), ("asn", 7)]
    );
}

#[test]
fn without_a_database_nothing_is_known() {
    let geo = geo_of(None, None);
    assert!(geo.is_empty());
    assert_eq!(geo.lookup("192.0.2.1".parse().unwrap()), tollgate::attempt::origin::Origin::default());
}

// === what cannot be used ===

#[test]
fn a_bad_file_is_named_with_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let whole = mmdb(1, &countries());
    let asn_only = mmdb(1, &[("192.0.2.0/24", json!({"autonomous_system_number": 64_496}))]);
    for (bytes, expected) in [
        (&whole[..whole.len() / 2], "not a database in MaxMind's format"),
        (b"".as_slice(), "not a database in MaxMind's format"),
        (asn_only.as_slice(), "no countries in it, is it another kind of database?"),
    ] {
        let path = file(&dir, "bad.mmdb", bytes);
        let error = Geo::load(&config(Some(&path), None)).unwrap_err().to_string();
        assert!(error.contains("bad.mmdb: ") && error.contains(expected), "{error}");
    }
    let error = Geo::load(&config(None, Some(Path::new("/nonexistent/asn.mmdb")))).unwrap_err().to_string();
    assert!(error.starts_with("/nonexistent/asn.mmdb: "), "{error}");
}

// === changes on disk ===

#[test]
fn a_file_that_is_renamed_into_place_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "country.mmdb", &one("DE"));
    let geo = geo(&path, None);
    assert!(geo.refresh().loaded.is_empty());
    std::fs::rename(file(&dir, "new.mmdb", &one("FR")), &path).unwrap();
    assert_eq!(geo.refresh().loaded, [path]);
    assert_eq!(country_of(&geo, "192.0.2.1").as_deref(), Some("FR"));
    assert!(geo.refresh().loaded.is_empty());
}

#[test]
fn a_symlink_that_is_swapped_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let geo = geo(&config_map(&dir), None);
    swap(&dir, "second");
    assert_eq!(geo.refresh().loaded.len(), 1);
    assert_eq!(country_of(&geo, "192.0.2.1").as_deref(), Some("FR"));
}

#[test]
fn a_truncated_file_changes_nothing_and_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "country.mmdb", &one("DE"));
    let geo = geo(&path, None);
    let new = one("FR");
    file(&dir, "country.mmdb", &new[..new.len() - 20]);
    let refreshed = geo.refresh();
    assert!(refreshed.loaded.is_empty());
    assert!(refreshed.kept[0].to_string().contains("country.mmdb: not a database"), "{refreshed:?}");
    assert!(geo.refresh().kept.is_empty());
    assert_eq!(country_of(&geo, "192.0.2.1").as_deref(), Some("DE"));
    file(&dir, "country.mmdb", &new);
    assert_eq!(geo.refresh().loaded.len(), 1);
    assert_eq!(country_of(&geo, "192.0.2.1").as_deref(), Some("FR"));
}

#[test]
fn a_file_that_is_gone_changes_nothing_and_may_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "country.mmdb", &one("DE"));
    let geo = geo(&path, None);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(geo.refresh().kept.len(), 1);
    assert!(geo.refresh().kept.is_empty());
    assert_eq!(country_of(&geo, "192.0.2.1").as_deref(), Some("DE"));
    file(&dir, "country.mmdb", &one("FR"));
    assert_eq!(geo.refresh().loaded.len(), 1);
}

#[test]
fn a_running_tollgate_sees_a_swapped_database_and_counts_it() {
    let upstream = Upstream::friendly();
    let dir = tempfile::tempdir().unwrap();
    let path = config_map(&dir);
    let section = format!("[geo]\ncountry = \"{}\"\nreload = \"1s\"\n", path.display());
    let tollgate = Tollgate::start(&upstream, "", &section);
    let shows = |line: &str| tollgate.ask_admin("/metrics").text().lines().any(|shown| shown == line);
    assert!(shows("tollgate_geo_build_timestamp_seconds{database=\"country\"} 1"));
    swap(&dir, "second");
    eventually("the new database", || shows("tollgate_geo_reloads_total{result=\"loaded\"} 1").then_some(()));
    assert!(shows("tollgate_geo_build_timestamp_seconds{database=\"country\"} 2"));
    swap(&dir, "third");
    eventually("the bad database", || shows("tollgate_geo_reloads_total{result=\"kept\"} 1").then_some(()));
    assert!(shows("tollgate_geo_build_timestamp_seconds{database=\"country\"} 2"));
}

#[test]
fn a_database_that_cannot_be_used_prevents_the_start() {
    let text = "[geo]\ncountry = \"/nonexistent/country.mmdb\"\n";
    let problems = tollgate::app::Materials::load(&Config::parse(text).unwrap()).unwrap_err();
    assert!(problems[0].starts_with("geo: /nonexistent/country.mmdb: "), "{problems:?}");
}

/// Twenty networks, of which some say nothing.
fn countries() -> Vec<(&'static str, Value)> {
    let mut networks = vec![
        ("192.0.2.0/24", json!({"city": {"names": {"en": "Berlin"}}, "country": {"geoname_id": 1, "iso_code": "DE"}})),
        ("198.51.100.0/24", json!({"country_code": "UZ"})),
        ("203.0.113.0/25", json!({"country": {"names": {"en": "?"}}, "registered_country": {"iso_code": "FR"}})),
        ("2001:db8::/32", json!({"country": "JP", "subdivisions": [{"iso_code": "US"}]})),
        ("2001:db9::/32", json!({"continent": {"code": "EU"}})),
        ("100.64.0.0/16", json!({"country": {"iso_code": "XX"}})),
        ("100.65.0.0/16", json!({"country": 7, "country_code": ["DE"], "registered_country": true})),
    ];
    networks.extend(FILLERS.map(|network| (network, json!({"country_code": "AT"}))));
    assert_eq!(networks.len(), 20);
    networks
}

fn one(country: &str) -> Vec<u8> {
    mmdb(1, &[("192.0.2.0/24", json!({ "country_code": country }))])
}

/// What Kubernetes makes of a ConfigMap: `country.mmdb -> ..data/country.mmdb`, `..data -> first`.
fn config_map(dir: &TempDir) -> PathBuf {
    let second = mmdb(2, &[("192.0.2.0/24", json!({"country_code": "FR"}))]);
    for (folder, bytes) in [("first", one("DE")), ("second", second.clone()), ("third", second[..100].to_vec())] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
        std::fs::write(dir.path().join(folder).join("country.mmdb"), bytes).unwrap();
    }
    std::os::unix::fs::symlink("first", dir.path().join("..data")).unwrap();
    let path = dir.path().join("country.mmdb");
    std::os::unix::fs::symlink("..data/country.mmdb", &path).unwrap();
    path
}

fn swap(dir: &TempDir, folder: &str) {
    let new = dir.path().join("..data_tmp");
    std::os::unix::fs::symlink(folder, &new).unwrap();
    std::fs::rename(new, dir.path().join("..data")).unwrap();
}

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn config(country: Option<&Path>, asn: Option<&Path>) -> GeoConfig {
    GeoConfig { country: country.map(Path::to_owned), asn: asn.map(Path::to_owned), ..GeoConfig::default() }
}

fn geo_of(country: Option<&Path>, asn: Option<&Path>) -> Geo {
    Geo::load(&config(country, asn)).unwrap()
}

fn geo(country: &Path, asn: Option<&Path>) -> Geo {
    geo_of(Some(country), asn)
}

fn country_of(geo: &Geo, ip: &str) -> Option<String> {
    let ip: IpAddr = ip.parse().unwrap();
    geo.lookup(ip).country.map(|country| country.to_string())
}

const FILLERS: [&str; 13] = [
    "100.70.0.0/16",
    "100.71.0.0/16",
    "100.72.0.0/16",
    "100.73.0.0/16",
    "100.74.0.0/17",
    "100.75.0.0/18",
    "100.76.0.0/19",
    "100.77.0.0/20",
    "100.78.0.0/21",
    "100.79.0.0/22",
    "100.80.0.0/23",
    "100.81.0.0/25",
    "100.82.0.1/32",
];
