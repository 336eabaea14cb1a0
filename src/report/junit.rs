//! `junit.xml`: a case per claim, and one for the drill itself.
//!
//! A claim that deviated is a failure. Everything else that is not `held` is an error: of the
//! claim where it could not be measured, else of the drill. So a verdict other than `held` always
//! has a case that did not pass.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::text::{self, Style};
use super::{RenderError, figure, inline, sentence};
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::model::verdict::{ClaimReport, Report};

/// Columns of the text that stands in `system-out`.
const TEXT_WIDTH: usize = 100;

/// The report as `JUnit`.
///
/// # Errors
/// A report that XML cannot hold.
pub fn render(report: &Report) -> Result<String, RenderError> {
    let name = inline::one_line(&report.experiment);
    let mut suite = TestSuite::new(&name);
    suite.set_time(length(report));
    for (key, value) in properties(report) {
        suite.add_property((key, value.as_str()));
    }
    for claim in &report.claims {
        suite.add_test_case(case(&name, claim));
    }
    suite.add_test_case(drill_case(&name, report));
    suite.set_system_out(text::render(report, &Style::plain(TEXT_WIDTH), &[]));
    let mut whole = quick_junit::Report::new("squall");
    whole.add_test_suite(suite);
    Ok(whole.to_string()?)
}

fn properties(report: &Report) -> [(&'static str, String); 8] {
    [
        ("verdict", report.verdict.to_string()),
        ("reason", inline::one_line(&report.reason)),
        ("drill", report.drill.clone()),
        ("started", figure::moment(&report.started)),
        ("seed", report.seed.to_string()),
        ("digest", report.digest.clone()),
        ("intentDigest", report.intent_digest.clone()),
        ("squall", report.squall.clone()),
    ]
}

/// The time of observation.
fn length(report: &Report) -> Duration {
    let seconds = report.window.seen_to_seconds - report.window.seen_from_seconds;
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn case(classname: &str, claim: &ClaimReport) -> TestCase {
    let status = match claim.verdict {
        ClaimVerdict::Held => TestCaseStatus::success(),
        ClaimVerdict::Deviated => not_passed(NonSuccessKind::Failure, &claim.check, &claim.finding),
        ClaimVerdict::Inconclusive => {
            not_passed(NonSuccessKind::Error, "inconclusive", &claim.finding)
        }
    };
    let mut case = TestCase::new(inline::one_line(&claim.claim), status);
    case.set_classname(classname);
    case.set_system_out(format!(
        "{} {}, limit {}: {}",
        claim.verdict,
        figure::measured(claim),
        figure::limit(claim),
        inline::one_line(&claim.finding)
    ));
    case
}

/// Did the drill itself end as it should, with nothing left?
fn drill_case(classname: &str, report: &Report) -> TestCase {
    let any = |verdict| report.claims.iter().any(|claim| claim.verdict == verdict);
    let status = match report.verdict {
        _ if !report.residue.is_empty() => {
            let left = report.residue.join("; ");
            not_passed(NonSuccessKind::Error, "stuck", &format!("still in the world: {left}"))
        }
        Outcome::Held => TestCaseStatus::success(),
        Outcome::Deviated if any(ClaimVerdict::Deviated) => TestCaseStatus::success(),
        Outcome::Inconclusive if any(ClaimVerdict::Inconclusive) => TestCaseStatus::success(),
        Outcome::Deviated => not_passed(NonSuccessKind::Failure, "deviated", &report.reason),
        other => not_passed(NonSuccessKind::Error, &other.to_string(), &report.reason),
    };
    let mut case = TestCase::new("ends clean", status);
    case.set_classname(classname);
    if let Some(window) = sentence::window(&report.window) {
        case.set_system_out(window);
    }
    case
}

fn not_passed(kind: NonSuccessKind, kind_of: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(kind_of).set_message(inline::one_line(message));
    status
}
