//! The page: well-formed, whole, self-contained, and safe against what it quotes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use squall::report::{html, inline};

use crate::sample;
use crate::tree::{self, Element};

/// Elements that load, run or send something.
const FORBIDDEN: [&str; 12] = [
    "script", "link", "img", "image", "iframe", "object", "embed", "video", "audio", "form",
    "base", "use",
];

/// Where pages and texts lie for those who want to look at them.
pub fn place() -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&place).unwrap();
    place
}

fn pages() -> Vec<(&'static str, String, Vec<Element>)> {
    let page = |report| html::render(&report);
    let all = sample::all().into_iter().map(|(name, report)| (name, page(report)));
    all.map(|(name, page)| (name, page.clone(), tree::elements(&page))).collect()
}

#[test]
fn every_sample_becomes_the_same_page_again() {
    for (name, report) in sample::all() {
        let page = html::render(&report);
        assert_eq!(page, html::render(&report.clone()), "{name}");
        std::fs::write(place().join(format!("{name}.html")), page).unwrap();
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for (name, page, elements) in pages() {
        for element in &elements {
            assert!(!FORBIDDEN.contains(&element.name.as_str()), "{name}: {}", element.name);
            for (key, value) in &element.attributes {
                let loads = ["src", "href", "srcset", "data", "action", "xlink:href", "style"];
                assert!(!loads.contains(&key.as_str()), "{name}: {key}={value}");
                assert!(!key.starts_with("on"), "{name}: {key}={value}");
                assert!(!value.contains("url(") || value.starts_with("url(#"), "{name}: {value}");
            }
        }
        let css = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(!css.contains("url(") && !css.contains("@import"), "{name}");
        assert!(page.contains("default-src 'none'"), "{name}");
    }
}

#[test]
fn what_others_said_is_text_and_nothing_else() {
    let report = sample::named("hostile");
    let page = html::render(&report);
    assert!(!page.contains("<script") && !page.contains("<b>"));
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"));
    assert!(!page.contains('\x1b') && !page.contains('\u{202e}') && !page.contains('\0'));
}

#[test]
fn everything_that_the_report_holds_is_on_the_page() {
    for (name, report) in sample::all() {
        let text = tree::text(&html::render(&report));
        let mut wanted = vec![report.title.clone(), report.reason.clone(), report.digest.clone()];
        wanted.extend([report.drill.clone(), report.seed.to_string(), report.verdict.to_string()]);
        for claim in &report.claims {
            wanted.extend([claim.claim.clone(), claim.finding.clone(), claim.verdict.to_string()]);
        }
        wanted.extend(report.stages.iter().flat_map(|s| [s.name.clone(), s.seen_by.clone()]));
        wanted.extend(report.injections.iter().flat_map(|i| i.evidence.clone()));
        wanted.extend(report.probes.keys().cloned());
        wanted.extend(report.notes.iter().chain(&report.residue).cloned());
        wanted.push(report.environment.kernel.clone());
        for words in wanted {
            assert!(text.contains(&inline::one_line(&words)), "{name}: {words}");
        }
    }
}

#[test]
fn drawings_have_a_title_and_ids_are_unique() {
    for (name, _, elements) in pages() {
        let mut ids = BTreeSet::new();
        for id in elements.iter().filter_map(|element| element.attribute("id")) {
            assert!(ids.insert(id.to_owned()), "{name}: {id} twice");
        }
        for svg in elements.iter().filter(|e| e.attribute("role") == Some("img")) {
            let labels = svg.attribute("aria-labelledby").unwrap();
            assert!(labels.split(' ').all(|id| ids.contains(id)), "{name}: {labels}");
        }
        for head in elements.iter().filter(|element| element.name == "th") {
            assert!(head.attribute("scope").is_some(), "{name}");
        }
    }
}

#[test]
fn no_coordinate_is_a_stranger_to_numbers() {
    for (name, _, elements) in pages() {
        for element in elements {
            for key in ["x", "y", "width", "height", "x1", "x2", "y1", "y2", "cx", "cy", "d"] {
                let value = element.attribute(key).unwrap_or_default();
                assert!(!value.contains("NaN") && !value.contains("inf"), "{name}: {key}={value}");
                let negative = value.starts_with('-') && (key == "width" || key == "height");
                assert!(!negative, "{name}: {key}={value}");
            }
        }
    }
}

#[test]
fn a_ledger_that_was_not_read_back_knows_nothing() {
    let unknown = |name| html::render(&sample::named(name)).matches("<dd>unknown</dd>").count();
    assert_eq!(unknown("deviated"), 6, "lost, absent, present, resurrected, duplicate, phantom");
    assert_eq!(unknown("null"), 0);
}

#[test]
fn a_drill_that_left_nothing_says_so_and_one_that_left_something_is_framed() {
    let held = html::render(&sample::named("held"));
    assert!(held.contains("nothing of the drill is left") && !held.contains("class=\"loud\""));
    let stuck = html::render(&sample::named("stuck"));
    assert!(stuck.contains("class=\"loud\"") && !stuck.contains("nothing of the drill is left"));
}

/// On a phone a table has no head: each cell says by itself what it is.
#[test]
fn every_cell_names_its_column_and_no_caption_scrolls_away() {
    for (name, page, elements) in pages() {
        let cells = elements.iter().filter(|element| element.name == "td");
        let (named, drawn): (Vec<_>, Vec<_>) =
            cells.partition(|cell| cell.attribute("data-label").is_some());
        assert!(drawn.iter().all(|cell| cell.attribute("class") == Some("word")), "{name}");
        assert!(named.len() > drawn.len() || named.is_empty(), "{name}");
        assert!(!page.contains("<caption"), "{name}: it would be as wide as its table");
    }
}
