//! Coordinates and widths of text.

/// A coordinate, to a tenth of a unit.
#[must_use]
pub fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// How wide a text of the drawing's size is, guessed generously: there is no font to ask.
#[must_use]
pub fn text_width(text: &str) -> f64 {
    text.chars().map(character).sum()
}

/// The text cut to that width.
#[must_use]
pub fn clipped(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let mut used = character('…');
    let kept = text.chars().take_while(|c| {
        used += character(*c);
        used <= width
    });
    kept.collect::<String>().trim_end().to_owned() + "…"
}

/// Units at a font size of 11.
fn character(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' => 3.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 10.0,
        'A'..='Z' => 7.6,
        c if c.is_ascii() => 6.3,
        '…' | '±' | '≥' => 9.0,
        // East Asian and other wide letters.
        _ => 11.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!(px(12.0), "12");
        assert_eq!(px(12.04), "12");
        assert_eq!(px(12.26), "12.3");
        assert_eq!(px(-0.5), "-0.5");
    }

    #[test]
    fn a_cut_text_fits() {
        let text = "a rather long name of an instance";
        let cut = clipped(text, 90.0);
        assert!(text_width(&cut) <= 90.0 && cut.ends_with('…') && cut.len() > 8, "{cut}");
        assert_eq!(clipped("redis@r1", 90.0), "redis@r1");
    }
}
