//! Fills in the templates of a lab's document (Jinja; an unknown variable is an error). What they
//! may speak of is [`Vocabulary`].

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::model::inventory::Candidate;
use crate::model::layout::Layout;
use crate::model::vocabulary::Vocabulary;

/// All that templates of one lab may speak of.
pub struct Templates {
    engine: Environment<'static>,
    vocabulary: Vocabulary,
}

impl Templates {
    pub fn of(layout: &Layout) -> Templates {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        engine.set_keep_trailing_newline(true);
        Templates { engine, vocabulary: Vocabulary::of(layout) }
    }

    /// Errors: what is wrong with the template, in words, with its line.
    pub fn fill(&self, text: &str, of: &Candidate, dir: &str) -> Result<String, String> {
        self.engine.render_str(text, self.vocabulary.words(of, dir)).map_err(|e| {
            let line = e.line().map(|l| format!(" in line {l} of it")).unwrap_or_default();
            let detail = e.detail().map(|d| format!(": {d}")).unwrap_or_default();
            format!("{}{detail}{line}", e.kind())
        })
    }
}
