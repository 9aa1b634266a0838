//! Mails: the one that is read, and those that lie in it.

mod address;
mod date;
mod fields;
mod message_id;
mod parts;

use crate::harvest::Harvest;
use crate::{Origin, Reason};
use fields::Fields;
use parts::Reading;
pub(crate) use parts::{mark_text, text_limits};

use mailweir_content::decode::{
    charset::{Charset, Fallbacks},
    headers::HeaderDecoder,
    parts::{PartLimits, PartReader},
};

/// Reads the mail itself: its fields go where they are asked for by name.
pub(crate) fn read_outer(mail: &[u8], harvest: &mut Harvest<'_>) {
    let fields = read(mail, Origin::Body, harvest);
    fields.tell(harvest);
}

/// Reads a mail that lies in a file: its fields are text like the rest.
pub(crate) fn read_inner(mail: &[u8], harvest: &mut Harvest<'_>) {
    read(mail, Origin::Mail, harvest);
}

fn read(mail: &[u8], origin: Origin, harvest: &mut Harvest<'_>) -> Fields {
    let looked_at = mail.get(..harvest.limits().mail).unwrap_or(mail);
    if looked_at.len() < mail.len() {
        harvest.mark(Reason::TooLarge);
    }
    if !harvest.work(looked_at.len()) {
        return Fields::default();
    }
    let decoder = HeaderDecoder::new(fallbacks());
    let mut parts = PartReader::new(PartLimits::default(), decoder);
    let mut reading = Reading::new(origin, harvest);
    let mut take = |event: mailweir_content::decode::parts::Event<'_>| reading.event(&event);
    parts.feed(looked_at, &mut take);
    parts.finish(&mut take);
    reading.finish()
}

/// What bytes may be in that nobody labelled: those of `Fallbacks::default`, and EUC-JP.
pub(crate) fn fallbacks() -> Fallbacks {
    let labels = ["euc-kr", "shift_jis", "euc-jp", "gb18030", "big5", "windows-1252"];
    Fallbacks::new(labels.iter().filter_map(|label| Charset::for_label(label.as_bytes())).collect())
}
