//! Text within the columns of a terminal.

/// Columns that every terminal has.
pub(super) const COLUMNS: usize = 80;

/// How wide text is on a terminal: Korean, Chinese and Japanese take two columns a character.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Text in lines of at most so many columns, broken between words. A word that is longer stays whole, so that it can be copied.
/// There is at least one line.
pub(super) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut column) = (String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let wide = columns(word);
        if column > 0 && column + 1 + wide > most {
            lines.push(std::mem::take(&mut line));
            column = 0;
        } else if column > 0 {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += wide;
    }
    lines.push(line);
    lines
}

/// Text without words of more than so many columns: what is longer becomes several.
pub(super) fn with_short_words(text: &str, most: usize) -> String {
    let mut short = String::with_capacity(text.len());
    let mut column = 0;
    for character in text.chars() {
        let wide = width(character);
        if character == ' ' {
            column = 0;
        } else if column > 0 && column + wide > most {
            short.push(' ');
            column = wide;
        } else {
            column += wide;
        }
        short.push(character);
    }
    short
}

fn width(character: char) -> usize {
    let is_wide = matches!(u32::from(character), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd);
    1 + usize::from(is_wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a longerthanaline b", 6), ["a", "longerthanaline", "b"]);
        assert_eq!(wrapped("", 6), [""]);
        assert_eq!(with_short_words("a longerthanaline b", 6), "a longer thanal ine b");
    }

    #[test]
    fn characters_of_two_columns_count_as_two() {
        assert_eq!(columns("안녕 a"), 6);
        assert_eq!(with_short_words("안녕하세요 a", 6), "안녕하 세요 a");
        let text = with_short_words(&"광고 free 中文 money".repeat(9), 11);
        assert!(wrapped(&text, 11).iter().all(|line| columns(line) <= 11));
    }
}
