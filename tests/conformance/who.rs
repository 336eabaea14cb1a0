//! Who dies at a crash point.

use std::fmt;

/// One column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Conductor,
    Injector,
    Guardian,
    Both,
    Recovery,
    Prober,
    All,
}

impl Who {
    pub const ALL: [Who; 7] = [
        Who::Conductor,
        Who::Injector,
        Who::Guardian,
        Who::Both,
        Who::Recovery,
        Who::Prober,
        Who::All,
    ];

    pub fn parts(self) -> &'static [&'static str] {
        match self {
            Who::Conductor => &["conductor"],
            Who::Injector => &["injector"],
            Who::Guardian => &["guardian"],
            Who::Both => &["injector", "guardian"],
            Who::Recovery => &["recovery"],
            Who::Prober => &["prober"],
            Who::All => &["conductor", "injector", "guardian", "recovery", "prober"],
        }
    }

    pub fn kills(self, part: &str) -> bool {
        self.parts().contains(&part)
    }

    /// Can this happen there? A guardian acts only once its injector is dead, a recovery only once
    /// both are; who is dead cannot die.
    pub fn can_die_at(self, point: &str) -> bool {
        match point.split(':').next() {
            Some("injector") => self != Who::Recovery,
            Some("guardian") => !matches!(self, Who::Guardian | Who::Recovery),
            _ => matches!(self, Who::Conductor | Who::Recovery | Who::All),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Conductor => "conductor",
            Who::Injector => "injector",
            Who::Guardian => "guardian",
            Who::Both => "injector and guardian",
            Who::Recovery => "recovery",
            Who::Prober => "prober",
            Who::All => "all",
        })
    }
}
