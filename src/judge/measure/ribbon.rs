//! The availability ribbon: runs of slots of one grade, also outside the window. Slots that the
//! history lacks are drawn as invalid: nobody looked.

use super::axis::{count, whole};
use super::outage::Beat;
use super::window::Frame;
use crate::model::observation::{Grade, Observation};
use crate::model::verdict::RibbonRun;

/// One run, in nanoseconds.
struct Stripe {
    from_ns: u64,
    to_ns: u64,
    grade: Grade,
    slots: u64,
}

/// `slots` in the order of their due times.
#[must_use]
pub fn ribbon(slots: &[&Observation], beat: Beat, frame: &Frame) -> Vec<RibbonRun> {
    let axis = frame.axis();
    let mut stripes: Vec<Stripe> = Vec::new();
    let mut next: Option<u64> = None;
    for slot in slots {
        let missing = next.map_or(0, |next| slot.slot.saturating_sub(next));
        if missing > 0 {
            let covered_ns = whole(count(missing) * beat.interval_ns);
            let from_ns = slot.due_ns.saturating_sub(covered_ns);
            paint(&mut stripes, Grade::Invalid, missing, (from_ns, slot.due_ns));
        }
        let to_ns = slot.due_ns + whole(beat.interval_ns);
        paint(&mut stripes, slot.grade, 1, (slot.due_ns, to_ns));
        next = Some(slot.slot + 1);
    }
    let run = |stripe: Stripe| RibbonRun {
        from_seconds: axis.at(stripe.from_ns),
        to_seconds: axis.at(stripe.to_ns),
        grade: name(stripe.grade).to_owned(),
        slots: stripe.slots,
    };
    stripes.into_iter().map(run).collect()
}

fn paint(stripes: &mut Vec<Stripe>, grade: Grade, slots: u64, (from_ns, to_ns): (u64, u64)) {
    match stripes.last_mut() {
        Some(last) if last.grade == grade => {
            last.to_ns = to_ns;
            last.slots += slots;
        }
        last => {
            // Runs touch: due times are rounded, and a hair of nothing would be drawn between.
            if let Some(last) = last {
                last.to_ns = from_ns;
            }
            stripes.push(Stripe { from_ns, to_ns, grade, slots });
        }
    }
}

fn name(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "good",
        Grade::Late => "late",
        Grade::Bad => "bad",
        Grade::Invalid => "invalid",
    }
}
