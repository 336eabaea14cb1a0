//! Tables: a head per column, figures at the right, and on a phone either a scroll box of their
//! own or rows that stack.

use maud::{Markup, html};

use crate::report::inline;

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub head: &'static str,
    pub class: &'static str,
}

/// How a table behaves where it is too wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// It scrolls in its own box.
    Scrolls,
    /// Each row becomes a small list.
    Stacks,
}

/// A column of words.
pub const fn words(head: &'static str) -> Column {
    Column { head, class: "say" }
}

/// A column of short words that do not break.
pub const fn word(head: &'static str) -> Column {
    Column { head, class: "word" }
}

/// A column of figures.
pub const fn figures(head: &'static str) -> Column {
    Column { head, class: "n" }
}

/// A table; the first cell of each row is its head.
pub fn table(caption: &str, columns: &[Column], narrow: Narrow, rows: Vec<Vec<Markup>>) -> Markup {
    let stack = narrow == Narrow::Stacks;
    let body = html! {
        table class=[stack.then_some("stack")] role="table" {
            caption { (caption) }
            thead role="rowgroup" { tr role="row" { @for column in columns {
                th class=(column.class) scope="col" role="columnheader" { (column.head) }
            } } }
            tbody role="rowgroup" { @for row in rows { tr role="row" {
                @for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
                    @if index == 0 {
                        th scope="row" role="rowheader" { (cell) }
                    } @else {
                        td class=(column.class) role="cell" data-label=[label(stack, column)] { (cell) }
                    }
                }
            } } }
        }
    };
    html! { div class="scroll" role="region" tabindex="0" aria-label=(caption) { (body) } }
}

fn label(stack: bool, column: &Column) -> Option<&'static str> {
    (stack && !column.head.is_empty()).then_some(column.head)
}

/// Words of others in a cell.
pub fn say(text: &str) -> Markup {
    html! { (inline::one_line(text)) }
}
