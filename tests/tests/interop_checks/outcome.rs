//! What became of a mail, in words that are the same for both.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use mailweir_tests::sink::Received;

/// What became of one mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What the client heard in the end, without the id.
    pub(crate) reply: String,
    /// Whether it was on hold, before it was released.
    pub(crate) was_held: bool,
    /// Who got it at which sink, and what.
    pub(crate) copies: BTreeMap<&'static str, Copy>,
    /// What the log says of the rules.
    pub(crate) log: Vec<String>,
}

/// What came at one sink, however it was divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) recipients: BTreeSet<String>,
    pub(crate) contents: BTreeSet<Vec<u8>>,
}

impl Outcome {
    /// Takes note of a mail at a sink.
    pub(crate) fn add(&mut self, sink: &'static str, mail: &Received, hostname: &str) {
        let copy = self.copies.entry(sink).or_default();
        copy.recipients.extend(mail.rcpt.iter().map(|argument| recipient(argument)));
        let content = without_trace(&mail.content(), hostname);
        copy.contents.insert(without_space_before_colon(&content));
    }
}

/// Whether two outcomes are one but for the empty line that Postfix puts behind a header that ends
/// with text, and those that we put behind such headers of parts.
pub(crate) fn differ_in_empty_lines_only(postfix: &Outcome, gateway: &Outcome) -> bool {
    let without_contents = |outcome: &Outcome| {
        let mut outcome = outcome.clone();
        outcome.copies.values_mut().for_each(|copy| copy.contents.clear());
        outcome
    };
    let contents = |outcome: &Outcome| {
        let contents = outcome.copies.values().flat_map(|copy| &copy.contents);
        contents.cloned().collect::<Vec<_>>()
    };
    let (theirs, ours) = (contents(postfix), contents(gateway));
    without_contents(postfix) == without_contents(gateway)
        && theirs.len() == ours.len()
        && theirs.iter().zip(&ours).all(|(theirs, ours)| differ_by_empty_lines(theirs, ours))
}

fn differ_by_empty_lines(theirs: &[u8], ours: &[u8]) -> bool {
    let lines = |content: &'_ [u8]| -> Vec<Vec<u8>> {
        content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let theirs = lines(theirs);
    let mut theirs = theirs.iter().peekable();
    let mut may_add = true;
    for line in lines(ours) {
        if may_add && line != b"\r\n" && theirs.next_if(|next| *next == b"\r\n").is_some() {
            may_add = false;
        }
        let is_equal = theirs.next_if(|next| **next == line).is_some();
        if !is_equal && line != b"\r\n" {
            return false;
        }
        may_add &= line != b"\r\n";
    }
    theirs.next().is_none()
}

/// A reply without the id of the mail.
pub(crate) fn said(reply: &str) -> String {
    reply.split_once("queued as ").map_or(reply, |(words, _)| words).to_owned()
}

/// An argument of RCPT without ORCPT, and for whom mail was redirected without NOTIFY.
fn recipient(argument: &str) -> String {
    let is_redirected = argument.contains("@redirect.example>");
    let is_left_out =
        |word: &&str| word.starts_with("ORCPT=") || is_redirected && word.starts_with("NOTIFY=");
    argument.split(' ').filter(|word| !is_left_out(word)).collect::<Vec<_>>().join(" ")
}

/// The content without the Received header of `hostname`, wherever it stands.
fn without_trace(content: &[u8], hostname: &str) -> Vec<u8> {
    let by = format!("by {hostname} ");
    let mut kept = Vec::new();
    let mut header: Vec<&[u8]> = Vec::new();
    let mut lines = content.split_inclusive(|&byte| byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        header.push(line);
        if lines.peek().is_some_and(|next| next.starts_with(b" ") || next.starts_with(b"\t")) {
            continue;
        }
        let text = header.concat();
        header.clear();
        let is_ours = text.starts_with(b"Received: ") && contains(&text, by.as_bytes());
        if !is_ours {
            kept.extend_from_slice(&text);
        }
    }
    kept
}

fn without_space_before_colon(content: &[u8]) -> Vec<u8> {
    let lines = content.split_inclusive(|&byte| byte == b'\n');
    let line = |line: &[u8]| match line.split_first_chunk::<5>() {
        Some((name, rest)) if name.eq_ignore_ascii_case(b"x-do ") && rest.starts_with(b":") => {
            [&name[..4], rest].concat()
        }
        _ => line.to_vec(),
    };
    lines.flat_map(line).collect()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Where two outcomes begin to differ, with some lines before and behind.
pub(crate) fn difference(postfix: &Outcome, gateway: &Outcome) -> String {
    let (theirs, ours) = (postfix.to_string(), gateway.to_string());
    let equal = theirs.lines().zip(ours.lines()).take_while(|(left, right)| left == right).count();
    let around = |text: &str| {
        let lines = text.lines().skip(equal.saturating_sub(6)).take(12);
        lines.map(|line| format!("  {}\n", short(line))).collect::<String>()
    };
    format!("Postfix:\n{}Mailweir:\n{}", around(&theirs), around(&ours))
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "said {:?}", self.reply)?;
        writeln!(f, "on hold: {}", self.was_held)?;
        for (sink, Copy { recipients, contents }) in &self.copies {
            writeln!(f, "at {sink} for {recipients:?}")?;
            let lines = contents.iter().flat_map(|content| content.split(|&byte| byte == b'\n'));
            for line in lines {
                writeln!(f, "| {}", String::from_utf8_lossy(line).escape_debug())?;
            }
        }
        self.log.iter().try_for_each(|line| writeln!(f, "log {line:?}"))
    }
}

/// Content for a person: long content is cut.
pub(crate) fn indented(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let lines = text.lines().take(60).map(|line| format!("  | {}\n", short(line)));
    lines.collect()
}

fn short(line: &str) -> String {
    line.escape_debug().take(150).collect()
}
