//! The Received header that we put on top of every mail (RFC 5321 section 4.4).
//!
//! Pure. It is the first thing written into the intake, so the mail is stored as it will leave.

use std::fmt::Write;

use mailweir_mail::{Client, Domain, Envelope, Login, Protocol, QueueId, Timestamp, TlsSummary};

/// What a Received header tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace<'a> {
    /// The name of this gateway.
    pub(super) hostname: &'a Domain,
    /// The peer.
    pub(super) client: &'a Client,
    /// What the peer called itself. The session lets no control character in.
    pub(super) helo: &'a str,
    /// The protocol in use.
    pub(super) protocol: Protocol,
    /// Who logged in. Only the fact is told (`ESMTPA`), never the name.
    pub(super) login: Option<&'a Login>,
    /// The TLS layer.
    pub(super) tls: Option<&'a TlsSummary>,
    /// The mail's id.
    pub(super) id: QueueId,
    /// The envelope; its recipient is told only if there is just one (RFC 5321 section 7.2).
    pub(super) envelope: &'a Envelope,
    /// When.
    pub(super) now: Timestamp,
}

impl Trace<'_> {
    /// The header, folded, with CRLF.
    #[must_use]
    pub(super) fn header(&self) -> String {
        let mut text = String::with_capacity(320);
        // Writing into a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let name = self.client.name_or_unknown();
        let helo = comment_safe(self.helo);
        write!(text, "Received: from {helo} ({name} [{}])\r\n", address(self.client))?;
        if let Some(tls) = self.tls {
            write!(text, "\t(using {} with cipher {}", tls.version, tls.cipher)?;
            write!(text, " ({}/{} bits))\r\n", tls.bits, tls.bits)?;
        }
        let with =
            self.protocol.with(self.tls.is_some(), self.login.is_some(), self.envelope.smtputf8);
        write!(text, "\tby {} (Mailweir) with {with} id {}", self.hostname, self.id)?;
        if let [recipient] = self.envelope.recipients.as_slice() {
            write!(text, "\r\n\tfor <{}>", recipient.address)?;
        }
        write!(text, "; {}\r\n", self.now.rfc5322())
    }
}

/// An IPv6 address is tagged, as RFC 5321 section 4.1.3 writes it.
fn address(client: &Client) -> String {
    let ip = client.ip();
    if ip.is_ipv6() { format!("IPv6:{ip}") } else { ip.to_string() }
}

/// A HELO name is the peer's free text: what could open a comment or a new clause is replaced.
fn comment_safe(helo: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || "-_.:[]".contains(c);
    helo.chars().map(|c| if safe(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use mailweir_mail::ReversePath;
    use mailweir_moderation::chain::{Received, ReceivedError, Source};

    use super::*;

    fn header(helo: &str, tls: Option<&TlsSummary>, recipients: &[&str]) -> String {
        header_of("192.0.2.1:4711", helo, tls, recipients)
    }

    fn header_of(
        client: &str,
        helo: &str,
        tls: Option<&TlsSummary>,
        recipients: &[&str],
    ) -> String {
        let mut envelope = Envelope::from_sender(ReversePath::Null);
        for recipient in recipients {
            envelope = envelope.to(recipient.parse().unwrap());
        }
        let now = Timestamp::from_secs(1_795_210_205);
        Trace {
            hostname: &"gate.example.org".parse().unwrap(),
            client: &Client::unnamed(client.parse().unwrap()),
            helo,
            protocol: Protocol::Esmtp,
            login: None,
            tls,
            id: QueueId::new(now, 7),
            envelope: &envelope,
            now,
        }
        .header()
    }

    #[test]
    fn one_recipient_is_named() {
        assert_eq!(
            header("client.example", None, &["a@b.example"]),
            "Received: from client.example (unknown [192.0.2.1])\r\n\
             \tby gate.example.org (Mailweir) with ESMTP id 4jWT590000z7\r\n\
             \tfor <a@b.example>; Fri, 20 Nov 2026 21:30:05 +0000\r\n"
        );
    }

    #[test]
    fn several_recipients_are_not_told_about_each_other() {
        assert!(!header("c.example", None, &["a@b.example", "c@d.example"]).contains("for <"));
    }

    #[test]
    fn tls_is_shown() {
        let tls = TlsSummary {
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            bits: 256,
        };
        let text = header("c.example", Some(&tls), &["a@b.example"]);
        assert!(text.contains("(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))"));
        assert!(text.contains("with ESMTPS id"));
    }

    /// Row E8 of `attacks.md`.
    #[test]
    fn a_hostile_helo_cannot_forge_a_clause() {
        let text = header("x) by real.example (y; from\r\nBcc: z", None, &["a@b.example"]);
        assert_eq!(text.lines().count(), 3);
        assert!(text.starts_with("Received: from x??by?real.example??y??from??Bcc:?z (unknown"));
    }

    #[test]
    fn whoever_follows_the_chain_reads_the_address_that_we_saw() {
        let tls = TlsSummary {
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            bits: 256,
        };
        let odd = "\"a) ([192.0.2.9]) by b with ESMTPSA; <\"@b.example";
        for client in ["192.0.2.1", "2001:db8::1"] {
            let address: std::net::IpAddr = client.parse().unwrap();
            let peer = std::net::SocketAddr::new(address, 25).to_string();
            for helo in ["c.example", "[192.0.2.9]", "x ([192.0.2.9]) by y", "by", "(", "\"", "<;"]
            {
                for (tls, recipient) in [(None, odd), (Some(&tls), "a@b.example")] {
                    let header = header_of(&peer, helo, tls, &[recipient]);
                    let read = Received::parse(header.trim_end().as_bytes());
                    if helo.contains("([") {
                        assert_eq!(read, Err(ReceivedError::TwoAddresses), "{header}");
                        continue;
                    }
                    let read = read.unwrap();
                    assert_eq!(read.source, Source::Address(address), "{header}");
                    assert_eq!(read.by.as_deref(), Some("gate.example.org"), "{header}");
                    assert!(!read.is_authenticated(), "{header}");
                }
            }
        }
    }
}
