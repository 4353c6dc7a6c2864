//! Who sends a request, written into the name of the request so that log lines and messages can be told apart.

/// On whose side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// Somebody who signs up.
    Ordinary,
    /// The one who pumps.
    Attack,
    /// Whoever tries it by hand meanwhile.
    Visitor,
}

// === impl Party ===

impl Party {
    /// In the order in which they are shown.
    pub(super) const ALL: [Self; 3] = [Self::Ordinary, Self::Attack, Self::Visitor];

    /// The name on the screen.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Attack => "attack",
            Self::Visitor => "by hand",
        }
    }

    /// The name of the request that plays the script's visit `index`.
    pub(super) fn request_id(self, index: usize) -> String {
        format!("{}-{index}", self.as_str())
    }

    /// Who sent the request of this name, and which visit of the script it plays.
    pub(super) fn of(request_id: &str) -> (Self, Option<usize>) {
        let Some((name, index)) = request_id.rsplit_once('-') else { return (Self::Visitor, None) };
        match (name, index.parse().ok()) {
            ("ordinary", Some(index)) => (Self::Ordinary, Some(index)),
            ("attack", Some(index)) => (Self::Attack, Some(index)),
            _ => (Self::Visitor, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_who_and_which() {
        assert_eq!(Party::of(&Party::Attack.request_id(17)), (Party::Attack, Some(17)));
        assert_eq!(Party::of(&Party::Ordinary.request_id(0)), (Party::Ordinary, Some(0)));
    }

    #[test]
    fn every_other_name_is_a_visitor_s() {
        for name in ["", "5f2c9a", "attack", "attack-x", "mine-3"] {
            assert_eq!(Party::of(name), (Party::Visitor, None), "{name}");
        }
    }
}
