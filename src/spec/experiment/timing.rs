//! Figures that do not fit each other: warnings, because a reader may have meant them.

use std::collections::BTreeSet;

use super::super::finding::Code;
use super::super::sheet::Sheet;
use super::super::tree::Node;
use super::steps::part;
use super::{LabInView, Review};
use crate::judge::CheckParams;
use crate::model::lab::LabSpec;
use crate::model::units::Span;

impl Review<'_> {
    pub(super) fn check_timing(&self, sheet: &mut Sheet) {
        if let LabInView::Known(lab) = &self.lab {
            self.check_holds(lab, sheet);
        }
        self.check_stops(sheet);
        self.check_rates("hypothesis", &self.document.hypothesis, sheet);
        self.check_rates("stopConditions", &self.document.stop_conditions, sheet);
    }

    /// A failover that waits for a timer cannot happen while the fault is shorter than it.
    fn check_holds(&self, lab: &LabSpec, sheet: &mut Sheet) {
        let nodes = self.decoded.kept(self.spec.get("method"));
        for (step, node) in self.document.method.iter().zip(nodes) {
            if step.hold == Span::ZERO || !self.decoded.is_whole(node) {
                continue;
            }
            let subjects = step.inject.facts().subjects;
            let services = subjects.iter().filter_map(|subject| {
                self.document.targets.get(subject)?.lab.as_ref().map(|s| s.service.as_str())
            });
            let longest = services.filter_map(|service| longest_timer(service, lab)).max();
            let Some((span, name)) = longest.filter(|(span, _)| step.hold < *span) else {
                continue;
            };
            sheet
                .warning(
                    Code::ShortHold,
                    part(node, "hold").span.clone(),
                    format!(
                        "the hold of {} ends before the timer {name} of {span} has run",
                        step.hold
                    ),
                )
                .help(format!(
                    "hold it longer than {span}, or nothing of that mechanism is tested"
                ));
        }
    }

    /// Nothing lasts longer than from the first fault to the end of the watch.
    fn check_stops(&self, sheet: &mut Sheet) {
        let steps = &self.document.method;
        let method = self.spec.get("method").map_or(&[][..], Node::items);
        // What was left out of it has its finding already, and the drill may be longer.
        if !method.iter().all(|node| self.decoded.is_whole(node)) {
            return;
        }
        let Some(begin) = steps.iter().map(|step| step.at.0).min() else { return };
        let end = steps.iter().map(|step| step.at.0.saturating_add(step.hold.0)).max();
        let held = Span(end.unwrap_or_default().saturating_sub(begin));
        let watched = end.unwrap_or_default().saturating_add(self.document.recovery_watch.0);
        let lasts = Span(watched.saturating_sub(begin));
        let nodes = self.decoded.kept(self.spec.get("stopConditions"));
        for (stop, node) in self.document.stop_conditions.iter().zip(nodes) {
            let Some(patience) = stop.patience().filter(|patience| *patience >= lasts) else {
                continue;
            };
            let shown = node.entries().first().and_then(|entry| {
                let limits = entry.value.entries();
                limits.iter().find(|limit| span_of(&limit.value) == Some(patience))
            });
            let span = shown.map_or(node.span.clone(), |limit| limit.value.span.clone());
            sheet
                .warning(
                    Code::IdleStop,
                    span,
                    format!(
                        "this can never trip: the drill ends {lasts} after its first fault, hold \
                         and recovery watch together"
                    ),
                )
                .help(format!(
                    "write more than the claims allow and less than {lasts}, or raise \
                     `recoveryWatch`; only a limit below the hold, {held}, can end it early"
                ));
        }
    }

    /// An edge is known to 2/rate: a limit below that cannot be told from none.
    fn check_rates(&self, key: &str, claims: &[CheckParams], sheet: &mut Sheet) {
        let nodes = self.decoded.kept(self.spec.get(key));
        for (claim, node) in claims.iter().zip(nodes) {
            let probe =
                claim.probe().and_then(|name| Some((name, self.document.probes.get(name)?)));
            let Some((name, probe)) = probe.filter(|_| self.decoded.is_whole(node)) else {
                continue;
            };
            let resolution = 2.0 * probe.rate.interval_ns() / 1e9;
            let limits = node.entries().first().map_or(&[][..], |entry| entry.value.entries());
            for limit in limits {
                let Some(span) = span_of(&limit.value) else { continue };
                if resolution > span.seconds() && span != Span::ZERO {
                    sheet
                        .warning(
                            Code::CoarseProbe,
                            limit.value.span.clone(),
                            format!(
                                "the probe `{name}` looks {} and knows an edge to \
                                 {resolution:.3} s, which is more than this limit of {span}",
                                probe.rate
                            ),
                        )
                        .help(format!(
                            "raise its rate to {:.0}/s or more",
                            (2.0 / span.seconds()).ceil()
                        ));
                }
            }
        }
    }
}

fn span_of(node: &Node) -> Option<Span> {
    node.text().and_then(|text| text.parse().ok())
}

/// The longest timer of a service and of those that start after it: they are its failover.
fn longest_timer<'l>(service: &str, lab: &'l LabSpec) -> Option<(Span, &'l str)> {
    let mut members: BTreeSet<&str> = BTreeSet::from([service]);
    loop {
        let before = members.len();
        for (name, declared) in &lab.services {
            if declared.after.iter().any(|after| members.contains(after.as_str())) {
                members.insert(name);
            }
        }
        if members.len() == before {
            break;
        }
    }
    let services = lab.services.iter().filter(|(name, _)| members.contains(name.as_str()));
    let timers = services.flat_map(|(_, service)| &service.timers);
    timers.map(|(name, span)| (*span, name.as_str())).max()
}
