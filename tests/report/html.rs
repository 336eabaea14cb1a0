//! The page: well-formed, whole, self-contained, and safe against what it quotes.

use std::path::PathBuf;

use quick_xml::Reader;
use quick_xml::events::Event;
use squall::report::html;

use crate::sample;

/// Where the pages lie for those who want to look at them.
fn place() -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn every_sample_becomes_a_page_and_the_same_page_again() {
    for (name, report) in sample::all() {
        let page = html::render(&report);
        assert_eq!(page, html::render(&report.clone()), "{name}");
        std::fs::write(place().join(format!("{name}.html")), page).unwrap();
    }
}
