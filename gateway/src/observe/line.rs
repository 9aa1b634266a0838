//! Putting one log line together, and making foreign text harmless on the way.
//!
//! Everything a peer can choose goes through [`Line::peer`] or [`Line::json`]: no control
//! character, terminal escape, line separator or direction override reaches a log
//! (`attacks.md` H13). Appends to a buffer that is reused; allocates nothing itself.

use std::{fmt::Display, io::Write, time::Duration};

use mailweir_mail::{Client, compose::is_harmful};

/// Appends to one line. Every method returns the line, so that a line reads as one sentence.
pub(super) struct Line<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Line<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Our own words.
    pub(super) fn raw(&mut self, text: &str) -> &mut Self {
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    /// A value whose text cannot hold anything harmful: numbers, queue ids, codes.
    pub(super) fn value(&mut self, value: impl Display) -> &mut Self {
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "{value}");
        self
    }

    /// Text that a peer chose: what is harmful becomes `?`, as Postfix prints it.
    pub(super) fn peer(&mut self, text: &str) -> &mut Self {
        if is_plain(text) {
            return self.raw(text);
        }
        for c in text.chars() {
            let mut bytes = [0; 4];
            self.raw(if is_harmful(c) { "?" } else { c.encode_utf8(&mut bytes) });
        }
        self
    }

    /// `name[address]`.
    pub(super) fn client(&mut self, client: &Client) -> &mut Self {
        self.peer(client.name_or_unknown()).raw("[").value(client.ip()).raw("]")
    }

    /// Seconds with two significant digits and at most two decimals, as Postfix prints delays
    /// (`delay_logging_resolution_limit = 2`).
    pub(super) fn seconds(&mut self, span: Duration) -> &mut Self {
        let hundredths = (span.as_micros() + 5_000) / 10_000;
        let tenths = (span.as_micros() + 50_000) / 100_000;
        match hundredths {
            0..100 => self.decimals(hundredths, 2),
            _ if tenths < 100 => self.decimals(tenths, 1),
            _ => self.value((span.as_micros() + 500_000) / 1_000_000),
        }
    }

    fn decimals(&mut self, value: u128, places: u32) -> &mut Self {
        match (value, places) {
            (_, 0) | (0, _) => self.value(value),
            _ if value.is_multiple_of(10) => self.decimals(value / 10, places - 1),
            _ => {
                let unit = 10_u128.pow(places);
                let width = places as usize;
                self.value(format_args!("{}.{:0width$}", value / unit, value % unit))
            }
        }
    }

    /// A JSON string, quotes included. Harmful characters are escaped, so nothing is lost.
    pub(super) fn json(&mut self, text: &str) -> &mut Self {
        self.raw("\"");
        if is_plain(text) && !text.contains(['"', '\\']) {
            return self.raw(text).raw("\"");
        }
        for c in text.chars() {
            let mut bytes = [0; 4];
            match c {
                '"' => self.raw("\\\""),
                '\\' => self.raw("\\\\"),
                '\n' => self.raw("\\n"),
                '\r' => self.raw("\\r"),
                '\t' => self.raw("\\t"),
                // Everything harmful lies below U+10000: one UTF-16 unit is enough.
                _ if is_harmful(c) => self.value(format_args!("\\u{:04x}", u32::from(c))),
                _ => self.raw(c.encode_utf8(&mut bytes)),
            };
        }
        self.raw("\"")
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
