//! Body of the fuzz target `scanner_answer`: whatever a scanner says, it is the same however it comes in pieces, counts
//! only when the scanner had the whole mail, and ends no header, no reply and no line of the log.

use mailweir_external::{
    scanners::{
        Course, Fault,
        clamd::{self, Scan},
        rspamd::{self, About, Options},
        spamd,
    },
    verdict::{Decision, Edit, Verdict},
};
use mailweir_mail::{Client, Envelope, Origin, Protocol, QueueId, ReversePath, Timestamp};

/// Takes `data` as what a scanner says: the first byte chooses which one and when, the second how large the pieces are.
///
/// # Panics
/// If pieces change what it comes to, an early answer counts, or something is ended.
pub fn scanner_answer(data: &[u8]) {
    let [choice, size, said @ ..] = data else { return };
    let is_early = choice & 4 != 0;
    let listen = match choice & 3 {
        0 => clamd_says,
        1 => spamd_says,
        _ => rspamd_says,
    };
    let whole = listen(said, said.len().max(1), is_early);
    assert!(whole == listen(said, usize::from(*size).max(1), is_early), "pieces change it");
    match whole {
        Ok(verdict) => look_at(&verdict, is_early),
        Err(fault) => assert!(!fault.to_string().contains(char::is_control), "{fault}"),
    }
}

fn clamd_says(said: &[u8], size: usize, is_early: bool) -> Result<Verdict, Fault> {
    let mut scan = Scan::default();
    if !is_early {
        scan.finish(&mut Vec::new());
    }
    said.chunks(size).try_for_each(|piece| scan.receive(piece).map(drop))?;
    let policy = clamd::Policy {
        infected: Course::Reject,
        too_large: clamd::TooLarge::Fail,
        largest: 1,
        mark: None,
    };
    policy.verdict(&scan.end()?)
}

fn spamd_says(said: &[u8], size: usize, is_early: bool) -> Result<Verdict, Fault> {
    let mut check = spamd::Check::new(u64::from(is_early), None).expect("no user");
    check.head(&mut Vec::new());
    said.chunks(size).try_for_each(|piece| check.receive(piece).map(drop))?;
    let policy = spamd::Policy { reject_from: Some(15.0), hold_from: Some(5.0), mark: true };
    Ok(policy.verdict(&check.end()?))
}

fn rspamd_says(said: &[u8], size: usize, is_early: bool) -> Result<Verdict, Fault> {
    let arrival = Timestamp::from_secs(0);
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed(([192, 0, 2, 7], 25).into()),
        helo: "helo.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival,
    };
    let envelope = Envelope::from_sender(ReversePath::Null);
    let about = About { id: QueueId::new(arrival, 1), envelope: &envelope, origin: &origin };
    let mut check = rspamd::Check::new(u64::from(is_early), &about, &Options::default());
    check.head(&mut Vec::new());
    said.chunks(size).try_for_each(|piece| check.receive(piece).map(drop))?;
    check.end().map(rspamd::Answer::verdict)
}

fn look_at(verdict: &Verdict, is_early: bool) {
    assert!(!is_early, "an early answer counts: {verdict:?}");
    assert!(!verdict.reason.contains(char::is_control), "{verdict:?}");
    if let Decision::Refuse(reply) = &verdict.decision {
        assert!(matches!(reply.code, 400..=599), "{verdict:?}");
        assert!(reply.text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{verdict:?}");
    }
    for edit in &verdict.edits {
        let (name, value) = match edit {
            Edit::Append { name, value }
            | Edit::Insert { name, value, .. }
            | Edit::Change { name, value, .. } => (name, &**value),
            Edit::Remove { name, .. } => (name, &b""[..]),
            Edit::Body(_) => panic!("no scanner changes a body: {verdict:?}"),
            Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_) => continue,
        };
        assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'), "{edit:?}");
        let value = std::str::from_utf8(value).expect("text");
        let mut lines = value.split("\r\n");
        let is_line = |line: &str| !line.contains(|c: char| c.is_control() && c != '\t');
        assert!(lines.next().is_some_and(is_line), "{edit:?}");
        let is_fold = |line: &str| {
            line.starts_with([' ', '\t']) && !line.trim_matches([' ', '\t']).is_empty()
        };
        assert!(lines.all(|line| is_line(line) && is_fold(line)), "{edit:?}");
    }
}
