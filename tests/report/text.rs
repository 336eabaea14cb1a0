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
fn a_held_failover_at_80_columns() {
    let report = sample::named("held");
    insta::assert_snapshot!(text::render(&report, &Style::plain(80), &files()));
}

#[test]
fn a_deviated_one_in_ascii_at_100_columns() {
    let style = Style { colour: false, unicode: false, width: 100 };
    insta::assert_snapshot!(text::render(&sample::named("deviated"), &style, &files()));
}

#[test]
fn a_stuck_one_is_loud() {
    let text = text::render(&sample::named("stuck"), &Style::plain(80), &[]);
    insta::assert_snapshot!(text);
}

#[test]
fn the_verdict_is_the_first_and_the_last_word() {
    for (name, report) in sample::all() {
        for colour in [false, true] {
            let style = Style { colour, ..Style::plain(80) };
            let text = stripped(&text::render(&report, &style, &files()));
            let verdict = report.verdict.to_string();
            assert_eq!(text.split_whitespace().next(), Some(verdict.as_str()), "{name}");
            assert_eq!(text.split_whitespace().last(), Some(verdict.as_str()), "{name}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
        }
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for (name, report) in sample::all() {
        for columns in [60, 80, 100, 120, 200] {
            for unicode in [true, false] {
                let style = Style { colour: false, unicode, width: columns };
                for line in text::render(&report, &style, &files()).lines() {
                    let copied = line.starts_with("replay: ");
                    assert!(copied || width(line) <= columns, "{name} at {columns}: {line}");
                }
            }
        }
    }
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    for (name, report) in sample::all() {
        let plain = text::render(&report, &Style::plain(90), &files());
        let colourful = Style { colour: true, ..Style::plain(90) };
        let coloured = text::render(&report, &colourful, &files());
        std::fs::write(crate::html::place().join(format!("{name}.ansi")), &coloured).unwrap();
        assert!(!plain.contains('\x1b'), "{name}");
        assert!(coloured.contains('\x1b'), "{name}");
        let trimmed =
            |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(&stripped(&coloured)), trimmed(&plain), "{name}");
    }
}

#[test]
fn ascii_is_ascii() {
    let style = Style { colour: false, unicode: false, width: 80 };
    for (name, report) in sample::all().into_iter().filter(|(name, _)| *name != "hostile") {
        assert!(text::render(&report, &style, &files()).is_ascii(), "{name}");
    }
}

#[test]
fn residue_is_listed_and_its_absence_is_said() {
    let stuck = sample::named("stuck");
    let text = text::render(&stuck, &Style::plain(120), &[]);
    assert!(stuck.residue.iter().all(|thing| text.contains(thing)), "{text}");
    assert!(text.contains("squall undo --all") && !text.contains("nothing of the drill is left"));

    let mut unseen = sample::named("held");
    unseen.verdict = squall::model::outcome::Outcome::Stuck;
    let text = text::render(&unseen, &Style::plain(80), &[]);
    assert!(text.contains("STUCK") && !text.contains("nothing of the drill is left"));
}

/// Nobody looked, so nobody knows: in every face.
#[test]
fn a_world_that_was_not_read_back_is_not_called_clean() {
    let mut report = sample::named("inconclusive");
    report.read_back = false;
    let text = text::render(&report, &Style::plain(120), &[]);
    let faces =
        [text, squall::report::markdown::render(&report), squall::report::html::render(&report)];
    for face in faces {
        assert!(face.contains("not known: the world was not read back"), "{face}");
        assert!(!face.contains("nothing of the drill is left"), "{face}");
    }
}

#[test]
fn the_words_of_an_outage_are_explained_where_there_is_one() {
    let faces = |name| {
        let report = sample::named(name);
        let text = text::render(&report, &Style::plain(400), &[]);
        [text, squall::report::markdown::render(&report), squall::report::html::render(&report)]
    };
    for (held, empty) in faces("held").iter().zip(faces("empty")) {
        let terms = |face: &str| face.contains("not one good answer in it");
        assert!(terms(held) && !terms(&empty), "{held}");
    }
}

/// Its end is in the table of faults, so the drawing must not call it open.
#[test]
fn a_fault_whose_end_lies_beyond_the_drawing_is_drawn_with_its_end() {
    let mut report = sample::named("held");
    report.injections[0].gone_seconds = Some(6.0);
    let band = |report: &squall::model::verdict::Report| {
        let text = text::render(report, &Style::plain(80), &[]);
        let label = "  processKill redis@r1 ";
        text.lines().find(|line| line.starts_with(label)).unwrap().to_owned()
    };
    assert!(band(&report).ends_with("─ until 6.00 s ▶"), "{}", band(&report));
    report.injections[0].gone_seconds = Some(1.0);
    assert!(!band(&report).contains("until") && !band(&report).contains('▶'));
    report.injections[0].gone_seconds = None;
    assert!(band(&report).ends_with("──▶"), "nobody ended it: {}", band(&report));
}

#[test]
fn a_claim_has_figure_resolution_and_limit_in_one_line() {
    let report = sample::named("held");
    let line = text::claim_line(&report.claims[0], &Style::plain(100));
    assert_eq!(line, "  held  downtime of proxy at most 6s  2.31 s ± 0.02 s  limit 6 s");
}
