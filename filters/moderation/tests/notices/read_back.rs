//! Python's email package reads in a notice what went into it.

#![expect(clippy::disallowed_types, reason = "another program reads the notices")]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use mailweir_moderation::{
    case::{Kind, To, Word},
    notice::Language,
};
use mailweir_test_servers::tools;
use serde_json::{Value, json};

use super::{
    read::Part,
    sample::{EIGHT_BIT, ORIGINAL, Sample, address, all},
};

#[test]
fn another_program_reads_what_went_in() {
    if !tools::require(&["python3"]) {
        return;
    }
    for language in Language::ALL {
        let all = all(language);
        let mails: Vec<&[u8]> = all.iter().map(|(_, mail)| &mail.before[..]).collect();
        for ((name, mail), read) in all.iter().zip(read_by_python(&mails)) {
            let own = Part::of(&mail.before);
            let (text, html) = own.both();
            assert_eq!(read["defects"], json!([]), "{name}");
            assert_eq!(read["subject"], own.subject(), "{name}");
            assert_eq!(
                read["from"],
                json!([Sample::new(language).gateway, "approval@gate.own.example"])
            );
            assert_eq!(read["types"], json!(["multipart/alternative", "text/plain", "text/html"]));
            assert_eq!(read["texts"], json!([text, html]), "{name}");
            assert_eq!(read["language"], language.tag());
        }
    }
}

#[test]
fn another_program_finds_the_original_as_it_was() {
    if !tools::require(&["python3"]) {
        return;
    }
    let sample = Sample { attached: EIGHT_BIT, ..Sample::new(Language::Fr) };
    let boss = To::Moderator(address("boss@own.example"));
    let mail = sample.owed(&sample.open(Kind::Approval), Word::Request, &boss);
    let bytes = [&mail.before[..], ORIGINAL, &mail.behind].concat();
    let read = read_by_python(&[&bytes]).remove(0);
    assert_eq!(read["defects"], json!([]));
    let types =
        ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "message/rfc822"];
    assert_eq!(read["types"].as_array().unwrap()[..5], types.map(|kind| json!(kind)));
    assert_eq!(read["original"], "Gr\u{fc}\u{df}e --=_m000\r\n.\r\nFrom me\r\nno line end");
    let address = read["reply_to"].as_str().unwrap();
    assert!(address.starts_with("approval+") && address.ends_with("@gate.own.example"));
}

/// What Python finds in each mail.
fn read_by_python(mails: &[&[u8]]) -> Vec<Value> {
    let mut python = Command::new("python3")
        .args(["-I", "-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let input: Vec<u8> = mails
        .iter()
        .flat_map(|mail| [&u32::try_from(mail.len()).unwrap().to_be_bytes()[..], mail].concat())
        .collect();
    // It says nothing before it has read all.
    stdin.write_all(&input).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    all.as_array().unwrap().clone()
}

const READER: &str = r#"
import email, email.policy, email.utils, json, sys
found, data = [], sys.stdin.buffer
while size := data.read(4):
    mail = email.message_from_bytes(data.read(int.from_bytes(size, "big")), policy=email.policy.SMTP)
    parts = list(mail.walk())
    answer = {
        "subject": mail["Subject"], "from": email.utils.parseaddr(mail["From"]),
        "reply_to": email.utils.parseaddr(mail["Reply-To"] or "")[1],
        "language": mail["Content-Language"],
        "defects": [repr(d) for part in parts for d in part.defects]
            + [repr(d) for _, value in mail.items() for d in value.defects],
        "types": [part.get_content_type() for part in parts],
        "texts": [part.get_payload(decode=True).decode("utf-8") for part in parts
                  if part.get_content_type() in ("text/plain", "text/html")],
    }
    for part in parts:
        if part.get_content_type() == "message/rfc822":
            answer["original"] = part.get_payload()[0].get_payload(decode=True).decode("utf-8")
    found.append(answer)
json.dump(found, sys.stdout)
"#;
