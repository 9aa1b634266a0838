//! What the archive has told, for a terminal or as JSON, a value in a line.

use std::io::{self, Write};

use mailweir_archive::{
    entry::{Access, AccessDeed, Capture, Decided, Erased, Erasure, Lift, Lifted, Outcome, Source},
    holds::Person,
};
use mailweir_mail::{Origin, QueueId, Timestamp, compose::one_line};

use super::{
    super::{ExitCode, queue::json_line},
    ask::is_for_a_person,
};
use crate::{
    archiving::words::{Found, HeldCase, Line, Shown, Told},
    count::counted,
};

/// Prints answers as they come.
pub(super) struct Printer {
    json: bool,
    /// Whether a mail that is kept is one that should not be.
    wants_all: bool,
    mails: u64,
    refused: bool,
    found: Option<Found>,
}

impl Printer {
    pub(super) const fn new(json: bool) -> Self {
        Self { json, wants_all: true, mails: 0, refused: false, found: None }
    }

    /// Of a purge: what a legal hold keeps is kept rightly.
    pub(super) const fn of_purge(json: bool) -> Self {
        Self { wants_all: false, ..Self::new(json) }
    }

    pub(super) fn print(&mut self, told: &Told) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match told {
            Told::Mail(_) => self.mails += 1,
            Told::Found(found) => self.found = self.found.or(Some(*found)),
            Told::Failed { .. }
            | Told::Unread { .. }
            | Told::UnreadAccess { .. }
            | Told::Lost { .. } => self.refused = true,
            Told::Kept { .. } => self.refused |= self.wants_all,
            Told::Shown(_)
            | Told::Access { .. }
            | Told::Hold(_)
            | Told::Lifted { .. }
            | Told::Erased { .. }
            | Told::Remembering { .. }
            | Told::Imported(_)
            | Told::Done { .. } => {}
        }
        if self.json {
            return json_line(&mut out, told);
        }
        match told {
            Told::Mail(line) => print_line(&mut out, line),
            // An import has its own words for it.
            Told::Found(_) | Told::Remembering { .. } | Told::Imported(_) => Ok(()),
            Told::Shown(shown) => print_shown(&mut out, shown),
            Told::Access { at, id, access } => print_use(&mut out, *at, *id, access),
            Told::Hold(case) => print_case(&mut out, case),
            Told::Unread { why, .. } | Told::UnreadAccess { why, .. } | Told::Lost { why, .. } => {
                complain(why)
            }
            Told::Lifted { at, lifted } => print_lifted(&mut out, *at, lifted),
            Told::Erased { id, record: Some(record) } => {
                writeln!(out, "mailweir: {id}: erased; record {record} says so")
            }
            Told::Erased { id, record: None } => writeln!(out, "mailweir: {id}: would be erased"),
            Told::Kept { id: Some(id), why } => complain(&format!("{id}: not erased: {why}")),
            Told::Kept { id: None, why } => complain(&format!("a mail is not erased: {why}")),
            Told::Done { text } => writeln!(out, "mailweir: {}", printable(text)),
            Told::Failed { reason } => complain(reason),
        }
    }

    /// `more`: there are more mails than were asked for.
    pub(super) fn finish(self, more: bool) -> anyhow::Result<ExitCode> {
        if let (Some(found), false) = (self.found, self.json) {
            let Self { mails, .. } = self;
            let behind = match found.behind {
                0 => String::new(),
                behind => format!("; the index is {} behind", counted(behind, "mail")),
            };
            let all = match found.or_more {
                false => format!(" of {}", found.count),
                true => format!(" of more than {}", found.count),
            };
            match more {
                true => writeln!(io::stderr(), "-- {mails}{all} mails{behind}")?,
                false => writeln!(io::stderr(), "-- {}{behind}", counted(mails, "mail"))?,
            }
        }
        Ok(if self.refused { ExitCode::Refused } else { ExitCode::Done })
    }
}

fn complain(why: &str) -> io::Result<()> {
    writeln!(io::stderr(), "mailweir: {}", printable(why))
}

/// Two lines: a mail does not fit into one.
fn print_line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    let Line { id, at, status, sender, recipients, subject, size, legal_holds, .. } = line;
    let held = match legal_holds.len() {
        0 => String::new(),
        _ => format!("  legal hold {}", printable(&legal_holds.join(", "))),
    };
    let named: Vec<_> = recipients.iter().map(|one| printable(one)).collect();
    let shown = match (named.len(), is_for_a_person()) {
        (0..=3, _) | (_, false) => named.join(", "),
        (all, true) => format!("{}, and {} more", named[..2].join(", "), all - 2),
    };
    writeln!(out, "{id}  {}  {status:<9} {:>10}{held}", at.rfc3339(), size)?;
    let subject = if subject.is_empty() { "(no subject)" } else { subject };
    writeln!(out, "    <{}> to {shown}: {}", printable(sender), printable(subject))
}

