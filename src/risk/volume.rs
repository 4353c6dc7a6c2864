//! How surprising it is that so many others ask for numbers of one key.
//!
//! The count of others, `m`, is compared with a geometric law of mean `mu`, since arrivals come in bursts and a Poisson
//! law would call every burst an attack: `p = (mu / (1 + mu))^m`. The tail probability becomes evidence by Vovk and
//! Wang's calibrator, `e = 1 / (2 sqrt p)` (E-values: calibration, combination and applications, 2021), which stays
//! valid however often it is looked at: `ln e = m/2 ln((1 + mu) / mu) - ln 2`.

use super::node::{DECIBAN, Node, Scale};

/// How many others there are, and what that says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Surprise {
    pub(super) nats: f32,
    pub(super) n_others: f32,
    pub(super) scale: Scale,
}

/// The surprise at the key's unconverted numbers, when it usually has `share` of the product's clean traffic; the
/// larger of the two windows.
///
/// `own` is what the asking customer did himself, which is no evidence about others.
pub(super) fn surprise(node: &Node, total: &Node, share: f32, own: f32) -> Surprise {
    let usual = share / (1.0 - share);
    let looks = Scale::BOTH.map(|scale| {
        let (seen, typed, length) = node.window(scale);
        let (all, ..) = total.window(scale);
        // Those who converted explain a part of those who did not, and some who are still typing.
        let explained = typed * (0.4 + 20.0 / length);
        let mu = (all * usual).max(LEAST_EXPECTED) + explained;
        let n_others = seen - own;
        Surprise { nats: log_e(mu, n_others), n_others, scale }
    });
    let [short, long] = looks;
    let most = if long.nats <= short.nats { short } else { long };
    // A block asked for a hundred times is no batch of cards: the bound grows with the count.
    let bound = MOST + 3.0 * (node.short / 20.0).max(1.0).ln();
    Surprise { nats: (most.nats.min(bound) - LOOK_ELSEWHERE).max(0.0), ..most }
}

fn log_e(mu: f32, n_others: f32) -> f32 {
    if n_others <= 0.3 {
        return 0.0;
    }
    (0.5 * n_others * ((1.0 + mu) / mu).ln() - std::f32::consts::LN_2).max(0.0)
}

/// The least number of others expected anywhere.
const LEAST_EXPECTED: f32 = 0.001;

/// The most that a count alone can say, in nats.
const MOST: f32 = 25.0 * DECIBAN;

/// The price of looking at several keys and windows at once.
const LOOK_ELSEWHERE: f32 = 6.0 * DECIBAN;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How surprising so many others are, beside so many of the whole product.
    fn nats(n_others: u32, n_all: u32, share: f32) -> f32 {
        surprise(&counted(n_others), &counted(n_all), share, 0.0).nats
    }

    fn counted(n_numbers: u32) -> Node {
        let mut node = Node::default();
        for _ in 0..n_numbers {
            node.count();
        }
        node
    }

    proptest! {
        #[test]
        fn more_others_are_never_less_surprising(n in 0_u32..500, more in 1_u32..500, all in 0_u32..5000, share in 1e-9_f32..0.99) {
            prop_assert!(nats(n, all, share) <= nats(n + more, all, share));
        }

        #[test]
        fn a_larger_share_is_never_more_surprising(n in 0_u32..500, all in 0_u32..5000, a in 1e-9_f32..0.99, b in 1e-9_f32..0.99) {
            prop_assert!(nats(n, all, a.max(b)) <= nats(n, all, a.min(b)));
        }

        #[test]
        fn a_busier_product_is_never_more_surprised(n in 0_u32..500, all in 0_u32..5000, more in 1_u32..5000, share in 1e-9_f32..0.99) {
            prop_assert!(nats(n, all + more, share) <= nats(n, all, share));
        }

        #[test]
        fn the_surprise_is_bounded(n in 0_u32..5000, all in 0_u32..5000, share in 1e-9_f32..0.999) {
            let bound = MOST + 3.0 * (n as f32 / 20.0).max(1.0).ln() - LOOK_ELSEWHERE;
            let nats = nats(n, all, share);
            prop_assert!(0.0 <= nats && nats <= bound + 1e-4, "{nats} of {bound}");
        }
    }

    #[test]
    fn nobody_else_is_no_surprise() {
        assert_eq!(surprise(&counted(1), &counted(1), 1e-9, 1.0).nats, 0.0);
    }
}
