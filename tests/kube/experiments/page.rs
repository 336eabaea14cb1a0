//! What came out, as a page of the documentation: one table a lab, each between markers of its own.

use std::fmt::Write as _;

use super::drill::Line;

/// Into the file that `SQUALL_EXPERIMENTS` names; nowhere without it.
pub fn write(lab: &str, lines: &[Line]) {
    let Ok(path) = std::env::var("SQUALL_EXPERIMENTS") else { return };
    let (begin, end) = (format!("<!-- {lab}: begin -->"), format!("<!-- {lab}: end -->"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(&begin).expect("the page has lost a first marker");
    let (_, after) = rest.split_once(&end).expect("the page has lost a last marker");
    let table = table(lines);
    std::fs::write(&path, format!("{before}{begin}\n{table}{end}{after}")).unwrap();
}

fn table(lines: &[Line]) -> String {
    let from = |name: &str| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let mut text = format!("\nCommit `{}`, {}.\n\n", from("SQUALL_COMMIT"), from("SQUALL_DATE"));
    text.push_str("| experiment | verdict | why | what was measured | took |\n");
    text.push_str("|---|---|---|---|---|\n");
    for line in lines {
        let verdict = if line.held { "held" } else { "**deviated**" };
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "| [{file}](../experiments/kubernetes/{file}.yaml): {} | {verdict} | {} | {} | {} s |",
            line.title,
            line.why,
            line.claims.join("; ").replace('|', "\\|"),
            line.took_s,
            file = line.file,
        );
    }
    text.push('\n');
    text
}
