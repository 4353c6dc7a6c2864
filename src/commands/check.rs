//! `tollgate check`: is this configuration right, and is it wise?

use std::path::Path;
use std::process::ExitCode;

use super::load;
use crate::config::Config;
use crate::proxy::caller::Clock;
use crate::risk::FeedMode;
use crate::telemetry::Masking;

/// Checks the configuration at `path` and every file it names.
#[expect(clippy::print_stdout, reason = "what a command is asked for goes to stdout")]
pub fn run(path: &Path) -> ExitCode {
    let config = match load(path) {
        Ok((config, _)) => config,
        Err(code) => return code,
    };
    for warning in warnings(&config) {
        println!("warning: {warning}");
    }
    println!(
        "{}: good, {} guarded endpoints, policy {}",
        path.display(),
        config.endpoint.len(),
        crate::app::version(&config)
    );
    ExitCode::SUCCESS
}

/// What is allowed and still likely a mistake.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let endpoints = crate::proxy::endpoint::Endpoints::new(config.endpoint.clone());
    if config.endpoint.is_empty() {
        warnings.push("no [[endpoint]]: everything is passed through and nothing is guarded".to_owned());
    } else if !endpoints.any_verifies() {
        warnings.push(
            "no endpoint has role = \"verify\": who typed a code is not known, so what is normal is learned from clean sends, \
             silence is no evidence, and budgets take clean sends for answered"
                .to_owned(),
        );
    }
    let is_watched = endpoints.any_verifies();
    match config.conversion.feed {
        FeedMode::Never if is_watched => warnings.push(
            "conversion.feed is \"never\" although an endpoint has role = \"verify\": typed codes are not used"
                .to_owned(),
        ),
        FeedMode::Always if !is_watched => warnings.push(
            "conversion.feed is \"always\" and no endpoint has role = \"verify\": every message looks unanswered"
                .to_owned(),
        ),
        FeedMode::Auto | FeedMode::Always | FeedMode::Never => {}
    }
    let now = Clock::start().now();
    for expected in config.expect.iter().filter(|expected| expected.is_over(now)) {
        warnings.push(format!("expect: `{}` is over and explains nothing any more", expected.name()));
    }
    if config.geo.country.is_none() && config.geo.asn.is_none() {
        warnings.push("no [geo] database is given: client country and hosting networks are not seen".to_owned());
    }
    if config.block_log.hash_key.is_none() {
        warnings.push("block_log.hash_key is not set: number_hash changes at every start".to_owned());
    }
    if config.block_log.numbers == Masking::Full {
        warnings.push("block_log.numbers is \"full\": whole phone numbers are written to the block log".to_owned());
    }
    warnings
}
