//! Proof that every policy admitted one plan, for a while.
//!
//! Nobody outside `guard` can make one. It has no public field and no constructor:
//! ```compile_fail,E0451
//! use squall::guard::Clearance;
//! let forged = Clearance { digest: "d".to_owned(), until: jiff::Timestamp::MAX };
//! ```
//! ```compile_fail,E0624
//! use squall::guard::Clearance;
//! let forged = Clearance::new("d".to_owned(), jiff::Timestamp::MAX);
//! ```
//! It cannot be read from a file or a socket:
//! ```compile_fail,E0277
//! use squall::guard::Clearance;
//! let forged: Clearance = serde_json::from_str("{}").unwrap();
//! ```
//! And it cannot be copied, so that one admission starts one drill:
//! ```compile_fail,E0599
//! fn twice(one: squall::guard::Clearance) -> [squall::guard::Clearance; 2] {
//!     [one.clone(), one]
//! }
//! ```

use jiff::{SignedDuration, Timestamp};

use crate::model::plan::Plan;

/// How long an admission holds: time to read the plan and say yes, not to go to lunch.
pub const VALID_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Every policy admitted the plan with this digest, until this time.
#[derive(Debug, PartialEq, Eq)]
pub struct Clearance {
    digest: String,
    until: Timestamp,
}

/// Why a clearance does not open this door.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCleared {
    #[error("the clearance is for the plan {cleared:.12}, not for {asked:.12}; ask again")]
    OtherPlan { cleared: String, asked: String },
    #[error("the clearance ended at {until}; ask again")]
    Expired { until: Timestamp },
}

impl Clearance {
    pub(super) fn new(digest: String, until: Timestamp) -> Clearance {
        Clearance { digest, until }
    }

    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// May this plan begin now?
    pub fn covers(&self, plan: &Plan, now: Timestamp) -> Result<(), NotCleared> {
        if self.digest != plan.digest {
            let (cleared, asked) = (self.digest.clone(), plan.digest.clone());
            return Err(NotCleared::OtherPlan { cleared, asked });
        }
        if now >= self.until {
            return Err(NotCleared::Expired { until: self.until });
        }
        Ok(())
    }
}
