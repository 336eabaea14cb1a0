//! `roleMoved`: the role that a target had when the fault came is seen on another instance.
//!
//! In a null drill nothing is broken, so the claim turns round: the role must stay where it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::role::RoleMove;
use super::{Asked, CheckKind, Doubt, Figure, Measured, words};
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `roleMoved: {target: primary, within: 5s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
    pub within: Span,
}

pub struct RoleMoved;

impl CheckKind for RoleMoved {
    type Params = Params;

    const KIND: &'static str = "roleMoved";
    const SUMMARY: &'static str = "the role of the target is seen on another instance in time";
    const EXAMPLE: &'static str = "roleMoved: {target: primary, within: 5s}";

    const ONE_HOLDER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let claim = format!("the role of {} moves within {}", params.target, params.within);
        let asked = Asked::at_most(Self::KIND, "", (claim, params.within));
        let doubts: Vec<&Doubt> = measured.doubts.iter().collect();
        match measured.moves.get(&params.target) {
            None => asked.unknown(format!("the plan has no target {}", params.target)),
            Some(Err(why)) => asked.unknown(why.clone()),
            Some(Ok(role)) if measured.null => stays(asked, role, &doubts),
            Some(Ok(role)) => asked.weigh(moved(role, measured), &doubts),
        }
    }
}

fn moved(role: &RoleMove, measured: &Measured) -> Figure {
    let watched = measured.frame.seconds() - role.since_seconds;
    let zero_error = measured.frame.zero_error();
    match &role.to {
        Some(to) => {
            let after = measured.frame.axis().at(to.at_ns) - role.since_seconds;
            let error = to.error() + zero_error;
            let figure = words::seconds_with_error(after, error);
            Figure {
                measured: after,
                error,
                finding: format!("{} after {figure}; {}", role.role, to.seen_by()),
                bound: None,
            }
        }
        None => Figure {
            measured: watched,
            error: zero_error,
            finding: format!("nobody else was seen to be {} in {watched:.2} s", role.role),
            bound: Some("the watch ended before it moved".to_owned()),
        },
    }
}

fn stays(asked: Asked, role: &RoleMove, doubts: &[&Doubt]) -> ClaimReport {
    let asked = Asked {
        claim: format!("the role {} stays where it is", role.role),
        limit: 0.0,
        unit: "moves",
        ..asked
    };
    let (measured, finding) = match &role.to {
        Some(to) => (1.0, format!("without a fault it was seen on {}", to.seen_by())),
        None => (0.0, "it stayed; a null drill breaks nothing".to_owned()),
    };
    asked.weigh(Figure { measured, error: 0.0, finding, bound: None }, doubts)
}
