//! Bounded loss through the whole judgement: whatever is asked, in whatever order, by whom and how fast, messages that
//! nobody answers cost no more than the budget.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use proptest::prelude::*;
use tollgate::app::Materials;
use tollgate::attempt::client::Client;
use tollgate::attempt::phone::Number;
use tollgate::attempt::{Attempt, Channel, Timestamp, Verdict};
use tollgate::config::Config;
use tollgate::risk::Event;

/// Nobody is refused by the score or by counts: what stops the rest is money alone.
const BY_MONEY_ALONE: &str = "[policy]\nthresholds = { challenge = 101, block = 101 }\n[limits]\nnumber = []\n\
                              [conversion]\nfeed = \"always\"\n[budget]\nrange = { floor = \"$2\" }\n\
                              country = { floor = \"$3.50\" }\ntotal = { floor = \"$5\" }\n";

const PREFIXES: [&str; 6] = ["+99890123", "+99890124", "+9477123", "+1201555", "+447400123", "+62812345"];

static NUMBERS: LazyLock<Vec<Number>> = LazyLock::new(|| {
    let judge = Materials::load(&Config::default()).unwrap().into_judge(&Config::default());
    let texts = PREFIXES.iter().flat_map(|prefix| (0..40).map(move |tail| format!("{prefix}{tail:04}")));
    let numbers: Vec<Number> = texts.filter_map(|text| judge.reader.read(&text, None).ok()).collect();
    assert!(200 <= numbers.len(), "{}", numbers.len());
    numbers
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_sequence_without_conversions_gets_more_than_the_budget_through(
        asks in prop::collection::vec((0u64..1_200, 0usize..200, any::<u32>(), any::<bool>(), 0u8..10), 1..300),
    ) {
        let config = Config::parse(BY_MONEY_ALONE).unwrap();
        let judge = Materials::load(&config).unwrap().into_judge(&config);
        let mut at = START;
        let mut sent: Vec<(u64, u64)> = Vec::new();
        for (wait, number, address, is_voice, fails) in asks {
            at += 1_000 * wait;
            let client = Client::new(Ipv4Addr::from_bits(address).into());
            let channel = if is_voice { Channel::Voice } else { Channel::Text };
            let attempt = Attempt { channel, ..Attempt::new(Timestamp::from_millis(at), NUMBERS[number]).from(client) };
            let decision = judge.policy.decide(&judge.engine, &[attempt]);
            if decision.verdict != Verdict::Allow {
                continue;
            }
            if fails == 0 {
                // It never left: that costs nothing, and gives back no more than it took.
                judge.engine.refund(decision.reservation);
                for send in decision.sends {
                    judge.engine.fold(&Event::Unsent { at: attempt.at, send });
                }
            } else {
                sent.push((at, judge.engine.price(&attempt).micros()));
            }
        }
        for (first, _) in &sent {
            let day = sent.iter().filter(|(at, _)| first <= at && at - first < DAY);
            prop_assert!(day.map(|(_, price)| price).sum::<u64>() <= 5_000_000);
        }
    }
}

#[test]
fn those_who_type_their_codes_are_never_stopped_by_it() {
    let config = Config::parse(BY_MONEY_ALONE).unwrap();
    let judge = Materials::load(&config).unwrap().into_judge(&config);
    for n in 0..200 {
        let at = Timestamp::from_millis(START + 60_000 * n as u64);
        let attempt = Attempt::new(at, NUMBERS[n]);
        assert_eq!(judge.policy.decide(&judge.engine, &[attempt]).verdict, Verdict::Allow, "{n}");
        judge.engine.fold(&Event::Verified { at, number: attempt.number });
    }
}

const START: u64 = 1_790_000_000_000;
const DAY: u64 = 86_400_000;
