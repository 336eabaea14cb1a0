//! One fault's life: armed, journalled, guarded, injected, verified, and above all ended.
//!
//! Two small processes share the work. The *injector* is the only one that touches the target; it
//! holds every kernel object by a descriptor, so killing it is always a valid stop. The *guardian*
//! holds every undo recipe before the fault is applied and acts when the injector dies, hangs or
//! overstays. Behind both stands the *journal*: whoever starts next undoes what it finds open.

pub mod crash;
pub mod guardian;
pub mod injector;
pub mod journal;
pub mod recovery;
mod residue;
pub mod revert;
