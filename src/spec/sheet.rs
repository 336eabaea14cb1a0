//! The sheet on which the findings about one file are collected.

use std::ops::Range;
use std::sync::Arc;

use super::finding::{Code, Finding, Severity, printable};
use super::source::Source;
use super::tree::Node;

/// More than this nobody reads at once.
const FINDINGS_MAX: usize = 100;

/// Findings about one source, in the order in which they were found.
#[derive(Debug)]
pub(super) struct Sheet {
    pub source: Arc<Source>,
    pub findings: Vec<Finding>,
}

/// A finding just written down, to which a remedy can be added.
pub(super) struct Noted<'s>(Option<&'s mut Finding>);

impl Sheet {
    pub fn new(source: Arc<Source>) -> Sheet {
        Sheet { source, findings: Vec::new() }
    }

    pub fn error(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Noted<'_> {
        self.note(Severity::Error, code, span, &message.into())
    }

    pub fn warning(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Noted<'_> {
        self.note(Severity::Warning, code, span, &message.into())
    }

    /// The same thing at the same place is said once: an anchor is decoded wherever it is used.
    fn note(
        &mut self,
        severity: Severity,
        code: Code,
        span: Range<usize>,
        message: &str,
    ) -> Noted<'_> {
        let blank = Finding::of_file(code, &self.source.path, printable(message));
        let finding = Finding::within(&self.source, span, Finding { severity, ..blank });
        let known = self.findings.iter().any(|other| {
            (other.code, &other.span, &other.message)
                == (finding.code, &finding.span, &finding.message)
        });
        if known || self.is_full() {
            return Noted(None);
        }
        self.findings.push(finding);
        Noted(self.findings.last_mut())
    }

    pub fn is_full(&self) -> bool {
        self.findings.len() >= FINDINGS_MAX
    }

    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Has anything been found wrong within this node?
    pub fn is_clean(&self, node: &Node) -> bool {
        !self.findings.iter().any(|finding| {
            finding.severity == Severity::Error
                && finding.source.as_ref().is_some_and(|s| Arc::ptr_eq(s, &self.source))
                && node.span.start <= finding.span.start
                && finding.span.end <= node.span.end
        })
    }

    /// In the order of the text; errors and warnings as they stand there.
    pub fn sorted(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| {
            let foreign = !finding.source.as_ref().is_some_and(|s| Arc::ptr_eq(s, &self.source));
            (foreign, finding.span.start, finding.severity)
        });
        if self.is_full() {
            let note = format!("these are the first {FINDINGS_MAX} findings; there are more");
            let more = Finding::of_file(Code::More, &self.source.path, note);
            self.findings.push(more.help("mend these first"));
        }
        self.findings
    }
}

impl Noted<'_> {
    pub fn help(self, help: impl Into<String>) {
        if let Some(finding) = self.0 {
            finding.help = Some(printable(&help.into()));
        }
    }
}
