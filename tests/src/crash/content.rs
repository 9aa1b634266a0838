//! The mails of a crash run. Number and length say every byte, so the sink can tell a whole mail
//! from a torn or mixed one without asking the sender.

use std::fmt::Write as _;

/// Writes mail `number` with a body of `lines` lines, dot-stuffed, without the final dot.
pub(super) fn compose(number: u64, lines: u64) -> String {
    let mut mail = format!(
        "From: <kill9@sender.example>\r\n\
         To: undisclosed-recipients:;\r\n\
         Subject: mail {number}\r\n\
         Message-ID: <{number}@kill9.test.example>\r\n\
         {NUMBER} {number}\r\n\
         {LINES} {lines}\r\n\r\n"
    );
    for line in 0..lines {
        let _ = write!(mail, "{}\r\n", body_line(number, line));
    }
    mail
}

/// What a received mail turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The mail with this number, whole.
    Whole(u64),
    /// It names this number, but its body is not that of the mail.
    Torn(u64),
    /// No mail of ours, such as a report.
    Foreign,
}

/// Judges a received mail: its lines as they stood between DATA and the dot, without line ends and
/// without the stuffed dots.
pub(super) fn examine(mail: &[String]) -> Found {
    let head_end = mail.iter().position(String::is_empty).unwrap_or(mail.len());
    let (head, body) = mail.split_at(head_end);
    let Some(number) = header(head, NUMBER) else { return Found::Foreign };
    let Some(lines) = header(head, LINES) else { return Found::Torn(number) };
    let expected = (0..lines).map(|line| body_line(number, line));
    if body.iter().skip(1).cloned().eq(expected) {
        Found::Whole(number)
    } else {
        Found::Torn(number)
    }
}

fn header(head: &[String], name: &str) -> Option<u64> {
    head.iter().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn body_line(number: u64, line: u64) -> String {
    format!("line {line} of mail {number}: to be kept until it is delivered")
}

const NUMBER: &str = "X-Kill9-Number:";
const LINES: &str = "X-Kill9-Lines:";

#[cfg(test)]
mod tests {
    use super::*;

    fn received(mail: &str) -> Vec<String> {
        mail.trim_end_matches("\r\n").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_whole_mail_is_recognised_below_added_headers() {
        let mail = format!("Received: from somewhere\r\n{}", compose(7, 3));
        assert_eq!(examine(&received(&mail)), Found::Whole(7));
    }

    #[test]
    fn a_mail_that_lost_its_last_line_is_torn() {
        let mut mail = received(&compose(7, 3));
        mail.pop();
        assert_eq!(examine(&mail), Found::Torn(7));
    }

    #[test]
    fn a_mail_with_a_line_of_another_is_torn() {
        let mut mail = received(&compose(7, 3));
        *mail.last_mut().unwrap() = body_line(8, 2);
        assert_eq!(examine(&mail), Found::Torn(7));
    }

    #[test]
    fn a_report_is_foreign() {
        assert_eq!(examine(&received("Subject: Undelivered Mail\r\n\r\nsorry")), Found::Foreign);
    }
}
