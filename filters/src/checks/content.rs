//! The checks at work on the content of one mail: read, looked at, edited, passed on.

use std::sync::Arc;

use mailweir_content::{
    decode::{headers::HeaderDecoder, text::each_line},
    mime::{HeaderClass, MimeReader, Piece},
};

use mailweir_moderation::rule::{Glance, Watch};

use super::{
    ChecksRules, Context, Edit, Inspection, Outcome, Output,
    line::{Form, Line, Standing},
    output::Onward,
    reading::{Keys, Kind, Reading},
};
use crate::RemoteMaps;

/// The header and body checks of one mail.
///
/// Content goes in by [`feed`](Self::feed) in pieces of any size and comes out edited; every byte
/// that no rule edits comes out as it came, and an empty line ends the header. [`finish`](Self::finish) says what it comes to. Once a
/// mail is refused, discarded or in trouble nothing more comes out: what came out by then is to be
/// thrown away.
///
/// Cost: linear in the content, but for the tables; memory for one header and one line.
pub struct ContentChecks {
    reader: MimeReader,
    editor: Editor,
    /// Absent where no rule asks for what a person reads.
    reading: Option<Box<Reading>>,
}

/// What is known of the mail from the pieces before.
#[derive(Debug)]
struct Editor {
    inspection: Inspection,
    /// Moderation, where it watches.
    watch: Option<Watch>,
    decoder: HeaderDecoder,
    /// What becomes of more of the header before.
    header_rest: Rest,
    /// Whether headers came last and no empty line: the next line of a body ends them.
    unfinished_header: bool,
    /// Whether the header of the mail itself ended without one.
    lacks_empty_line: bool,
    /// What is known of the lines of a body in the piece that goes past.
    body: Sieved,
}

/// Whether any line of a piece of content may be one that a table has something for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sieved {
    /// Nobody has asked yet.
    Unknown,
    /// None is.
    Nothing,
    /// Each has to be looked up.
    Perhaps,
}

/// What becomes of the part of a header that no check sees.
#[derive(Clone, Copy, Debug)]
enum Rest {
    Stays,
    Goes,
    /// As `Goes`, but a line end is owed for the header that stands there instead.
    GoesButLineEnd,
}

impl ContentChecks {
    /// Checks for a mail under `rules`; `None` if there are none: such a mail needs no checks.
    #[must_use]
    pub fn new(rules: Arc<ChecksRules>) -> Option<Self> {
        Self::watched(rules, None)
    }

    /// The same for a mail that moderation watches, which is reason enough to read it.
    #[must_use]
    pub fn watched(rules: Arc<ChecksRules>, watch: Option<Watch>) -> Option<Self> {
        if rules.is_empty() && watch.is_none() {
            return None;
        }
        let reader = MimeReader::new(rules.limits.clone());
        let reading = Reading::new(&rules, watch.as_ref()).map(Box::new);
        let editor = Editor {
            decoder: HeaderDecoder::new(rules.fallbacks.clone()),
            inspection: Inspection::new(rules),
            watch,
            header_rest: Rest::Stays,
            unfinished_header: true,
            lacks_empty_line: false,
            body: Sieved::Unknown,
        };
        Some(Self { reader, editor, reading })
    }

    /// Takes a header of our own, whole and folded as it is to stand there, before the content of
    /// the client begins: rules on `Received` see ours too (header_checks(5)).
    pub async fn own_header(&mut self, raw: &[u8], out: &mut impl Output, remote: &dyn RemoteMaps) {
        let mut text = Vec::with_capacity(raw.len());
        raw.split(|&byte| byte == b'\r').for_each(|part| text.extend_from_slice(part));
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let mut onward = Onward::new(raw, out);
        self.editor.header(HeaderClass::Primary, text, raw, &mut onward, remote).await;
        if !self.editor.inspection.is_over() {
            onward.flush().await;
        }
    }

    /// Takes the next piece of content and passes on what is clear by now.
    pub async fn feed(&mut self, piece: &[u8], out: &mut impl Output, remote: &dyn RemoteMaps) {
        let mut onward = Onward::new(piece, out);
        let mut input = piece;
        self.editor.body = Sieved::Unknown;
        while !self.editor.inspection.is_over() {
            if self.editor.passes_body() {
                onward.pass(self.reader.take_body(&mut input)).await;
            }
            let Some(next) = self.reader.next(&mut input) else { break };
            self.editor.pass(next, &mut onward, remote).await;
        }
        if !self.editor.inspection.is_over() {
            onward.flush().await;
        }
        self.read(piece, remote).await;
    }

