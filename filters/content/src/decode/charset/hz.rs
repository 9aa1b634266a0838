//! HZ (RFC 1843): GB 2312 between `~{` and `~}`.

use encoding_rs::GBK;

use super::runs::Run;

/// Decoder of HZ.
#[derive(Default)]
pub(super) struct Hz {
    is_chinese: bool,
    has_tilde: bool,
    lead: Option<u8>,
    run: Run,
}

impl Hz {
    pub(super) fn feed(&mut self, bytes: &[u8], text: &mut String) {
        for &byte in bytes {
            self.take(byte, text);
        }
    }

    pub(super) fn finish(mut self, text: &mut String) {
        if self.has_tilde {
            self.literal('~', text);
        }
        self.give_up_lead(text);
        self.run.flush(text);
    }

    fn take(&mut self, byte: u8, text: &mut String) {
        if std::mem::take(&mut self.has_tilde) {
            match byte {
                b'{' => return self.is_chinese = true,
                b'}' => return self.is_chinese = false,
                b'~' => return self.literal('~', text),
                // RFC 1843: a line that is continued.
                b'\n' => return self.is_chinese = false,
                _ => self.literal('~', text),
            }
        }
        match byte {
            b'~' if self.lead.is_none() => self.has_tilde = true,
            b'\n' => {
                self.is_chinese = false;
                self.literal('\n', text);
            }
            0x80.. => {
                self.give_up_lead(text);
                self.run.push(GBK, &[byte], text);
            }
            0x21..=0x7e if self.is_chinese => match self.lead.take() {
                None => self.lead = Some(byte),
                Some(lead) => self.run.push(GBK, &[lead | 0x80, byte | 0x80], text),
            },
            _ => self.literal(char::from(byte), text),
        }
    }

    fn literal(&mut self, character: char, text: &mut String) {
        self.give_up_lead(text);
        self.run.flush(text);
        text.push(character);
    }

    fn give_up_lead(&mut self, text: &mut String) {
        if self.lead.take().is_some() {
            self.run.flush(text);
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}
