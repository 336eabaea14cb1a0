//! Text in columns: widths as a terminal counts them, wrapping, and small grids.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Style, Tone};

/// One cell of a grid.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
    /// Figures stand at the right of their column.
    pub right: bool,
}

impl Cell {
    #[must_use]
    pub fn new(style: &Style, text: &str) -> Cell {
        Cell { text: style.say(text), ..Cell::default() }
    }

    #[must_use]
    pub fn figure(style: &Style, text: &str) -> Cell {
        Cell { right: true, ..Cell::new(style, text) }
    }

    #[must_use]
    pub fn tone(self, tone: Tone) -> Cell {
        Cell { tone, ..self }
    }
}

/// Columns that the text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text cut to that many columns, the cut marked, and filled up with spaces.
#[must_use]
pub fn fitted(text: &str, columns: usize) -> String {
    let mut kept = text.to_owned();
    if width(text) > columns {
        kept.truncate(cut(text, columns.saturating_sub(1)).0.len());
        kept.push('~');
    }
    let missing = columns.saturating_sub(width(&kept));
    kept + &" ".repeat(missing)
}

/// Lines of at most that many columns, broken at spaces, or inside a word that is longer. A
/// figure stays with its unit and its error where the line can hold them.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(4);
    let mut lines = vec![String::new()];
    for word in figures_joined(text, columns) {
        let mut word = word.as_str();
        loop {
            let last = lines.len() - 1;
            let used = width(&lines[last]);
            let gap = usize::from(used > 0);
            if used + gap + width(word) <= columns {
                lines[last].push_str(&" ".repeat(gap));
                lines[last].push_str(word);
                break;
            }
            if used == 0 {
                let (head, tail) = cut(word, columns);
                lines[last].push_str(head);
                word = tail;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// The words of a text, with `2.31 s ± 0.02 s` as one.
fn figures_joined(text: &str, columns: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let unit = matches!(word.trim_end_matches([',', ';', '.']), "s" | "ms" | "±" | "+-");
        match words.last_mut() {
            Some(last)
                if (unit || last.ends_with(['±', '-']))
                    && width(last) + 1 + width(word) <= columns =>
            {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// The text wrapped behind a first prefix; the other lines are indented as far. A prefix that
/// leaves no room is cut.
#[must_use]
pub fn hanging(style: &Style, prefix: &str, text: &str) -> Vec<String> {
    let most = style.columns() / 2;
    let cut = (width(prefix) > most).then(|| fitted(prefix, most - 2) + ": ");
    let prefix = cut.as_deref().unwrap_or(prefix);
    let indent = width(prefix);
    let lines = wrapped(&style.say(text), style.columns().saturating_sub(indent));
    lines
        .into_iter()
        .enumerate()
        .map(
            |(i, line)| if i == 0 { format!("{prefix}{line}") } else { " ".repeat(indent) + &line },
        )
        .collect()
}

/// Rows of cells under each other, two columns indented. One column gives way where the terminal
/// is too narrow: its text wraps. The others are cut only where that is not enough.
#[must_use]
pub fn grid(style: &Style, rows: &[Vec<Cell>], gives_way: usize) -> Vec<String> {
    const GAP: usize = 2;
    const NARROWEST: usize = 8;
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width(&cell.text)).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..count).map(widest).collect();
    let room = style.columns().saturating_sub(count * GAP);
    let excess = widths.iter().sum::<usize>().saturating_sub(room);
    if let Some(flexible) = widths.get_mut(gives_way) {
        *flexible = flexible.saturating_sub(excess).max((*flexible).min(NARROWEST));
    }
    shrink(&mut widths, room);
    rows.iter().flat_map(|row| grid_row(style, row, &widths, gives_way)).collect()
}

/// Takes from the widest column until all fit.
fn shrink(widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > 1 => *widest -= 1,
            _ => return,
        }
    }
}

fn grid_row(style: &Style, row: &[Cell], widths: &[usize], gives_way: usize) -> Vec<String> {
    let wrap = row.get(gives_way).map(|cell| wrapped(&cell.text, widths[gives_way]));
    let height = wrap.as_ref().map_or(1, Vec::len);
    (0..height)
        .map(|line| {
            let mut out = String::new();
            for (column, cell) in row.iter().enumerate() {
                let cut_cell;
                let text = match &wrap {
                    Some(lines) if column == gives_way => lines[line].as_str(),
                    _ if line == 0 && width(&cell.text) > widths[column] => {
                        cut_cell = fitted(&cell.text, widths[column]);
                        cut_cell.as_str()
                    }
                    _ if line == 0 => cell.text.as_str(),
                    _ => "",
                };
                let space = " ".repeat(widths[column].saturating_sub(width(text)));
                let painted = style.paint(cell.tone, text);
                let cell = if cell.right { space + &painted } else { painted + &space };
                out += "  ";
                out += &cell;
            }
            out.trim_end().to_owned()
        })
        .collect()
}

/// As much of the text as fits, and the rest; at least one character, so that work goes on.
fn cut(text: &str, columns: usize) -> (&str, &str) {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns && index > 0 {
            return text.split_at(index);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("主库"), 4);
        assert_eq!(fitted("主库主库", 5), "主库~");
        assert_eq!(width(&fitted("主库主库", 6)), 6);
    }

    #[test]
    fn a_word_longer_than_the_line_is_broken() {
        let lines = wrapped(&format!("a {} b", "x".repeat(25)), 10);
        assert_eq!(lines, ["a", "xxxxxxxxxx", "xxxxxxxxxx", "xxxxx b"]);
    }

    #[test]
    fn a_figure_stays_with_its_unit_and_its_error() {
        assert_eq!(wrapped("seen until 17.00 s", 17), ["seen until", "17.00 s"]);
        assert_eq!(wrapped("took 2.31 s ± 0.02 s, hard", 20), ["took", "2.31 s ± 0.02 s,", "hard"]);
        assert_eq!(wrapped("2.31 s ± 0.02 s", 8), ["2.31 s ±", "0.02 s"]);
    }

    #[test]
    fn a_grid_never_leaves_the_terminal_while_one_column_can_give_way() {
        let style = Style::plain(60);
        let row = |words: &str| {
            vec![Cell::new(&style, "held"), Cell::new(&style, words), Cell::figure(&style, "6 s")]
        };
        let rows = [row("short"), row(&"many words ".repeat(20))];
        let lines = grid(&style, &rows, 1);
        assert!(lines.iter().all(|line| width(line) <= 60), "{lines:#?}");
        assert!(lines[1].ends_with("6 s"), "figures share a right edge: {lines:#?}");
        assert_eq!(width(&lines[0]), width(&lines[1]));
    }

    #[test]
    fn colour_changes_no_width() {
        let style = Style { colour: true, ..Style::plain(80) };
        let plain = Style::plain(80);
        let row = |s: &Style| {
            vec![Cell::new(s, "held").tone(Tone::Held), Cell::new(s, "a"), Cell::new(s, "b")]
        };
        let coloured = grid(&style, &[row(&style)], 1).join("");
        let stripped = anstream_free(&coloured);
        assert_eq!(stripped, grid(&plain, &[row(&plain)], 1).join(""));
    }

    /// Without its escapes.
    fn anstream_free(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\x1b') {
            out += &rest[..at];
            rest = rest[at..].split_once('m').map_or("", |(_, tail)| tail);
        }
        out + rest
    }
}
