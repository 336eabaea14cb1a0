//! The drawn timeline: what is drawn lies where it happened.

use squall::report::html;

use crate::sample;
use crate::tree::{Element, drawing};

fn one<'a>(elements: &'a [Element], name: &str, class: &str) -> Vec<&'a Element> {
    elements.iter().filter(|e| e.name == name && e.is(class)).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.6
}

#[test]
fn an_outage_is_bracketed_where_its_ribbon_is_bad() {
    let svg = drawing(&html::render(&sample::named("held")), "closer");
    let bad = one(&svg, "rect", "bad");
    assert_eq!(bad.len(), 2, "one stretch per probe");
    let brackets: Vec<&Element> = svg.iter().filter(|e| e.name == "path").collect();
    assert_eq!(brackets.len(), 2, "and the window is not drawn where it is cut");
    for (rect, bracket) in bad.iter().zip(brackets) {
        let path = bracket.attribute("d").unwrap();
        let left: f64 = path[1..].split(' ').next().unwrap().parse().unwrap();
        let right = path.split('H').nth(1).unwrap().split('V').next().unwrap();
        assert!(near(left, rect.at("x")), "{path} {rect:?}");
        assert!(near(right.parse().unwrap(), rect.at("x") + rect.at("width")), "{path} {rect:?}");
    }
}

#[test]
fn flags_faults_roles_and_axis_share_one_scale() {
    let svg = drawing(&html::render(&sample::named("held")), "closer");
    let leaders = one(&svg, "line", "leader");
    assert_eq!(leaders.len(), 5, "one per stage");
    let effective = leaders[0].at("x1");
    assert!(near(one(&svg, "rect", "fault")[0].at("x"), effective));
    assert!(near(one(&svg, "rect", "faulted")[0].at("x"), effective));
    let leads = one(&svg, "rect", "leads");
    assert!(near(leads[0].at("x") + leads[0].at("width"), effective), "r1 led until then");
    let moved = leaders.iter().find(|leader| near(leader.at("x1"), leads[1].at("x")));
    assert!(moved.is_some(), "r2 leads from the flag of the moved role on");
    let grid = one(&svg, "line", "grid");
    assert!(grid.iter().any(|line| near(line.at("x1"), effective)), "second 0 has a tick");
}

#[test]
fn seconds_outside_the_window_are_shaded() {
    let report = sample::named("held");
    let svg = drawing(&html::render(&report), "whole");
    let shaded = one(&svg, "rect", "outside");
    assert_eq!(shaded.len(), 2, "before and after");
    let zero = one(&svg, "rect", "fault")[0].at("x");
    assert!(near(shaded[0].at("x") + shaded[0].at("width"), zero));
    let per_second = shaded[0].at("width") / 3.0;
    assert!(near(shaded[1].at("x"), zero + 16.0 * per_second));
}

#[test]
fn a_short_event_in_a_long_drill_is_drawn_closer_and_marked() {
    let page = html::render(&sample::named("crowded"));
    let whole = drawing(&page, "whole");
    assert_eq!(one(&whole, "rect", "closer").len(), 1);
    assert!(one(&whole, "text", "flag").is_empty(), "flags are where they are legible");
    let closer = drawing(&page, "closer");
    assert_eq!(one(&closer, "text", "flag").len(), 10);
    assert_eq!(one(&closer, "rect", "fault").len(), 8);
    assert_eq!(one(&closer, "g", "ribbon").len(), 12);
    assert_eq!(one(&closer, "rect", "faulted").len(), 1, "faults that overlap are one stretch");
}

#[test]
fn where_it_fills_the_drill_there_is_one_drawing() {
    let page = html::render(&sample::named("deviated"));
    let whole = drawing(&page, "whole");
    assert_eq!(one(&whole, "text", "flag").len(), 2);
    assert!(!page.contains("closer-title"));
}

