//! Everything that can happen to a drill, as one stream: views cannot disagree about its order.

use crate::backend::Happened;
use crate::model::message::{FromInjector, FromProber};

/// What the operator wants, by how often they said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// `Ctrl-C`, `SIGTERM`, `the terminal was closed`.
    pub name: String,
}

#[derive(Debug)]
pub enum Event {
    Injector(FromInjector),
    /// The guardian speaks only when it had to take the injector's place.
    Guardian(FromInjector),
    Prober(Box<FromProber>),
    /// A part's end of its channel is closed: it is dead, or done.
    Closed(Part),
    /// Its process has ended and is reaped.
    Ended(Part),
    Backend(Happened),
    Signal(Signal),
    /// Nothing happened until the time that was asked for.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Injector,
    Guardian,
    Prober,
    /// Only where injector and guardian are both gone.
    Recovery,
}

impl Part {
    const ALL: [Part; 4] = [Part::Injector, Part::Guardian, Part::Prober, Part::Recovery];

    /// The part of that name, as parts speak of each other.
    #[must_use]
    pub fn named(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Does it undo what is in force? Such a part outlives us if it must.
    #[must_use]
    pub fn undoes(self) -> bool {
        self != Part::Prober
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::Injector => "injector",
            Part::Guardian => "guardian",
            Part::Prober => "prober",
            Part::Recovery => "recovery",
        }
    }
}
