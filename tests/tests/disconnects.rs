//! The peer hangs up at every byte of a conversation (`attacks.md` A19).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::time::Instant;

use mailweir_mail::Domain;
use mailweir_smtp::server::{Rights, Settings};
use mailweir_tests::rig::Rig;

#[test]
fn hanging_up_at_any_byte_of_a_mail_queues_nothing_and_leaks_nothing() {
    let body = "A line of thirty-two characters.\r\n".repeat(60);
    let by_dot = format!("DATA\r\n|Subject: x\r\n\r\n{body}.\r\n");
    let by_count = format!("BDAT {} LAST\r\n|{body}", body.len());
    for ending in [by_dot, by_count] {
        let packets = "EHLO c.example\r\n|MAIL FROM:<a@c.example>\r\nRCPT TO:<b@local.example>\r\n|"
            .to_owned() + &ending;
        let whole = packets.replace('|', "").len();
        for sent in 0..=whole {
            let rig = hang_up_after(&packets, sent);
            assert_eq!(rig.queued.len(), usize::from(sent == whole), "{sent} of {whole} bytes");
            assert!(!rig.has_open_intake());
            assert_eq!(rig.session().transaction(), None);
        }
    }
}

/// Sends so many bytes; packets are divided by `|`.
fn hang_up_after(packets: &str, bytes: usize) -> Rig {
    let settings = Settings::new(Domain::parse("gate.example").unwrap());
    let mut rig = Rig::new(settings, Rights::NONE, Instant::now());
    rig.receive(b"");
    let mut left = bytes;
    for packet in packets.split('|') {
        let sent = left.min(packet.len());
        rig.receive(&packet.as_bytes()[..sent]);
        left -= sent;
    }
    rig.hang_up();
    rig
}
