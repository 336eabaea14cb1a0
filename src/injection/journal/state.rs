//! The states of an injection and the one table of legal moves.

use std::fmt;

/// Where an injection stands, by the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Armed,
    Active,
    Reverting,
    Reverted,
    Stuck,
    Void,
}

impl State {
    /// May an injection go from `from` to `to`? None: it is not in the journal yet.
    #[must_use]
    pub fn may_follow(from: Option<State>, to: State) -> bool {
        use State::{Active, Armed, Reverted, Reverting, Stuck, Void};
        match from {
            None => to == Armed,
            Some(Armed) => matches!(to, Active | Reverting | Void),
            // A later attempt at what is stuck, or a person who clears it.
            Some(Active | Stuck) => matches!(to, Reverting | Void),
            // Another party takes over a revert that somebody began and did not end.
            Some(Reverting) => matches!(to, Reverting | Reverted | Stuck | Void),
            // The read-back at the end still shows it.
            Some(Reverted) => to == Stuck,
            Some(Void) => false,
        }
    }

    /// Nothing is left to do.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, State::Reverted | State::Void)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Armed => "armed",
            State::Active => "active",
            State::Reverting => "reverting",
            State::Reverted => "reverted",
            State::Stuck => "stuck",
            State::Void => "void",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [State; 6] =
        [State::Armed, State::Active, State::Reverting, State::Reverted, State::Stuck, State::Void];

    #[test]
    fn the_table_of_moves_is_exactly_this() {
        let mut legal = Vec::new();
        for from in [None].into_iter().chain(ALL.map(Some)) {
            for to in ALL {
                if State::may_follow(from, to) {
                    legal.push(format!("{}>{to}", from.map_or("-".to_owned(), |s| s.to_string())));
                }
            }
        }
        assert_eq!(
            legal.join(" "),
            "->armed armed>active armed>reverting armed>void active>reverting active>void \
             reverting>reverting reverting>reverted reverting>stuck reverting>void \
             reverted>stuck stuck>reverting stuck>void"
        );
    }

    #[test]
    fn only_reverted_and_void_are_closed() {
        assert_eq!(ALL.iter().filter(|s| s.is_closed()).count(), 2);
        assert!(!State::Stuck.is_closed());
    }
}
