//! Reports that try to break a layout or to leave a page.

use squall::model::outcome::{ClaimVerdict, Outcome};
use squall::model::verdict::{Report, Window};

use super::build::{Figure, claim, held, kill, probe, quiet, ribbon, role, seconds, stage};

/// Twelve probes, eight faults that overlap, stages within milliseconds, a drill of 20 minutes.
pub fn crowded() -> Report {
    let mut report = quiet("everything-at-once", Outcome::Deviated);
    report.title = "Eight faults that overlap, twelve probes that look".to_owned();
    report.window = Window {
        to_seconds: 1190.0,
        seen_from_seconds: -10.0,
        seen_to_seconds: 1200.0,
        ..report.window
    };
    for number in 0..12_u32 {
        let at = f64::from(number);
        let runs = [
            ("good", 0.5 + at * 0.3),
            ("bad", 4.0 + at * 0.9),
            ("good", 21.0 + at),
            ("late", 21.4 + at),
            ("bad", 22.0 + at * 1.4),
            ("good", 1200.0),
        ];
        let ribbon = ribbon(50.0, &runs, -10.0);
        let name =
            format!("{}-{number:02}", ["front", "checkout-writes", "search"][number as usize % 3]);
        report.probes.insert(name, probe("http", 50.0, ribbon, &report.window));
    }
    let kinds = ["networkPartition", "networkLatency", "networkLoss", "processPause"];
    for number in 0..8_u32 {
        let at = f64::from(number) * 3.1;
        let kind = kinds[number as usize % 4];
        report.injections.push(held(at, at + 12.0, kind, &format!("nginx@w{number}")));
    }
    report.stages = [0.0, 0.5, 0.52, 0.55, 0.56, 3.9, 4.0, 4.01, 22.0, 37.4]
        .iter()
        .enumerate()
        .map(|(index, at)| {
            let names = ["fault effective", "first bad", "role moved", "first good", "stable"];
            stage(names[index % 5], *at, 0.02, "front-00, every 20ms")
        })
        .collect();
    report.roles = (0..6)
        .map(|n| {
            role(&format!("etcd@e{n}"), if n == 0 { "leader" } else { "follower" }, -10.0, 1200.0)
        })
        .collect();
    let share = Figure { measured: Some(98.7), error: Some(0.003), limit: 99.9, unit: "percent" };
    report.claims = (0..9)
        .map(|n| {
            claim(
                ClaimVerdict::Held,
                &format!("downtime of front-{n:02} at most 30s"),
                "12.40 s ± 0.04 s in 2 outages",
                seconds(12.4 + f64::from(n), 0.04, 30.0),
            )
        })
        .collect();
    report.claims.push(claim(
        ClaimVerdict::Deviated,
        "availability of search-02 at least 99.9%",
        "98.700% by time",
        share,
    ));
    report.reason = "availability of search-02: 98.7%, at least 99.9% demanded".to_owned();
    report
}

/// Names and texts that would leave their place if they could.
pub fn hostile() -> Report {
    let long = "a text that nobody bounded ".repeat(8);
    let word = "x".repeat(200);
    let script = "<script>alert(\"1\")</script>";
    let mut report = quiet(&format!("{script}&amp;'"), Outcome::Inconclusive);
    report.title = format!("{long}\u{1b}[2J\u{202e}");
    report.reason = format!("a | b ]]> {script} {word}");
    report.plan = format!("plan {script}\n</pre>{word}\n\u{0}");
    let runs = [("good", 1.0), ("bad", 3.0), ("good", 5.0), ("glittering", 7.0), ("invalid", 17.0)];
    let mut hard = probe("http", 10.0, ribbon(10.0, &runs, -3.0), &report.window);
    hard.errors.insert(format!("{script}|{word}"), 3);
    hard.outages[0].character = script.to_owned();
    hard.availability_by_time = Some(f64::NAN);
    hard.latency.insert(script.to_owned(), squall::model::verdict::Latency::default());
    report.probes = [(format!("{script}{word}"), hard)].into();
    let unknown =
        Figure { measured: Some(f64::INFINITY), error: Some(f64::NAN), limit: 3.0, unit: "<b>" };
    report.claims = vec![claim(
        ClaimVerdict::Inconclusive,
        &format!("downtime of {word} {script}"),
        &format!("{long}| `x` [a](http://example.org)"),
        unknown,
    )];
    report.injections = vec![kill(1, &word), held(2.0, 1.0, script, script)];
    report.injections[0].evidence = vec![script.to_owned(), long.clone()];
    report.stages = vec![
        stage(script, -0.5, 0.1, &word),
        stage(&word, f64::NAN, f64::NAN, script),
        stage(&long, 16.9, 0.1, "\r\n# head"),
    ];
    report.roles = vec![role(script, script, -3.0, 5.0), role(&word, "primary", f64::NAN, 3.0)];
    report.notes = vec![script.to_owned(), long, word];
    report.residue = vec![script.to_owned()];
    report
}

/// The least that there can be: refused before anything was seen.
pub fn empty() -> Report {
    let mut report = quiet("redis-primary-loss", Outcome::Refused);
    report.window = Window::default();
    report.plan = String::new();
    report.lag = squall::model::verdict::LagReport::default();
    report.reason = "the policy admits labs only".to_owned();
    report
}
