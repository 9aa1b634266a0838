//! Placeholder.

use mailweir_mail::{MailEvent, SessionEvent};

use super::Stamp;

pub(super) fn mail(event: &MailEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let _ = (event, stamp.time.second(), stamp.time.micros(), stamp.level, out);
}

pub(super) fn session(event: &SessionEvent, stamp: &Stamp<'_>, out: &mut Vec<u8>) {
    let _ = (event, stamp, out);
}
