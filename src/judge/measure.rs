//! Figures drawn from a history once, for every check and for the report.

use std::collections::BTreeMap;

use crate::model::plan::Plan;
use crate::model::verdict::{LagReport, ProbeReport, RoleSpan, Stage, Window};

/// Everything that checks judge by.
#[derive(Debug, Clone)]
pub struct Measured<'a> {
    pub plan: &'a Plan,
    pub window: Window,
    pub probes: BTreeMap<String, ProbeReport>,
    pub stages: Vec<Stage>,
    pub roles: Vec<RoleSpan>,
    pub lag: LagReport,
}
