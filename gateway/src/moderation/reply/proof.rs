//! Whether an answer is its reader's own, and no machine's.

use mailweir_mail::Address;
use mailweir_moderation::{case_file::CaseFile, person::is_same};
use mailweir_spam::dkim::{self, Field, Header, Proof, SignedMail};

use super::{Answering, LoggedIn, Moderation, Reply};
use crate::{clock, egress::resolve::Resolver, spam::Names};

impl Moderation {
    /// How it is proven, for the log.
    ///
    /// # Errors
    /// Why it is not, for the log.
    pub(super) async fn prove(
        &self,
        reply: &Reply<'_>,
        Answering { case, grant, code }: &Answering<'_>,
        file: &CaseFile,
        resolver: &dyn Resolver,
    ) -> Result<String, String> {
        let (needs_login, is_theirs) = {
            let rules = &self.settings.load().rules;
            let needs_login = file.sensitive || rules.links_need_login;
            let is_theirs = |login: &LoggedIn<'_>| {
                // A password of one program does not prove the person.
                let proves = login.own_password || !needs_login;
                let is_for_them =
                    login.senders.is_none_or(|senders| senders.contains(&grant.person));
                proves && is_for_them && rules.is_login_of(&grant.person, login.name)
            };
            (needs_login, reply.login.filter(is_theirs))
        };
        if let Some(login) = is_theirs {
            return Ok(format!("log-in {}", login.name));
        }
        if needs_login {
            return Err("it needs a log-in, and has none of theirs".to_owned());
        }
        if !reply.from.is_some_and(|from| is_same(from, &grant.person)) {
            return Err("From names somebody else".to_owned());
        }
        let proof = signed_by(reply.signed, &grant.person, resolver).await?;
        // Otherwise an answer to another notice could be sent here. Some providers do not sign To; there
        // the text must name the case, as it does if it quotes the notice.
        let code = code.to_string();
        let is_addressed = proof.covers("to") && is_addressed(reply.signed.header(), &code);
        if !is_addressed && !reply.text.names(&case.to_string()) && !reply.text.names(&code) {
            return Err(
                "its signature covers nothing that tells which notice it answers".to_owned()
            );
        }
        Ok(format!("signature of {}, key {}", proof.domain, proof.selector))
    }
}

/// A proof that the domain of `person` signed, or why there is none.
async fn signed_by(
    mail: &SignedMail,
    person: &Address,
    resolver: &dyn Resolver,
) -> Result<Proof, String> {
    let wanted = |signer: &_| dkim::is_aligned(signer, person);
    let mut doubts = Vec::new();
    for checked in mail.prove(wanted, &Names::for_keys(resolver), clock::now()).await {
        match checked.result {
            Ok(proof) => return Ok(proof),
            Err(doubt) => doubts.push(doubt.to_string()),
        }
    }
    match doubts.is_empty() {
        true => Err("no log-in, and no signature of their domain".to_owned()),
        false => Err(doubts.join("; ")),
    }
}

impl Reply<'_> {
    /// The sign that a machine wrote it: an absence notice, a report, a list (RFC 3834 section 2).
    pub(super) fn machine(&self) -> Option<&'static str> {
        let header = self.signed.header();
        if self.has_null_sender {
            return Some("null sender");
        }
        if header.is_cut() {
            return Some("a header that is too long to be read");
        }
        if self.text.is_report() {
            return Some("a report");
        }
        let mut fields = header.fields();
        fields.find_map(machine_field)
    }
}

/// The name of a field that only machines write, or with such a value.
fn machine_field(field: Field<'_>) -> Option<&'static str> {
    let word = word(field.value()).to_ascii_lowercase();
    let name = MACHINES.into_iter().find(|name| field.is(name))?;
    let says_so = match name {
        "Auto-Submitted" => word != "no",
        "Precedence" => matches!(&*word, "bulk" | "junk" | "list" | "auto_reply"),
        _ => true,
    };
    says_so.then_some(name)
}

/// Fields that tell of machines and lists.
const MACHINES: [&str; 6] =
    ["Auto-Submitted", "List-Id", "Precedence", "X-Autoreply", "X-Autorespond", "X-Autoresponse"];

/// The first word of a value.
fn word(value: &[u8]) -> &str {
    let value = std::str::from_utf8(value).unwrap_or_default().trim_ascii();
    value.split([';', ' ', '\t', '(', '\r', '\n']).next().unwrap_or_default()
}

/// Whether the only To field has the code of the address.
fn is_addressed(header: &Header, code: &str) -> bool {
    let mut fields = header.named("to");
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    String::from_utf8_lossy(field.value()).to_ascii_lowercase().contains(code)
}

#[cfg(test)]
mod tests {
    use mailweir_spam::dkim::SignatureReader;

    use super::*;
    use crate::moderation::ReplyReader;

    fn machine(mail: &str, has_null_sender: bool) -> Option<&'static str> {
        let mail = mail.replace('\n', "\r\n");
        let (mut signatures, mut text) = (SignatureReader::default(), ReplyReader::default());
        signatures.feed(mail.as_bytes());
        text.feed(mail.as_bytes());
        let reply = Reply {
            id: mailweir_mail::QueueId::new(clock::now(), 1),
            code: &mailweir_moderation::token::Token::new([0; 32]).answer_code(),
            from: None,
            login: None,
            client: std::net::Ipv4Addr::LOCALHOST.into(),
            has_null_sender,
            signed: &signatures.finish(),
            text: &text.finish(),
        };
        reply.machine()
    }

    #[test]
    fn what_machines_write_is_known() {
        for (header, sign) in [
            ("Auto-Submitted: auto-replied", "Auto-Submitted"),
            ("Auto-submitted:\n auto-generated; x=y", "Auto-Submitted"),
            ("List-Id: <a.b>", "List-Id"),
            ("Precedence: Bulk", "Precedence"),
            ("X-Autoreply: yes", "X-Autoreply"),
            ("Content-Type: multipart/report; boundary=b; report-type=x", "a report"),
        ] {
            assert_eq!(machine(&format!("{header}\n\napprove\n"), false), Some(sign), "{header}");
        }
        assert_eq!(machine("\napprove\n", true), Some("null sender"));
        let person = "Auto-Submitted: No (a comment)\nPrecedence: first-class\n\napprove\n";
        assert_eq!(machine(person, false), None);
    }

    #[test]
    fn an_address_must_be_in_the_one_to_field() {
        let is_addressed = |mail: &str| {
            let mut reader = SignatureReader::default();
            reader.feed(mail.replace('\n', "\r\n").as_bytes());
            super::is_addressed(reader.finish().header(), "abc7")
        };
        assert!(is_addressed("To: Gate\n <gate+ABC7@x.example>\n\n"));
        assert!(!is_addressed("Cc: gate+abc7@x.example\n\n"));
        assert!(!is_addressed("To: gate+abc7@x.example\nTo: gate@x.example\n\n"));
        assert!(!is_addressed("To: gate+abd7@x.example\n\nTo: gate+abc7@x.example\n"));
    }
}