#[test]
fn everything_drawn_is_inside_the_drawing() {
    for (name, report) in sample::all().into_iter().filter(|(name, _)| *name != "empty") {
        let svg = drawing(&html::render(&report), "whole");
        let size = svg[0].attribute("viewBox").unwrap().to_owned();
        let size: Vec<f64> = size.split(' ').map(|n| n.parse().unwrap()).collect();
        for rect in svg.iter().filter(|e| e.name == "rect" && e.attribute("x").is_some()) {
            let right = rect.at("x") + rect.at("width");
            let bottom = rect.at("y") + rect.at("height");
            assert!(rect.at("x") >= 0.0 && right <= size[2] + 0.1, "{name}: {rect:?}");
            assert!(rect.at("y") >= 0.0 && bottom <= size[3] + 0.1, "{name}: {rect:?}");
        }
    }
}

#[test]
fn a_ribbon_of_many_runs_does_not_make_a_large_page() {
    let mut report = sample::named("held");
    let window = report.window.clone();
    let probe = report.probes.get_mut("writes").unwrap();
    let run = probe.ribbon[0].clone();
    let step = (window.seen_to_seconds - window.seen_from_seconds) / 50_000.0;
    probe.ribbon = (0..50_000_u32)
        .map(|index| {
            let mut run = run.clone();
            run.grade = if index % 2 == 0 { "good" } else { "bad" }.to_owned();
            run.from_seconds = window.seen_from_seconds + f64::from(index) * step;
            run.to_seconds = run.from_seconds + step;
            run
        })
        .collect();
    let page = html::render(&report);
    assert!(page.len() < 500_000, "{} bytes", page.len());
    assert!(!one(&drawing(&page, "whole"), "rect", "bad").is_empty());
}

#[test]
fn a_fault_within_another_does_not_end_the_stretch() {
    let mut report = sample::named("inconclusive");
    let mut inner = report.injections[0].clone();
    (inner.effective_seconds, inner.gone_seconds) = (Some(2.0), Some(3.0));
    report.injections.push(inner);
    let svg = drawing(&html::render(&report), "whole");
    let (faults, stretch) = (one(&svg, "rect", "fault"), one(&svg, "rect", "faulted"));
    assert_eq!(stretch.len(), 1);
    assert!(near(stretch[0].at("width"), faults[0].at("width")), "{stretch:?} {faults:?}");
}

#[test]
fn a_flag_at_the_right_edge_still_has_room() {
    let svg = drawing(&html::render(&sample::named("hostile")), "whole");
    let last = one(&svg, "text", "flag").iter().map(|flag| flag.at("x")).fold(0.0, f64::max);
    // The name of the last stage is cut to 220 units, and the drawing is 960 wide.
    assert!(last > 600.0 && last < 960.0 - 180.0, "{last}");
}

#[test]
fn lengths_of_many_outages_do_not_overlap() {
    let mut report = sample::named("deviated");
    let probe = report.probes.get_mut("writes").unwrap();
    let outage = probe.outages[0].clone();
    probe.outages = (0..60_u32)
        .map(|index| {
            let from_seconds = f64::from(index * index % 61) * 0.004 + f64::from(index) * 0.25;
            let (to_seconds, length_seconds) = (from_seconds + 0.1, 0.1);
            let mut outage = outage.clone();
            outage.ended = true;
            (outage.from_seconds, outage.to_seconds) = (from_seconds, to_seconds);
            outage.length_seconds = length_seconds;
            outage
        })
        .collect();
    let svg = drawing(&html::render(&report), "whole");
    assert_eq!(one(&svg, "g", "outage").len(), 60);
    let labels: Vec<f64> = one(&svg, "text", "length").iter().map(|text| text.at("x")).collect();
    assert!(labels.len() > 4, "{labels:?}");
    // `0.10 s ± 0.01 s` is at least 70 units wide.
    assert!(labels.windows(2).all(|pair| pair[1] - pair[0] > 70.0), "{labels:?}");
}

#[test]
fn an_outage_that_did_not_end_is_a_lower_bound() {
    let page = html::render(&sample::named("deviated"));
    assert!(page.contains("≥ 16.99 s ± 0.01 s, not ended"));
    assert!(page.contains("at least 16.99 s ± 0.01 s"));
}
