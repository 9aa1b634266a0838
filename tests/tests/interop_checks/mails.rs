//! Mails made at random of what the rules look for, in the forms that mails come in.

use crate::random::Random;

/// The content of a mail, in lines that end with CRLF.
pub(crate) fn content(random: &mut Random) -> Vec<u8> {
    let mut mail = Vec::new();
    for header in USUAL {
        headers(random, &mut mail);
        line(&mut mail, header);
    }
    headers(random, &mut mail);
    if random.once_in(12) {
        line(&mut mail, "no header, and no empty line before");
        for _ in 0..random.below(4) {
            line(&mut mail, random.pick(FULL_LINES));
        }
        return mail;
    }
    entity(random, 0, &mut mail);
    mail
}

/// Any number of headers that rules are about.
fn headers(random: &mut Random, mail: &mut Vec<u8>) {
    while random.once_in(3) {
        let name = random.pick(&["X-Do", "X-Do", "X-Do", "x-do", "X-DO"]);
        let colon = random.pick(&[": ", ": ", ": ", ": ", ":", " : ", ":\t"]);
        let end = random.pick(&["", "", "", "", "", " ", "\r\n\tand more last", "\r\n "]);
        let act = action(random);
        line(mail, &format!("{name}{colon}{act}{end}"));
    }
    while random.once_in(3) {
        line(mail, random.pick(HEADERS));
    }
    if random.once_in(40) {
        let (before, behind) = (random.below(4000), random.below(4000));
        line(mail, &format!("X-Long: {}needle{}", "a b ".repeat(before), " c d".repeat(behind)));
    }
}

/// Most mails go on to the end, so that all their rules count.
fn action(random: &mut Random) -> &'static str {
    if random.once_in(5) { random.pick(ENDS) } else { random.pick(ACTIONS) }
}

/// Content headers, an empty line and a body.
fn entity(random: &mut Random, depth: usize, mail: &mut Vec<u8>) {
    match random.below(if depth < 3 { 6 } else { 2 }) {
        0 => text(random, "", mail),
        1 => {
            line(mail, random.pick(CONTENT_HEADERS));
            let header = random.pick(CONTENT_HEADERS);
            text(random, header, mail);
        }
        2 => {
            line(
                mail,
                random.pick(&["Content-Type: message/rfc822", "content-type:message/rfc822"]),
            );
            line(mail, "");
            nested(random, depth, mail);
        }
        _ => multipart(random, depth, mail),
    }
}

fn nested(random: &mut Random, depth: usize, mail: &mut Vec<u8>) {
    line(mail, "Received: from a by b; Fri, 20 Nov 2026 21:30:05 +0000");
    headers(random, mail);
    line(mail, random.pick(&["Subject: the inner", "Subject: the other", "Subject:inner"]));
    entity(random, depth + 1, mail);
}

fn multipart(random: &mut Random, depth: usize, mail: &mut Vec<u8>) {
    let boundary = format!("{}{depth}", random.pick(&["b", "=_next", "a b", "----x"]));
    let kind = random.pick(&["mixed", "alternative", "related", "digest"]);
    let quote = if random.once_in(3) && !boundary.contains(' ') { "" } else { "\"" };
    let fold = random.pick(&[" ", "\r\n\t", "\r\n "]);
    line(mail, &format!("Content-Type: multipart/{kind};{fold}boundary={quote}{boundary}{quote}"));
    line(mail, random.pick(&["MIME-Version: 1.0", "MIME-Version: 1.0 (x)", "Mime-version: 2"]));
    line(mail, "");
    if random.once_in(2) {
        line(mail, random.pick(LINES));
    }
    for _ in 0..random.below(4) {
        line(mail, &format!("--{boundary}"));
        headers_of_part(random, mail);
        match kind {
            "digest" if random.once_in(2) => {
                line(mail, "");
                nested(random, depth, mail);
            }
            _ => entity(random, depth + 1, mail),
        }
    }
    if !random.once_in(6) {
        line(mail, &format!("--{boundary}--"));
        if random.once_in(3) {
            line(mail, random.pick(LINES));
        }
    }
}

