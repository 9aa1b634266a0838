//! Types of what is written in letters, by its first words.

use std::borrow::Cow;

use super::kind::Kind;
use crate::bytes;

/// The type that the head of a text shows, or `None` for what is plain text or no text.
pub(super) fn judge(head: &[u8]) -> Option<Kind> {
    if head.starts_with(b"#!") {
        return Some(Kind::SCRIPT);
    }
    let plain = plain(head);
    let words = plain.trim_ascii_start();
    let begins = FIRST_WORDS.iter().find(|(first, _)| begins_with(words, first));
    let kind = begins.map(|&(_, kind)| kind);
    // All markup has a tag somewhere.
    kind.or_else(|| memchr::memchr(b'<', words).and_then(|_| markup(&words.to_ascii_lowercase())))
}

fn begins_with(words: &[u8], first: &[u8]) -> bool {
    words.get(..first.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(first))
}

/// Whether this reads as text: UTF-16 with its mark, or no control characters but white space and
/// escape (MIME Sniffing Standard, section 3, binary data bytes).
pub(super) fn is_text(head: &[u8]) -> bool {
    let has_mark = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    has_mark || bytes::are_text(head)
}

/// Whether a head is that of a PDF. Readers look for it in the first 1024 bytes.
pub(super) fn is_pdf(head: &[u8]) -> bool {
    let window = head.get(..1024).unwrap_or(head);
    memchr::memchr_iter(b'%', window).any(|at| window[at..].starts_with(b"%PDF-"))
}

fn markup(words: &[u8]) -> Option<Kind> {
    if memchr::memmem::find(words, b"<hta:application").is_some() {
        return Some(Kind::HTA);
    }
    if is_html(words) {
        return Some(Kind::HTML);
    }
    let is_xml = words.starts_with(b"<?xml");
    let is_svg = is_xml || words.starts_with(b"<svg") || words.starts_with(b"<!doctype svg");
    if is_svg && memchr::memmem::find(words, b"<svg").is_some() {
        return Some(Kind::SVG);
    }
    if is_xml && memchr::memmem::find(words, b"<html").is_some() {
        return Some(Kind::HTML);
    }
    is_xml.then_some(Kind::XML)
}

/// MIME Sniffing Standard, section 7.1: a tag, and behind it a space or its end.
fn is_html(words: &[u8]) -> bool {
    let Some(tag) = words.strip_prefix(b"<") else { return false };
    let ends = |rest: &[u8]| {
        matches!(rest.first(), None | Some(b' ' | b'>' | b'\t' | b'\n' | b'\r' | b'/'))
    };
    tag.starts_with(b"!--") || HTML.iter().any(|name| tag.strip_prefix(*name).is_some_and(ends))
}

/// Without a mark of the byte order, and as single bytes even if it is UTF-16.
fn plain(head: &[u8]) -> Cow<'_, [u8]> {
    let mark = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"];
    let text = mark.iter().find_map(|mark| head.strip_prefix(*mark)).unwrap_or(head);
    match memchr::memchr(0, text) {
        None => Cow::Borrowed(text),
        Some(_) => text.iter().copied().filter(|byte| *byte != 0).collect(),
    }
}

const FIRST_WORDS: &[(&[u8], Kind)] = &[
    (b"{\\rt", Kind::RTF),
    (b"@echo off", Kind::BATCH),
    (b"[internetshortcut]", Kind::URL),
    (b"regedit4", Kind::REG),
    (b"windows registry editor version", Kind::REG),
    (b"-----begin ", Kind::PEM),
    (b"id;p", Kind::SYLK),
    (b"%!ps", Kind::POSTSCRIPT),
    (b"mime-version:", Kind::MAIL),
];

const HTML: &[&[u8]] = &[
    b"!doctype html",
    b"html",
    b"head",
    b"script",
    b"iframe",
    b"h1",
    b"div",
    b"font",
    b"table",
    b"a",
    b"style",
    b"title",
    b"b",
    b"body",
    b"br",
    b"p",
    b"meta",
    b"center",
    b"form",
    b"img",
];
