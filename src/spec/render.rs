//! Draws findings as a compiler does: the message, the line it is about with the part marked, and
//! the remedy under it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

use super::finding::{Finding, Severity};

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// ASCII without colour.
    Plain,
    /// With colour, for a terminal.
    Colour,
}

/// All findings and a line that counts them.
#[must_use]
pub fn render(findings: &[Finding], look: Look) -> String {
    let renderer = match look {
        Look::Plain => Renderer::plain(),
        Look::Colour => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for finding in findings {
        text.push_str(&draw(finding, &renderer));
        text.push_str("\n\n");
    }
    text.push_str(&count(findings));
    text
}

fn draw(finding: &Finding, renderer: &Renderer) -> String {
    let (level, primary) = match finding.severity {
        Severity::Error => (Level::ERROR, AnnotationKind::Primary),
        Severity::Warning => (Level::WARNING, AnnotationKind::Primary),
    };
    let title = level.primary_title(finding.message.as_str());
    let mut group = match &finding.source {
        Some(source) => {
            let line = source.line(finding.line);
            let marked = finding.span.start - line.start..finding.span.end - line.start;
            let shown = &source.text[line];
            title.element(
                Snippet::source(shown)
                    .line_start(finding.line)
                    .path(finding.file.as_str())
                    .annotation(primary.span(marked)),
            )
        }
        None => {
            Group::with_title(title).element(annotate_snippets::Origin::path(finding.file.as_str()))
        }
    };
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// `2 errors and 1 warning`.
fn count(findings: &[Finding]) -> String {
    let of = |severity: Severity, word: &str| {
        let n = findings.iter().filter(|finding| finding.severity == severity).count();
        (n > 0).then(|| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
    };
    let counts: Vec<String> = [of(Severity::Error, "error"), of(Severity::Warning, "warning")]
        .into_iter()
        .flatten()
        .collect();
    format!("{}\n", counts.join(" and "))
}
