//! Mails that want to be more than is read.

use super::*;

fn count(told: &[String], start: &str) -> usize {
    told.iter().filter(|line| line.starts_with(start)).count()
}

#[test]
fn e1_of_100_000_fields_the_first_are_told() {
    let mail = "X: y\r\n".repeat(100_000);
    let told = told(mail.as_bytes());
    assert_eq!(count(&told, "field"), Limits::default().fields);
    assert_eq!(count(&told, "trouble TooManyFields"), 1);
}

#[test]
fn e1_fields_have_a_limit_in_bytes_too() {
    let mail = format!("X: {}\r\n", "y".repeat(60_000)).repeat(20);
    assert_eq!(count(&told(mail.as_bytes()), "field"), 4);
}

#[test]
fn e2_only_some_texts_are_read() {
    let part = "--b\r\n\r\ntext\r\n";
    let mail = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", part.repeat(500));
    let limits = Limits { texts: 10, ..Limits::default() };
    let told = told_within(mail.as_bytes(), limits);
    // One of them is what stands between the parts.
    assert_eq!(count(&told, "Plain"), 9);
    assert_eq!(count(&told, "trouble TooManyTexts"), 1);
    assert_eq!(count(&told, "part"), 501);
}

#[test]
fn a_long_text_is_told_up_to_its_limit() {
    for kind in ["text/plain", "text/html"] {
        let mail = format!("Content-Type: {kind}\r\n\r\n{}", "word ".repeat(400_000));
        let told = told(mail.as_bytes());
        let lines =
            told.iter().filter(|told| told.starts_with("Plain") || told.starts_with("Html"));
        let length: usize = lines.map(String::len).sum();
        assert!((250_000..280_000).contains(&length), "{kind} {length}");
        assert_eq!(count(&told, "trouble LongText"), 1, "{kind}");
    }
}

#[test]
fn elements_have_bounds() {
    let attributes: String = (0..1_000).map(|number| format!(" a{number}=b")).collect();
    let long = "c".repeat(100_000);
    let body = format!("<p{attributes}><p title='{long}'><a href='{long}'>{long}</a>");
    struct Most(usize, usize);
    impl Listener for Most {
        fn element(&mut self, element: &Element) {
            self.0 = self.0.max(element.attributes().count());
            self.1 =
                self.1.max(element.attributes().map(|(_, value)| value.len()).max().unwrap_or(0));
        }
        fn link(&mut self, link: &Link<'_>) {
            assert!(link.address.len() <= LONGEST_LINK && link.shown.len() <= LONGEST_SHOWN);
        }
    }
    let mut most = Most(0, 0);
    let mail = format!("Content-Type: text/html\r\n\r\n{body}");
    read(mail.as_bytes(), Limits::default(), Fallbacks::default(), &mut most);
    assert_eq!((most.0, most.1), (MOST_ATTRIBUTES, LONGEST_LINK));
}