fn print_case(out: &mut impl Write, case: &HeldCase) -> io::Result<()> {
    let HeldCase { case, since, by, reason, mails, people } = case;
    let (case, by, reason) = (printable(case), printable(by), printable(reason));
    writeln!(out, "{case}: since {}, by {by}: {reason}", since.rfc3339())?;
    writeln!(out, "    {}", counted(*mails, "mail"))?;
    let all_of = |person: &Person| printable(&person.to_string());
    people.iter().try_for_each(|person| writeln!(out, "    all mail of {}", all_of(person)))
}

fn print_lifted(out: &mut impl Write, at: Timestamp, lifted: &Lifted) -> io::Result<()> {
    let Lifted { what, by, reason } = lifted;
    let what = match what {
        Lift::Case(case) => format!("legal hold {}", printable(case)),
        Lift::Unread(records) => format!("record {records}: cannot be read"),
        Lift::Lost(records) => format!("record {records}: was lost"),
    };
    let (by, reason) = (printable(by), printable(reason));
    writeln!(out, "{what}; lifted {}, by {by}: {reason}", at.rfc3339())
}

fn print_shown(out: &mut impl Write, shown: &Shown) -> io::Result<()> {
    match &shown.capture {
        Some(capture) => print_capture(out, capture)?,
        None => writeln!(out, "mail        {}", shown.id)?,
    }
    if let Some((at, Erased { why, by, content, .. })) = &shown.erased {
        let why = match why {
            Erasure::Expired => "its time was over".to_owned(),
            Erasure::Requested { reason } => format!("on request: {}", printable(reason)),
        };
        let by = by.as_ref().map_or_else(String::new, |by| format!(", by {}", printable(by)));
        writeln!(out, "erased      {}{by}, {why}", at.rfc3339())?;
        writeln!(out, "SHA-256     {content}")?;
    }
    if shown.capture.is_some() {
        let until = shown.keep_until.map_or_else(
            || "for ever".to_owned(),
            |day| format!("until {}", &Timestamp::from_secs(u64::from(day) * DAY).rfc3339()[..10]),
        );
        writeln!(out, "kept        {until}")?;
    }
    for case in &shown.legal_holds {
        writeln!(out, "legal hold  {}", printable(case))?;
    }
    if let Some(doubt) = &shown.legal_hold_doubt {
        writeln!(out, "legal hold  NOT CERTAIN: {}", printable(doubt))?;
    }
    for outcome in &shown.outcomes {
        print_outcome(out, outcome)?;
    }
    let is_open = shown.capture.as_ref().is_none_or(|it| it.note.source == Source::Accepted);
    if shown.outcomes.is_empty() && shown.erased.is_none() && is_open {
        writeln!(out, "ended       not yet")?;
    }
    for (at, access) in &shown.accesses {
        print_access(out, *at, access)?;
    }
    for damage in &shown.damage {
        writeln!(out, "DAMAGED     {}", printable(damage))?;
    }
    Ok(())
}

fn print_capture(out: &mut impl Write, capture: &Capture) -> io::Result<()> {
    let Capture { id, envelope, origin, note, content, salt: _, size } = capture;
    writeln!(out, "mail        {id}, {size} bytes, {}", note.direction.as_str())?;
    match &note.source {
        Source::Accepted => print_origin(out, origin)?,
        Source::Imported { by, from } => {
            writeln!(out, "dated       {}", origin.arrival.rfc3339())?;
            writeln!(out, "imported    by {} from {}", printable(by), printable(from))?;
        }
    }
    if let Some(tls) = &origin.tls {
        writeln!(out, "TLS         {} {}", printable(&tls.version), printable(&tls.cipher))?;
    }
    writeln!(out, "sender      <{}>", printable(envelope.sender.as_str()))?;
    for recipient in &envelope.recipients {
        write!(out, "recipient   <{}>", printable(recipient.address.as_str()))?;
        match &recipient.original {
            Some(original) => {
                writeln!(out, ", written to as <{}>", printable(original.as_str()))?;
            }
            None => writeln!(out)?,
        }
    }
    if let Some(held) = &note.held {
        writeln!(out, "held        {}", printable(held))?;
    }
    if let Some(rule) = &note.rule {
        writeln!(out, "rule        {}", printable(rule))?;
    }
    writeln!(out, "SHA-256     {content}")
}

