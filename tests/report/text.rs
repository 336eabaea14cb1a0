//! The text at the end of `squall run`.

use squall::report::text::columns::width;
use squall::report::text::{self, Style};

use crate::sample;

fn files() -> Vec<String> {
    vec!["out/report.html".to_owned(), "out/report.json".to_owned()]
}

/// Without its escapes.
fn stripped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        out += &rest[..at];
        rest = rest[at..].split_once('m').map_or("", |(_, tail)| tail);
    }
    out + rest
}

#[test]
fn print_all() {
    for name in ["held", "crowded", "hostile", "stuck", "inconclusive", "empty", "null", "deviated"]
    {
        for w in [80, 120] {
            let style = Style { colour: true, unicode: true, width: w };
            std::fs::write(
                format!("{}/report/{name}-{w}.txt", env!("CARGO_TARGET_TMPDIR")),
                text::render(&sample::named(name), &style, &files()),
            )
            .unwrap();
        }
    }
}
