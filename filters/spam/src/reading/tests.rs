//! What a reader tells, in words.

mod bounds;
mod markup;
mod sights;
mod told;

use proptest::prelude::*;

use super::*;
use mailweir_content::decode::parts::{Part, PartId};

/// Writes down what it hears.
#[derive(Default)]
struct Record(Vec<String>);

impl Listener for Record {
    fn field(&mut self, field: &Field<'_>) {
        self.0.push(format!("field {} {}={}", field.depth, field.name, field.value));
    }

    fn part(&mut self, part: &Part) {
        self.0.push(format!("part {}", part.content_type));
    }

    fn text(&mut self, text: &Text<'_>) {
        self.0.push(format!("{:?} {}", text.source, text.line));
    }

    fn element(&mut self, element: &Element) {
        self.0.push(format!("element {}", element.name()));
    }

    fn end_element(&mut self, name: &str) {
        self.0.push(format!("end {name}"));
    }

    fn run(&mut self, run: &Run<'_>) {
        self.0.push(format!("run {:?} {}", run.sight, run.text));
    }

    fn comment(&mut self, comment: &str) {
        self.0.push(format!("comment {comment}"));
    }

    fn link(&mut self, link: &Link<'_>) {
        self.0.push(format!("{:?} {} [{}]", link.origin, link.address, link.shown));
    }

    fn end_part(&mut self, part: PartId) {
        self.0.push(format!("over: part {}", part.number()));
    }

    fn trouble(&mut self, trouble: Trouble) {
        self.0.push(format!("trouble {trouble:?}"));
    }
}

fn told(mail: &[u8]) -> Vec<String> {
    told_within(mail, Limits::default())
}

fn told_within(mail: &[u8], limits: Limits) -> Vec<String> {
    let mut record = Record::default();
    read(mail, limits, Fallbacks::default(), &mut record);
    record.0
}

/// What is told of the body of a mail of this type.
fn told_of(content_type: &str, body: &str) -> Vec<String> {
    let mail = format!("Content-Type: {content_type}\r\n\r\n{body}");
    told(mail.as_bytes()).split_off(2)
}

const MAIL: &str = "From x@example.com Mon Nov 23 22:57:20 2026\n\
    Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: multipart/mixed; boundary=b; boundary=c\r\n\r\n\
    before\r\n--b\r\n\r\nplain www.example.com\r\n--c\r\nContent-Type: text/html\r\n\r\n\
    <p>Free<b>dom</b> <a href=x://y>z</a><i style='display:none'>no</i>\r\n--b\r\n\
    Content-Type: text/plain; charset=euc-kr\r\n\r\n\u{fffd}\r\n--b--\r\nafter\r\n";

proptest! {
    #[test]
    fn how_a_mail_is_divided_changes_nothing(
        cuts in proptest::collection::vec(0..MAIL.len(), 0..12), times in 1_usize..40,
    ) {
        let mail = MAIL.repeat(times);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut * times).collect();
        cuts.sort_unstable();
        let mut record = Record::default();
        let mut reader = Reader::new(Limits::default(), Fallbacks::default());
        let mut from = 0;
        for cut in cuts.into_iter().chain([mail.len()]) {
            reader.feed(&mail.as_bytes()[from..cut], &mut record);
            from = cut;
        }
        reader.finish(&mut record);
        prop_assert_eq!(record.0, told(mail.as_bytes()));
    }

    #[test]
    fn no_input_panics(
        header in "[A-Za-z:;=/\"\r\n -]{0,80}",
        body in proptest::collection::vec(any::<u8>(), 0..200),
        is_html in any::<bool>(),
    ) {
        let kind = if is_html { "text/html" } else { "text/plain" };
        let head = format!("Content-Type: {kind}\r\n{header}\r\n\r\n");
        let _ = told(&[head.as_bytes(), &body].concat());
    }
}
