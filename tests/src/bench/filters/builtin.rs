//! Our own checks and rules, as a site has them that looks at everything: tables for each thing that can be checked, restrictions
//! that need no other server, and rules of moderation. None means a mail of the load, so that all are asked about each.

use std::{fmt::Write as _, fs, io};

use tempfile::TempDir;

use crate::bench::rules;

/// The files of tables.
pub(super) struct Tables(TempDir);

impl Tables {
    pub(super) fn write() -> io::Result<Self> {
        let place = tempfile::tempdir()?;
        for (name, text) in [
            ("headers", rules::table(PATTERNS)),
            ("lines", patterns("cheap pills {n}\\b", "REJECT")),
            ("subjects", patterns("^Subject: *\\[offer {n}\\]", "REJECT")),
            ("words", patterns("\\b(win|won) prize {n}\\b", "HOLD")),
            ("names", patterns("offer{n}\\.(exe|scr|js|vbs|lnk|iso)$", "REJECT")),
            ("types", TYPES.to_owned()),
            ("clients", keys("198.51.100.{n}/32")),
            ("senders", keys("@offer{n}.example")),
            ("recipients", keys("left{n}@recipient.example")),
        ] {
            fs::write(place.path().join(name), text)?;
        }
        Ok(Self(place))
    }

    /// The sections of a configuration that has all this.
    pub(super) fn sections(&self) -> String {
        let table =
            |kind: &str, name: &str| format!("{kind}:{}", self.0.path().join(name).display());
        let pcre = |name: &str| table("pcre", name);
        format!(
            "[checks]\n\
             header_checks = [{headers:?}]\nbody_checks = [{lines:?}]\n\
             decoded_header_checks = [{subjects:?}]\ntext_body_checks = [{words:?}]\n\
             attachment_name_checks = [{names:?}]\nattachment_type_checks = [{types:?}]\n\
             [restrictions]\n\
             client = [\"check_client_access {clients}\"]\nhelo = [\"reject_invalid_helo_hostname\"]\n\
             sender = [\"reject_non_fqdn_sender\", \"check_sender_access {senders}\"]\n\
             recipient = [\"reject_non_fqdn_recipient\", \"check_recipient_access {recipients}\"]\n\
             {RULES}",
            headers = pcre("headers"),
            lines = pcre("lines"),
            subjects = pcre("subjects"),
            words = pcre("words"),
            names = pcre("names"),
            types = table("hash", "types"),
            clients = table("cidr", "clients"),
            senders = table("hash", "senders"),
            recipients = table("hash", "recipients"),
        )
    }
}

/// A table of patterns, with the number of each in the place of `{n}`.
fn patterns(pattern: &str, action: &str) -> String {
    each(|text, number| writeln!(text, "/{}/ {action} {number}", pattern.replace("{n}", number)))
}

/// A table of keys, none of which is one of the load.
fn keys(key: &str) -> String {
    each(|text, number| writeln!(text, "{} REJECT {number}", key.replace("{n}", number)))
}

fn each(mut line: impl FnMut(&mut String, &str) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for number in 0..PATTERNS {
        // Writing to a string cannot fail.
        let _ = line(&mut text, &number.to_string());
    }
    text
}

/// Lines of each table.
const PATTERNS: usize = 100;

const TYPES: &str = "\
application/x-dosexec REJECT programs are not taken here
application/vnd.ms-office.vbaProject HOLD macros
application/x-encrypted HOLD cannot be looked into
application/x-ambiguous-archive REJECT damaged archive
application/x-compression-bomb REJECT
message/x-several-boundaries HOLD can be read in several ways
";

/// A rule for each thing that a rule can look at.
const RULES: &str = r#"
[[moderation.rule]]
name = "secrets"
subject = ['\bconfidential\b', '\[internal\]', '대외비']
action = "approval"
moderators = ["moderator@bench.test.example"]
[[moderation.rule]]
name = "secret text"
text = ['\bnot for release\b', '\bproject (falcon|heron)\b', '대외비']
action = "approval"
moderators = ["moderator@bench.test.example"]
[[moderation.rule]]
name = "numbers of people"
numbers = ["kr-resident-number", "jp-my-number", "fr-nir", "card-number", "iban"]
numbers_at_least = 3
action = "approval"
moderators = ["moderator@bench.test.example"]
[[moderation.rule]]
name = "drawings"
attachment_type = ['^image/vnd\.(dwg|dxf)$']
attachment_name = ['\.(dwg|dxf|step)$']
action = "approval"
moderators = ["moderator@bench.test.example"]
[[moderation.rule]]
name = "large, with an attachment, to the outside"
larger_than = "1 MiB"
attachment = true
outside = true
action = "delay"
[[moderation.rule]]
name = "many people"
more_than = 50
action = "confirmation"
[[moderation.rule]]
name = "newcomers"
senders = ["newcomer@sender.example", "@trial.example", "/^temp[0-9]+@/"]
action = "approval"
moderators = ["moderator@bench.test.example"]
[[moderation.rule]]
name = "the press"
recipients = ["@press.example", ".news.example"]
action = "notice"
moderators = ["moderator@bench.test.example"]
"#;