    /// Looks at content as a person reads it.
    async fn read(&mut self, mut content: &[u8], remote: &dyn RemoteMaps) {
        let Some(reading) = &mut self.reading else { return };
        while !content.is_empty() && self.editor.is_reading() {
            let keys = reading.feed(&mut content, &|lines| self.editor.asks_for(lines));
            self.editor.look_at(keys, remote).await;
        }
    }

    /// Takes the end of the mail.
    pub async fn finish(mut self, out: &mut impl Output, remote: &dyn RemoteMaps) -> Outcome {
        let mut onward = Onward::new(&[], out);
        while !self.editor.inspection.is_over()
            && let Some(next) = self.reader.finish()
        {
            self.editor.pass(next, &mut onward, remote).await;
        }
        if let Some(reading) = self.reading.take()
            && self.editor.is_reading()
        {
            let keys = reading.finish(&|lines| self.editor.asks_for(lines));
            self.editor.look_at(&keys, remote).await;
        }
        if self.reader.trouble().nesting {
            self.editor.inspection.refuse_deep_nesting();
        }
        let Editor { inspection, watch, .. } = self.editor;
        Outcome { watch, ..inspection.outcome() }
    }

    /// The inspection, for those who look at the mail in other ways: as a person reads it.
    pub const fn inspection(&mut self) -> &mut Inspection {
        &mut self.editor.inspection
    }
}

impl Editor {
    /// Whether anybody looks at what a person reads. PASS ends the checks, and not moderation.
    fn is_reading(&self) -> bool {
        self.inspection.is_looking() || self.watch.is_some() && !self.inspection.is_over()
    }

    /// Whether anybody may have something to ask of these lines.
    fn asks_for(&self, lines: &str) -> bool {
        self.inspection.may_find_within(Context::TextBody, lines.as_bytes())
            || self.watch.as_ref().is_some_and(|watch| watch.glance(lines).asks())
    }

    async fn look_at(&mut self, keys: &Keys, remote: &dyn RemoteMaps) {
        if keys.is_empty() {
            return;
        }
        let lines = keys.lines();
        let may_find = self.inspection.may_find_within(Context::TextBody, lines.as_bytes());
        let glance = self.watch.as_ref().map(|watch| watch.glance(lines));
        let asks_for_lines = may_find || glance.is_some_and(Glance::asks);
        for (kind, text) in keys.iter() {
            match kind {
                Kind::One(context) => {
                    if let Some(watch) = &mut self.watch {
                        show(watch, context, text);
                    }
                    // There is no line that it could edit.
                    let _ = self.inspection.examine(context, text.as_bytes(), remote).await;
                }
                Kind::Lines if asks_for_lines => {
                    for line in each_line(text) {
                        self.look_at_line(line, glance, may_find, remote).await;
                    }
                }
                Kind::Lines => {}
            }
        }
    }

    async fn look_at_line(
        &mut self,
        line: &str,
        glance: Option<Glance>,
        may_find: bool,
        remote: &dyn RemoteMaps,
    ) {
        if let Some((watch, glance)) = self.watch.as_mut().zip(glance) {
            watch.glanced(line, glance);
        }
        if may_find {
            let _ = self.inspection.examine(Context::TextBody, line.as_bytes(), remote).await;
        }
    }

    /// Whether lines amid a body that lie in this piece of content go on as they are.
    fn passes_body(&self) -> bool {
        self.body == Sieved::Nothing && !self.unfinished_header && !self.lacks_empty_line
    }

    async fn pass(
        &mut self,
        piece: Piece<'_>,
        onward: &mut Onward<'_, '_, impl Output>,
        remote: &dyn RemoteMaps,
    ) {
        match piece {
            Piece::Header { class, text, raw } => {
                self.header(class, text, raw, onward, remote).await;
            }
            Piece::HeaderRest(raw) => self.rest(raw, onward).await,
            Piece::Body { text, raw, offset } => {
                self.body(text, raw, offset, onward, remote).await;
            }
            Piece::HeaderEnd(raw) => {
                self.lacks_empty_line = raw.is_empty();
                self.unfinished_header = raw.is_empty();
                onward.pass(raw).await;
            }
            Piece::Unseen(raw) => {
                self.unfinished_header = false;
                onward.pass(raw).await;
            }
        }
    }

    async fn header(
        &mut self,
        class: HeaderClass,
        text: &[u8],
        raw: &[u8],
        onward: &mut Onward<'_, '_, impl Output>,
        remote: &dyn RemoteMaps,
    ) {
        let mut line = Line::new(Form::Header, raw);
        if self.inspection.may_find_at(class.into(), text) {
            line.edit(self.inspection.examine(class.into(), text, remote).await);
        }
        line.edit(self.decoded_header(&line, text, remote).await);
        if class == HeaderClass::Primary {
            self.show_subject(&line, text);
        }
        self.unfinished_header = true;
        self.header_rest = match line.standing() {
            Standing::AsItCame => Rest::Stays,
            Standing::Instead(_) if !raw.ends_with(b"\n") => Rest::GoesButLineEnd,
            Standing::Nothing | Standing::Instead(_) => Rest::Goes,
        };
        line.write(onward).await;
    }

