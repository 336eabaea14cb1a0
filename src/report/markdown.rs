//! `report.md`: what one pastes into a pull request or a post-mortem.
//!
//! Words of others are escaped, so that they stay words: no table breaks, no link, no HTML.

use super::inline;
use super::{figure, sentence, stages as legs};
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::model::verdict::{ClaimReport, Report};

/// The whole text, a line end at the end.
#[must_use]
pub fn render(report: &Report) -> String {
    let parts = [
        head(report),
        claims(report),
        stages(report),
        outages(report),
        ledgers(report),
        faults(report),
        list("Notes", &report.notes),
        residue(report),
        surroundings(report),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn head(report: &Report) -> String {
    let null = if report.null { " (null drill: all machinery, no fault)" } else { "" };
    let title = if report.title.is_empty() {
        String::new()
    } else {
        format!("{}\n\n", escaped(&report.title))
    };
    let window = sentence::window(&report.window).map(|w| format!("; {w}")).unwrap_or_default();
    format!(
        "## {}: {}{null}\n\n{title}{}\n\n{}{window}.\n",
        report.verdict,
        escaped(&report.experiment),
        escaped(&report.reason),
        inline::capital(&sentence::claims(&report.claims)),
    )
}

fn claims(report: &Report) -> String {
    if report.claims.is_empty() {
        return String::new();
    }
    let rows = report.claims.iter().map(|claim| {
        let stop = if claim.stop_condition { " (stop condition)" } else { "" };
        vec![
            verdict(claim),
            escaped(&claim.claim) + stop,
            figure::measured(claim),
            figure::limit(claim),
            escaped(&claim.finding),
        ]
    });
    let table = table(&["verdict", "claim", "measured", "limit", "found"], rows);
    let lag = inline::capital(&sentence::lag(&report.lag));
    format!("{table}\n{}\n\n{lag}.\n", sentence::ONE_EVENT)
}

fn verdict(claim: &ClaimReport) -> String {
    match claim.verdict {
        ClaimVerdict::Held => "held".to_owned(),
        other => format!("**{other}**"),
    }
}

fn stages(report: &Report) -> String {
    if report.stages.is_empty() {
        return String::new();
    }
    let legs = legs::legs(&report.stages);
    let rows = report.stages.iter().enumerate().map(|(index, stage)| {
        let before = index.checked_sub(1).map(|i| figure::signed_seconds(legs[i].seconds));
        vec![
            escaped(&stage.name),
            figure::seconds_within(stage.at_seconds, Some(stage.error_seconds)),
            before.unwrap_or_default(),
            escaped(&stage.seen_by),
        ]
    });
    let table = table(&["stage", "at", "after the last", "seen by"], rows);
    let longest = legs::longest(&report.stages)
        .map(|longest| format!("\n{}.\n", inline::capital(&escaped(&longest))));
    format!("### Stages\n\n{table}{}", longest.unwrap_or_default())
}

fn outages(report: &Report) -> String {
    let rows = report.probes.iter().map(|(name, probe)| {
        vec![
            escaped(name),
            figure::percent(probe.availability_by_time),
            figure::percent(probe.availability_by_request),
            escaped(&sentence::outages(probe)),
            escaped(&sentence::errors(&probe.errors)),
        ]
    });
    let heads = ["probe", "available by time", "by request", "outages", "errors"];
    if report.probes.is_empty() {
        return String::new();
    }
    let terms = if sentence::any_outage(report) {
        format!("\n{}\n", inline::capital(&sentence::outage_terms(report)))
    } else {
        String::new()
    };
    format!("### Probes\n\n{}{terms}", table(&heads, rows))
}

fn ledgers(report: &Report) -> String {
    let mut lines = Vec::new();
    for (name, probe) in &report.probes {
        let Some(ledger) = &probe.ledger else { continue };
        lines.push(format!("- {}: {}", escaped(name), escaped(&sentence::ledger(ledger))));
        lines.extend(sentence::loss(ledger).map(|loss| format!("  - {loss}")));
    }
    if lines.is_empty() { String::new() } else { format!("### Ledger\n\n{}\n", lines.join("\n")) }
}

fn faults(report: &Report) -> String {
    if report.injections.is_empty() {
        return String::new();
    }
    let rows = report.injections.iter().map(|injection| {
        let effective = injection.effective_seconds.map_or_else(
            || "never".to_owned(),
            |at| figure::seconds_within(at, injection.error_seconds),
        );
        vec![
            escaped(&injection.kind),
            escaped(&injection.instance),
            effective,
            injection.gone_seconds.map(figure::seconds).unwrap_or_default(),
            escaped(&sentence::ending(injection)),
            escaped(&injection.evidence.join("; ")),
        ]
    });
    let heads = ["fault", "target", "effective", "gone", "ended", "seen"];
    format!("### Faults\n\n{}", table(&heads, rows))
}

fn list(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: Vec<_> = items.iter().map(|item| format!("- {}", escaped(item))).collect();
    format!("### {title}\n\n{}\n", items.join("\n"))
}

fn residue(report: &Report) -> String {
    if report.residue.is_empty() && report.verdict != Outcome::Stuck {
        return format!("{}.\n", inline::capital(sentence::nothing_found(report)));
    }
    let list = list("Still in the world", &report.residue);
    format!("{list}\nRemove it with `{}`.\n", sentence::UNDO)
}

fn surroundings(report: &Report) -> String {
    let e = &report.environment;
    let carriers: Vec<_> = e.carriers.iter().map(|(k, v)| format!("{k} {v}")).collect();
    let carriers = if carriers.is_empty() { "none".to_owned() } else { carriers.join(", ") };
    let rows = [
        ("drill", report.drill.clone()),
        ("started", figure::moment(&report.started)),
        ("squall", report.squall.clone()),
        ("seed", report.seed.to_string()),
        ("digest", report.digest.clone()),
        ("intent digest", report.intent_digest.clone()),
        ("kernel", e.kernel.clone()),
        ("cores, load", format!("{}, {}", e.cores, e.load)),
        ("privilege", e.privilege.clone()),
        ("prober's scheduling", e.prober_scheduling.clone()),
        ("carriers", carriers),
    ];
    let rows = rows.into_iter().map(|(key, value)| vec![key.to_owned(), escaped(&value)]);
    format!(
        "### Drill\n\n{}\nReplay:\n\n```sh\n{}\n```\n\n{}.\n",
        table(&["", ""], rows),
        sentence::replay(report),
        escaped(&sentence::replay_note(report)),
    )
}

pub(super) fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads_line = line(&heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>());
    let rule = format!("|{}\n", "---|".repeat(heads.len()));
    let rows: String = rows.map(|row| line(&row)).collect();
    format!("{heads_line}{rule}{rows}")
}

/// Words of others in one line, with every sign that Markdown reads taken as itself.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inline::one_line(text).chars() {
        match c {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    // A bare address would become a link.
    out.replace("://", ":&#47;&#47;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_stay_words() {
        assert_eq!(escaped("a|b\n<script>"), "a\\|b &lt;script&gt;");
        assert_eq!(escaped("[x](y) `z` *b* _i_"), "\\[x\\](y) \\`z\\` \\*b\\* \\_i\\_");
        assert_eq!(escaped("http://x"), "http:&#47;&#47;x");
    }
}
