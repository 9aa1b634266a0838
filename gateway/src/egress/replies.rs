//! What is said, in our own words, of mail that a rule lets go no further. Words that Postfix has
//! are Postfix's.

use mailweir_filters::rewriting::TransportError;
use mailweir_mail::{Enhanced, Reply, Transport};

/// A table cannot tell; which one is said in the log alone.
pub(super) const UNCLEAR: Reply = Reply::new(451, Enhanced(4, 3, 0), "address resolver failure");

/// A user has another address now (`relocated_maps`).
pub(super) fn moved(place: &str) -> Reply {
    Reply::with_text(550, Enhanced(5, 1, 6), format!("User has moved to {place}"))
}

/// Its domain has aliases only, and this is none (`virtual_alias_domains`).
pub(super) const NO_ALIAS: Reply =
    Reply::new(550, Enhanced(5, 1, 1), "User unknown in virtual alias table");

/// `discard:`, or a route that leads nowhere.
pub(super) const fn discarded() -> Reply {
    Reply::new(250, Enhanced(2, 0, 0), "discarded by route")
}

/// The address that our probes come from.
pub(super) const fn to_sender_of_probes() -> Reply {
    Reply::new(250, Enhanced(2, 0, 0), "undeliverable postmaster notification discarded")
}

/// `error:`.
pub(super) fn failed(status: Enhanced, text: Box<str>) -> Reply {
    Reply::with_text(550, status, text.into())
}

/// `retry:`.
pub(super) fn later(status: Enhanced, text: Box<str>) -> Reply {
    Reply::with_text(450, status, text.into())
}

/// A transport that cannot be carried out: the administrator's to mend, so the mail waits.
pub(super) fn unusable(transport: &Transport, why: &TransportError) -> Reply {
    let text = format!("mail transport {transport} cannot be used: {why}");
    Reply::with_text(451, Enhanced(4, 3, 5), text)
}

/// A filter that was ahead of a mail when it came is not there any more.
pub(super) fn no_filter(name: &str) -> Reply {
    let text = format!(
        "the filter {name} is not there any more; requeue the mail to have it judged by those of today"
    );
    Reply::with_text(451, Enhanced(4, 3, 5), text)
}

/// A filter that a client waits for takes no such mail: the status says why, and the log which filter.
pub(super) fn no_such_mail(reply: &Reply) -> Reply {
    let words = "a content filter takes no such mail";
    Reply::new(reply.code, reply.enhanced_or_general(), words)
}

/// A filter has failed, and mail goes back to its sender then.
pub(super) fn filter_failed(name: &str, why: &str) -> Reply {
    Reply::with_text(550, Enhanced(5, 3, 0), why_filter_failed(name, why))
}

/// A filter has failed, and mail waits for it.
pub(super) fn filter_awaited(name: &str, why: &str) -> Reply {
    Reply::with_text(451, Enhanced(4, 3, 0), why_filter_failed(name, why))
}

/// Also the reason of a hold.
pub(super) fn why_filter_failed(name: &str, why: &str) -> String {
    format!("the filter {name} failed: {why}")
}

/// A program has ended well. In Postfix's words.
pub(super) fn delivered_via(name: &str, said: &str) -> Reply {
    let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
    Reply::with_text(250, Enhanced(2, 0, 0), format!("delivered via {name} service{said}"))
}

/// A program has failed. Which one is said where it is known what becomes of the mail.
pub(super) fn program_failed(why: &str) -> Reply {
    Reply::with_text(451, Enhanced(4, 3, 0), why.to_owned())
}

/// A part of the mail that would be an option of a program.
pub(super) fn looks_like_option(part: &str) -> Reply {
    let text = format!("{part:?} begins with a dash, and a program would take it for an option");
    Reply::with_text(550, Enhanced(5, 1, 3), text)
}