    /// Whether a table may have something for this line of a body. Lines that lie in the piece of content are asked about together.
    fn may_be_found(&mut self, raw: &[u8], onward: &Onward<'_, '_, impl Output>) -> bool {
        if !onward.is_lent(raw) {
            return true;
        }
        if self.body == Sieved::Unknown {
            let may_find = self.inspection.may_find_within(Context::Body, onward.piece());
            self.body = if may_find { Sieved::Perhaps } else { Sieved::Nothing };
        }
        self.body == Sieved::Perhaps
    }

    /// Looks at a header as a person reads it: what stands there now, in all plausible readings.
    async fn decoded_header(
        &mut self,
        line: &Line<'_>,
        text: &[u8],
        remote: &dyn RemoteMaps,
    ) -> Edit {
        let Some(text) = line.text(text) else { return Edit::Keep };
        let may_find = match begins_as_read(text) {
            true => self.inspection.may_find_at(Context::DecodedHeader, text),
            false => self.inspection.asks_for(Context::DecodedHeader),
        };
        if !may_find {
            return Edit::Keep;
        }
        match HeaderDecoder::plain(text) {
            Some(reading) => {
                self.inspection.examine(Context::DecodedHeader, reading.as_bytes(), remote).await
            }
            None => {
                let readings = self.decoder.field(text);
                self.inspection.examine_any(Context::DecodedHeader, &readings, remote).await
            }
        }
    }

    /// Moderation sees the subject as it stands there now, in all plausible readings.
    fn show_subject(&mut self, line: &Line<'_>, text: &[u8]) {
        let Some(watch) = &mut self.watch else { return };
        let Some(text) = line.text(text).filter(|text| is_subject(text)) else { return };
        for reading in self.decoder.field(text) {
            watch.subject(reading.split_once(':').map_or("", |(_, subject)| subject.trim()));
        }
    }

    async fn rest(&mut self, raw: &[u8], onward: &mut Onward<'_, '_, impl Output>) {
        match self.header_rest {
            Rest::Stays => onward.pass(raw).await,
            Rest::Goes => {}
            Rest::GoesButLineEnd => {
                self.header_rest = Rest::Goes;
                onward.insert(b"\r\n").await;
            }
        }
    }

    async fn body(
        &mut self,
        text: &[u8],
        raw: &[u8],
        offset: u64,
        onward: &mut Onward<'_, '_, impl Output>,
        remote: &dyn RemoteMaps,
    ) {
        let limit = self.inspection.rules().body_checks_size_limit;
        let mut line = Line::new(Form::Body, raw);
        if (limit == 0 || offset < limit) && self.may_be_found(raw, onward) {
            line.edit(self.inspection.examine(Context::Body, text, remote).await);
        }
        // The first line of a body counts from 1, behind the empty line, and from 0 if there is none;
        // so does only the last boundary of a multipart.
        let is_first = offset == 0 && !text.starts_with(b"--");
        let may_be_a_header = std::mem::take(&mut self.unfinished_header) || is_first;
        // The next reader could take what stands here, folded to our own headers, and what follows
        // it, for headers that no check has seen. Postfix puts the missing empty line in front of
        // the body of every mail, and of no part; in parts we put it where we edit.
        if std::mem::take(&mut self.lacks_empty_line) || may_be_a_header && line.is_edited() {
            onward.insert(b"\r\n").await;
        }
        line.write(onward).await;
    }
}

/// Moderation sees a key.
fn show(watch: &mut Watch, context: Context, text: &str) {
    match context {
        Context::AttachmentName => watch.attachment_name(text),
        Context::AttachmentType => watch.attachment_type(text),
        Context::Header
        | Context::MimeHeader
        | Context::NestedHeader
        | Context::Body
        | Context::TextBody
        | Context::DecodedHeader => {}
    }
}

/// Whether a header begins with the same byte in each reading: with a letter or digit, which begins no encoded word, and something
/// behind it that is no mark upon it.
fn begins_as_read(header: &[u8]) -> bool {
    matches!(header, [first, second, ..] if first.is_ascii_alphanumeric() && second.is_ascii_graphic())
}

fn is_subject(header: &[u8]) -> bool {
    let name = header.split(|&byte| byte == b':').next().unwrap_or_default();
    name.trim_ascii_end().eq_ignore_ascii_case(b"subject")
}
