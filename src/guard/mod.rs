//! The catalogue of rules. A new rule is one file and one line in [`catalogue!`].
//!
//! Rules admit or refuse a plan, given facts. A refusal lists *every* reason; a fact that is
//! missing refuses. Only this folder can make a [`Clearance`].
