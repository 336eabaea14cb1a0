//! The legs of a failover: how long it took from each stage to the next, and which took longest.

use super::figure;
use crate::model::verdict::Stage;

/// The way from one stage to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg<'a> {
    pub from: &'a Stage,
    pub to: &'a Stage,
    pub seconds: f64,
}

impl Leg<'_> {
    /// What goes on in it, in the words of the field.
    #[must_use]
    pub fn name(&self) -> String {
        match (self.from.name.as_str(), self.to.name.as_str()) {
            ("fault effective", "first bad") => "until a client noticed".to_owned(),
            ("first bad" | "fault effective", "role moved") => "detection and promotion".to_owned(),
            ("role moved", "first good") => "rerouting of clients".to_owned(),
            ("first bad", "first good") => "first bad to first good".to_owned(),
            ("first good", "stable") => "settling".to_owned(),
            (_, "endpoint dropped") => "until traffic was taken off".to_owned(),
            (_, "node not ready") => "until the node was seen to be lost".to_owned(),
            ("node not ready" | "endpoint dropped", "pod evicted") => {
                "toleration until eviction".to_owned()
            }
            (_, "pod scheduled") => "replacing and binding".to_owned(),
            ("pod scheduled", "pods ready") => "starting of pods".to_owned(),
            (_, to) => format!("to {to}"),
        }
    }

    /// The resolution of the leg: both of its ends may be off.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.from.error_seconds + self.to.error_seconds
    }
}

/// All legs, in order.
#[must_use]
pub fn legs(stages: &[Stage]) -> Vec<Leg<'_>> {
    stages
        .windows(2)
        .map(|pair| Leg {
            from: &pair[0],
            to: &pair[1],
            seconds: pair[1].at_seconds - pair[0].at_seconds,
        })
        .collect()
}

/// `detection and promotion took 1.91 s of 2.31 s`; none where there are not two
/// legs to compare.
#[must_use]
pub fn longest(stages: &[Stage]) -> Option<String> {
    let legs = legs(stages);
    if legs.len() < 2 {
        return None;
    }
    let known = legs.iter().filter(|leg| leg.seconds.is_finite());
    let leg = known.max_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
    let total = stages.last()?.at_seconds - stages.first()?.at_seconds;
    (total > 0.0).then(|| {
        let (took, of) = (figure::seconds(leg.seconds), figure::seconds(total));
        format!("{} took {took} of {of}", leg.name())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, at_seconds: f64) -> Stage {
        Stage { name: name.to_owned(), at_seconds, error_seconds: 0.01, seen_by: String::new() }
    }

    #[test]
    fn the_longest_leg_is_named() {
        let stages = [
            stage("fault effective", 0.0),
            stage("first bad", 0.01),
            stage("role moved", 1.92),
            stage("first good", 2.31),
            stage("stable", 2.31),
        ];
        assert_eq!(longest(&stages).unwrap(), "detection and promotion took 1.91 s of 2.31 s");
        assert_eq!(legs(&stages).len(), 4);
        assert!((legs(&stages)[1].error() - 0.02).abs() < 1e-12);
    }

    #[test]
    fn the_legs_of_a_cluster_say_what_it_did() {
        let names = [
            "fault effective",
            "first bad",
            "node not ready",
            "endpoint dropped",
            "pod evicted",
            "pod scheduled",
            "pods ready",
        ];
        let stages: Vec<Stage> =
            names.iter().zip(0..).map(|(n, at)| stage(n, f64::from(at))).collect();
        let legs: Vec<String> = legs(&stages).iter().map(Leg::name).collect();
        let expected = [
            "until a client noticed",
            "until the node was seen to be lost",
            "until traffic was taken off",
            "toleration until eviction",
            "replacing and binding",
            "starting of pods",
        ];
        assert_eq!(legs, expected);
    }

    #[test]
    fn a_stage_of_another_name_still_has_its_leg() {
        let stages =
            [stage("fault effective", 0.0), stage("page sent", 3.0), stage("page read", 4.0)];
        assert_eq!(longest(&stages).unwrap(), "to page sent took 3.00 s of 4.00 s");
    }

    #[test]
    fn a_leg_alone_is_not_the_longest() {
        assert_eq!(longest(&[stage("fault effective", 0.0), stage("first bad", 0.01)]), None);
        assert_eq!(longest(&[stage("fault effective", 0.0)]), None);
        assert_eq!(longest(&[]), None);
    }
}
