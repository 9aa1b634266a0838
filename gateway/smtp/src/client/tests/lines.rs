//! Lines that many scripts share. Recipients are words, as those of [`super::driver::mail`].

/// A peer that offers PIPELINING.
pub(super) const PIPELINED: &str = "S: 220 mx.example
     C: EHLO mail.example
     S: 250-mx.example
     S: 250 PIPELINING
    ";

/// A peer that offers nothing, and so gets one command at a time.
pub(super) const LOCKSTEP: &str = "S: 220 mx.example
     C: EHLO mail.example
     S: 250 mx.example
    ";

/// The end of a connection that we leave.
pub(super) const LEFT: &str = "C: QUIT\n* quit\n";

/// A peer that offers these extensions.
pub(super) fn offering(keywords: &[&str]) -> String {
    let lines: String = keywords.iter().map(|word| format!("S: 250-{word}\n")).collect();
    format!("S: 220 mx.example\nC: EHLO mail.example\nS: 250-mx.example\n{lines}S: 250 HELP\n")
}

/// The commands of a mail in one packet.
pub(super) fn packet(to: &str) -> String {
    format!("C: {}\n", commands(to).join("\nC: "))
}

/// As [`packet`], and the peer agrees to all of them.
pub(super) fn agreed(to: &str) -> String {
    let yes = "S: 250 ok\n".repeat(commands(to).len() - 1);
    format!("{}{yes}S: 354 go\n", packet(to))
}

/// The commands of a mail, each behind the answer to the one before; the peer agrees.
pub(super) fn agreed_in_turn(to: &str) -> String {
    format!("C: {}\nS: 354 go\n", commands(to).join("\nS: 250 ok\nC: "))
}

/// The content of a mail, which the peer takes.
pub(super) fn taken(serial: u32, to: &str) -> String {
    let delivered = |to| format!("* mail {serial} <{to}@x.example> delivered: 250 queued\n");
    let told: String = to.split_whitespace().map(delivered).collect();
    format!("{}S: 250 queued\n{told}", content(serial))
}

/// The content of a mail.
pub(super) fn content(serial: u32) -> String {
    format!("C: mail {serial}\nC: .\n")
}

fn commands(to: &str) -> Vec<String> {
    let mut commands = vec!["MAIL FROM:<sender@from.example>".to_owned()];
    commands.extend(to.split_whitespace().map(|local| format!("RCPT TO:<{local}@x.example>")));
    commands.push("DATA".to_owned());
    commands
}