fn print_origin(out: &mut impl Write, origin: &Origin) -> io::Result<()> {
    let Origin { listener, client, helo, login, forwarded, arrival, .. } = origin;
    writeln!(out, "accepted    {} at {}", arrival.rfc3339(), printable(listener))?;
    write!(out, "from        {} as {}", printable(&client.to_string()), printable(helo))?;
    match login {
        Some(login) => {
            let (user, mechanism) = (printable(&login.user), printable(&login.mechanism));
            writeln!(out, ", logged in as {user} ({mechanism})")?;
        }
        None => writeln!(out, ", not logged in")?,
    }
    let Some(told) = forwarded else { return Ok(()) };
    let Some(client) = told.client() else { return Ok(()) };
    let helo = told.helo.as_deref().unwrap_or("unknown");
    let (client, helo) = (printable(&client.to_string()), printable(helo));
    writeln!(out, "forwarded   from {client} as {helo}, by the word of that one (XFORWARD)")
}

fn print_outcome(
    out: &mut impl Write,
    Outcome { end, recipients, decisions, .. }: &Outcome,
) -> io::Result<()> {
    for Decided { decision, by, proof, at, rule } in decisions {
        let rule = rule.as_deref().map(printable);
        let rule = rule.map_or_else(String::new, |rule| format!(", rule {rule}"));
        let (decision, by, proof) = (printable(decision), printable(by), printable(proof));
        writeln!(out, "decided     {decision} by {by} ({proof}) at {}{rule}", at.rfc3339())?;
    }
    writeln!(out, "ended       {}", end.as_str())?;
    for (number, fared) in (1..).zip(recipients) {
        let how = if fared.delivered { "delivered" } else { "not delivered" };
        write!(out, "  recipient {number}: {how}")?;
        if let Some(at) = fared.at {
            write!(out, " at {}", at.rfc3339())?;
        }
        if let Some(relay) = &fared.relay {
            write!(out, ", {}", printable(relay))?;
        }
        match &fared.reply {
            Some(reply) => writeln!(out, ": {}", printable(&reply.to_string()))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

fn print_access(out: &mut impl Write, at: Timestamp, access: &Access) -> io::Result<()> {
    let Access { by, from, deed } = access;
    let what = match deed {
        AccessDeed::Viewed { .. } => "looked at".to_owned(),
        AccessDeed::Searched { .. } => "found".to_owned(),
        AccessDeed::Exported { form, .. } => format!("exported as {}", printable(form)),
        AccessDeed::Restored { sent_as, to } => {
            format!("sent again to {} as {sent_as}", printable(to))
        }
    };
    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
    writeln!(out, "{what:<11} {} by {}{from}", at.rfc3339(), printable(by))
}

/// A line of the list of all.
fn print_use(
    out: &mut impl Write,
    at: Timestamp,
    id: Option<QueueId>,
    Access { by, from, deed }: &Access,
) -> io::Result<()> {
    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
    write!(out, "{}  {}{from} ", at.rfc3339(), printable(by))?;
    let mail = id.map_or_else(String::new, |id| format!(" {id}"));
    match deed {
        AccessDeed::Searched { query, found } => {
            writeln!(out, "searched for {:?}, found {found}", printable(query))
        }
        AccessDeed::Viewed { .. } => writeln!(out, "looked at{mail}"),
        AccessDeed::Exported { form, mails } => {
            let (form, mails) = (printable(form), counted(*mails, "mail"));
            writeln!(out, "exported{mail} as {form}, {mails}")
        }
        AccessDeed::Restored { sent_as, to } => {
            writeln!(out, "sent{mail} again to {} as {sent_as}", printable(to))
        }
    }
}

/// What others wrote, as a terminal may have it.
fn printable(text: &str) -> String {
    one_line(text, LONGEST)
}

/// Characters of a text that are shown.
const LONGEST: usize = 10_000;

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use mailweir_archive::{entry::Ending, hash::Hash};
    use mailweir_mail::{Client, Forwarded, Protocol};

    use super::*;
    use crate::archiving::sample;

    #[test]
    fn who_decided_is_shown_with_the_end() {
        let at = Timestamp::from_secs(1_795_210_205);
        let decided = |decision: &str, by: &str, proof: &str, rule: Option<&str>| Decided {
            decision: decision.into(),
            by: by.into(),
            proof: proof.into(),
            at,
            rule: rule.map(Into::into),
        };
        let decisions = vec![
            decided("approved", "moderator kim@own.example", "link", Some("secrets")),
            decided("deleted", "operator root", "command_line", None),
        ];
        let (id, end, recipients) = (QueueId::new(at, 1), Ending::Deleted, Vec::new());
        let mut out = Vec::new();
        print_outcome(&mut out, &Outcome { id, end, recipients, decisions }).unwrap();
        let at = at.rfc3339();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(
                "decided     approved by moderator kim@own.example (link) at {at}, rule secrets\n\
                 decided     deleted by operator root (command_line) at {at}\n\
                 ended       deleted\n"
            )
        );
    }

    #[test]
    fn whom_a_relay_named_is_shown_as_its_word() {
        let arrival = Timestamp::from_secs(1_795_210_205);
        let origin = |forwarded| Origin {
            listener: "from-postfix".into(),
            client: Client::unnamed(([127, 0, 0, 1], 4711).into()),
            helo: "postfix.example".into(),
            protocol: Protocol::Esmtp,
            login: None,
            tls: None,
            forwarded: Some(Box::new(forwarded)),
            arrival,
        };
        let shown = |forwarded| {
            let mut out = Vec::new();
            print_origin(&mut out, &origin(forwarded)).unwrap();
            String::from_utf8(out).unwrap()
        };
        let nobody = shown(Forwarded::default());
        assert_eq!(nobody.lines().count(), 2, "{nobody}");
        let named = shown(Forwarded {
            name: Some("x\u{1b}[2J".into()),
            address: Some([192, 0, 2, 9].into()),
            ..Forwarded::default()
        });
        let line = named.lines().last().unwrap();
        assert!(line.starts_with("forwarded   from x") && line.contains("[192.0.2.9] as unknown"));
        assert!(!named.contains('\u{1b}'), "{named:?}");
    }

    /// The environment of a shell says any name, and the control socket any case.
    #[test]
    fn names_and_reasons_reach_no_terminal_as_they_are() {
        let (at, evil) =
            (Timestamp::from_secs(1_795_210_205), || -> Box<str> { "x\u{1b}[2J".into() });
        let id = QueueId::new(at, 1);
        let uses = [
            AccessDeed::Searched { query: evil(), found: 1 },
            AccessDeed::Viewed { hidden: true },
            AccessDeed::Exported { form: evil(), mails: 1 },
            AccessDeed::Restored { sent_as: id, to: evil() },
        ];
        let uses = uses.map(|deed| Access { by: evil(), from: None, deed });
        let case = HeldCase {
            case: evil(),
            since: at,
            by: evil(),
            reason: evil(),
            mails: 1,
            people: vec!["@own.example".parse().unwrap()],
        };
        let decided =
            Decided { decision: evil(), by: evil(), proof: evil(), at, rule: Some(evil()) };
        let (end, recipients, decisions) = (Ending::Deleted, Vec::new(), vec![decided]);
        let why = Erasure::Requested { reason: evil() };
        let content = Hash::of(b"");
        let erased = Erased { why, by: Some(evil()), content, segment: 1, at: 0 };
        let mut capture = sample::imported(id, None);
        capture.note.source = Source::Imported { by: evil(), from: evil() };
        (capture.note.rule, capture.note.held) = (Some(evil()), Some(evil()));
        let shown = Shown {
            id,
            seq: Some(1),
            capture: Some(capture),
            outcomes: vec![Outcome { id, end, recipients, decisions }],
            erased: Some((at, erased)),
            keep_until: None,
            legal_holds: vec![evil()],
            legal_hold_doubt: Some(evil()),
            accesses: uses.iter().map(|one| (at, one.clone())).collect(),
            damage: vec![evil()],
        };
        let mut out = Vec::new();
        uses.iter().for_each(|access| print_use(&mut out, at, Some(id), access).unwrap());
        print_case(&mut out, &case).unwrap();
        print_shown(&mut out, &shown).unwrap();
        let lifted = Lifted { what: Lift::Case(evil()), by: evil(), reason: evil() };
        print_lifted(&mut out, at, &lifted).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.matches("x?[2J").count() > 25, "{out:?}");
        assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    }

    #[test]
    fn what_others_wrote_moves_no_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e\u{61c}f"), "a?[2Jb c?d?e?f");
    }
}
