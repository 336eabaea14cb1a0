//! Tables: a head per column, figures at the right. On a phone each row becomes a small list, so
//! that no figure hides beyond an edge; where a table is too wide all the same, it scrolls in its
//! own box.

use maud::{Markup, html};

use crate::report::inline;

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub head: &'static str,
    pub class: &'static str,
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
pub fn table(caption: &str, columns: &[Column], rows: Vec<Vec<Markup>>) -> Markup {
    let body = html! {
        table role="table" aria-label=(caption) {
            thead role="rowgroup" { tr role="row" { @for column in columns {
                th class=(column.class) scope="col" role="columnheader" { (column.head) }
            } } }
            tbody role="rowgroup" { @for row in rows { tr role="row" {
                @for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
                    @if index == 0 {
                        th scope="row" role="rowheader" { (cell) }
                    } @else {
                        td class=(column.class) role="cell" data-label=[label(column)] { (cell) }
                    }
                }
            } } }
        }
    };
    // Outside of the box: it must be read without scrolling.
    html! {
        p class="caption" { (caption) }
        div class="scroll" role="region" tabindex="0" aria-label=(caption) { (body) }
    }
}

fn label(column: &Column) -> Option<&'static str> {
    (!column.head.is_empty()).then_some(column.head)
}

/// Words of others in a cell.
pub fn say(text: &str) -> Markup {
    html! { (inline::one_line(text)) }
}