fn headers_of_part(random: &mut Random, mail: &mut Vec<u8>) {
    while random.once_in(2) {
        line(mail, random.pick(CONTENT_HEADERS));
    }
    if random.once_in(3) {
        headers(random, mail);
    }
}

fn text(random: &mut Random, header: &str, mail: &mut Vec<u8>) {
    if !header.is_empty() {
        line(mail, header);
    }
    if !random.once_in(15) {
        line(mail, "");
    }
    while !random.once_in(6) {
        line(mail, random.pick(LINES));
    }
    if random.once_in(4) {
        line(mail, &format!("do: {}", action(random)));
    }
    if random.once_in(25) {
        line(mail, &format!("{}y", "x".repeat(random.below(5000))));
    }
    if random.once_in(20) {
        for number in 0..random.below(6000) {
            line(mail, &format!("marker {number}"));
        }
    }
}

fn line(mail: &mut Vec<u8>, text: &str) {
    mail.extend_from_slice(text.as_bytes());
    mail.extend_from_slice(b"\r\n");
}

/// What Postfix would add.
const USUAL: [&str; 4] = [
    "From: a@client.example",
    "To: user@local.example",
    "Date: Fri, 20 Nov 2026 21:30:05 +0000",
    "Message-ID: <1@client.example>",
];

const ENDS: &[&str] = &[
    "reject",
    "reject spam",
    "code 5",
    "code 4",
    "code 2",
    "price 7",
    "discard",
    "discard it",
    "glued",
];

const ACTIONS: &[&str] = &[
    "hold",
    "hold for a person",
    "filter",
    "filter empty",
    "filter bad",
    "redirect",
    "redirect me",
    "redirect me bad",
    "bcc",
    "bcc one",
    "bcc two",
    "bcc three bad",
    "ignore",
    "ignore me",
    "strip",
    "strip me",
    "info",
    "info a b",
    "warn",
    "warn a b",
    "pass",
    "pass it",
    "prepend",
    "prepend one",
    "prepend one bad",
    "replace",
    "replace one",
    "replace one bad",
    "dunno",
    "dunno yet",
    "ok",
    "case",
    "unknown",
    "keep me",
    "\r\n  folded",
    "something last",
    "mime",
    "part",
    "never",
];

const HEADERS: &[&str] = &[
    "Subject: a mail",
    "Subject: make money now",
    "Subject: =?utf-8?q?=EA=B4=91=EA=B3=A0?=",
    "Subject: 광고 편지",
    "X-Folded: one\r\n two",
    "X-Folded: one\r\n\ttwo\r\n\tthree",
    "X-Korean: 여기 광고 있음",
    "X-Korean: 성인",
    "X-Empty:",
    "X-Empty: ",
    "X-Multi: a\r\n b",
    "X-Multi: a\r\n b\r\n c",
    "X-Space: a b c # d",
    "X-Upper: A",
    "X-Numbers: 11112222",
    "X-Control: a\tb\u{1}c",
    "Reply-To: \"x, y\" <c@client.example>",
];

const CONTENT_HEADERS: &[&str] = &[
    "Content-Type: text/plain",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Type: text/html",
    "Content-Type: application/octet-stream; name=\"photo.exe\"",
    "Content-Type: application/octet-stream;\r\n\tname=\"photo.jpg.SCR\"",
    "Content-Type: application/zip; name=a.zip",
    "Content-Disposition: attachment",
    "Content-Disposition: attachment;\r\n filename=\"a.pif\"; name=b",
    "Content-Description: a part",
    "Content-ID: <1@client.example>",
    "Content-Transfer-Encoding: 8bit",
    "Content-Transfer-Encoding: x-odd",
    "Content-Language: ko",
    "MIME-Version: 1.0",
    "Subject: of a part",
    "X-Do: part",
];

const LINES: &[&str] = &[
    "text",
    "text",
    "text",
    "",
    ".",
    ".dot",
    "..",
    "광고입니다",
    "Subject: in a body",
    "--b0",
    "--b1--",
    "--",
    " white",
    "trailing ",
    "marker 7",
];

const FULL_LINES: &[&str] = &["text", "do: replace it", "marker 7", "광고입니다"];
