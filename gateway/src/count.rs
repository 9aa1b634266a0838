//! So many of them, in words.

use std::fmt::Display;

/// `1 mail`, `2 mails`, `2 addresses`. `one`: the word for one of them, whose plural has `s` or, behind an `s`, `es`.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str) -> String {
    let ending = match (number == N::from(1), one.ends_with('s')) {
        (true, _) => "",
        (false, true) => "es",
        (false, false) => "s",
    };
    format!("{number} {one}{ending}")
}

/// `1 was erased`, `2 were erased`.
pub(crate) fn agreeing<N: Copy + Display + PartialEq + From<u8>>(
    number: N,
    one: &str,
    many: &str,
) -> String {
    format!("{number} {}", if number == N::from(1) { one } else { many })
}

/// `1,250`: a number as people read it.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!(counted(0_u64, "mail"), "0 mails");
        assert_eq!(counted(1_u64, "mail"), "1 mail");
        assert_eq!(counted(2_usize, "deferred mail"), "2 deferred mails");
        assert_eq!(counted(1_usize, "address"), "1 address");
        assert_eq!(counted(3_usize, "address"), "3 addresses");
        assert_eq!(agreeing(0_u64, "was erased", "were erased"), "0 were erased");
        assert_eq!(agreeing(1_u64, "was erased", "were erased"), "1 was erased");
    }

    #[test]
    fn large_numbers_stand_in_groups_of_three_digits() {
        let numbers = [0, 12, 999, 1_250, 123_456, 1_234_567];
        assert_eq!(numbers.map(grouped).join(" "), "0 12 999 1,250 123,456 1,234,567");
    }
}
