//! Mail that is made to exhaust those who read it costs the whole gateway no memory, with all eight
//! kinds of checks on (`attacks.md` E1, E2, E4).
//!
//! The gateway runs in this process, and the client sends without keeping anything. What counts is
//! the most memory that this process ever had (`VmHWM` of proc(5)); therefore this is one test in a
//! file of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

use std::fs;

use mailweir_tests::{
    gateway::{Gateway, Setup},
    sink::{Script, Sink},
};

#[tokio::test]
async fn mail_made_to_exhaust_its_readers_costs_no_memory() {
    let tables = tempfile::tempdir().unwrap();
    let rules = tables.path().join("rules");
    // Something that has to be looked for in every line, and is nowhere.
    fs::write(&rules, "/(needle|nadel) *(in|im) *(a )?hay/ REJECT found\n/[ab]+c$/ DUNNO\n")
        .unwrap();
    let trace = tables.path().join("trace");
    fs::write(&trace, "/^Received: .*by gate\\.example/ HOLD\n").unwrap();
    let table = format!("[\"pcre:{}\"]", rules.display());
    let keys = KEYS.map(|key| format!("{key} = {table}\n")).concat();
    let header = format!(
        "header_checks = [\"pcre:{}\", \"pcre:{}\"]\n{keys}",
        trace.display(),
        rules.display()
    );
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink)
        .section("checks", &header)
        .section("limits", "message_size_limit = \"200 MiB\"");
    let gateway = Gateway::start(&setup).await;
    for flood in &FLOODS {
        send(&gateway, flood, 100).await;
    }
    for flood in &FLOODS {
        let before = peak_memory();
        let reply = send(&gateway, flood, flood.times).await;
        // The kernel counts by processor, and may say a little less a little later.
        let grown = peak_memory().saturating_sub(before);
        assert!(reply.starts_with(flood.reply), "{}: {reply}", flood.name);
        assert!(grown <= ALLOWED, "{}: {grown} bytes", flood.name);
    }
}

/// A mail that is one piece again and again. `{n}` in the piece is a number.
struct Flood {
    name: &'static str,
    begin: &'static str,
    piece: &'static str,
    times: usize,
    end: &'static str,
    reply: &'static str,
}

const FLOODS: [Flood; 9] = [
    Flood {
        name: "E1: 100,000 headers",
        begin: "",
        piece: "X-{n}: a header\r\n",
        times: 100_000,
        end: "\r\ntext\r\n",
        reply: "250",
    },
    Flood {
        name: "E1: 500,000 addresses in one header",
        begin: "To: a@local.example",
        piece: ",\r\n user{n}@local.example",
        times: 500_000,
        end: "\r\n\r\ntext\r\n",
        reply: "250",
    },
    Flood {
        name: "E1: a header that is folded without end",
        begin: "Subject: =?utf-8?q?a",
        piece: "?=\r\n =?utf-8?q?a",
        times: 1_000_000,
        end: "?=\r\n\r\ntext\r\n",
        reply: "250",
    },
    Flood {
        name: "E1: one address with a million comments",
        begin: "From: a",
        piece: "(((\"\\",
        times: 3_000_000,
        end: "\r\n\r\ntext\r\n",
        reply: "250",
    },
    Flood {
        name: "E2: parts in parts",
        begin: "",
        piece: "Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n",
        times: 30_000,
        end: "\r\ntext\r\n",
        reply: "550 5.6.0 MIME nesting exceeds safety limit",
    },
    Flood {
        name: "E2: parts without end",
        begin: "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        piece: "--b\r\nContent-Disposition: attachment; filename={n}\r\n\r\nx\r\n",
        times: 60_000,
        end: "--b--\r\n",
        reply: "250",
    },
    Flood {
        name: "E4: base64 that is none",
        begin: "Content-Type: application/zip; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        piece: "UEsDBBQ=AAA*AAAAIQ\u{1}DTIJ==5DLQ\r\n",
        times: 100_000,
        end: "",
        reply: "250",
    },
    Flood {
        name: "E4: text in a charset that nobody knows",
        begin: "Content-Type: text/plain; charset=x-none\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        piece: "\u{ff}\u{fe}\u{1b}$)C\u{e} no line end ",
        times: 400_000,
        end: "\r\n",
        reply: "250",
    },
    Flood {
        name: "E4: HTML that never closes",
        begin: "Content-Type: text/html; charset=utf-8\r\n\r\n",
        piece: "<div style=\"a{n}\"><a href=\"&#x",
        times: 300_000,
        end: "\r\n",
        reply: "250",
    },
];

async fn send(gateway: &Gateway, flood: &Flood, times: usize) -> String {
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
    peer.ask("RCPT TO:<user@local.example>", "250 *").await;
    peer.ask("DATA", "354 *").await;
    peer.write(flood.begin.as_bytes()).await;
    let mut block = String::with_capacity(BLOCK + 200);
    for number in 0..times {
        block.push_str(&flood.piece.replace("{n}", &number.to_string()));
        if block.len() >= BLOCK {
            peer.write(block.as_bytes()).await;
            block.clear();
        }
    }
    block.push_str(flood.end);
    if !block.ends_with("\r\n") {
        block.push_str("\r\n");
    }
    block.push_str(".\r\n");
    peer.write(block.as_bytes()).await;
    let reply = peer.reply().await;
    peer.leave().await;
    reply
}

fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

/// Beside `header_checks`.
const KEYS: [&str; 7] = [
    "mime_header_checks",
    "nested_header_checks",
    "body_checks",
    "decoded_header_checks",
    "text_body_checks",
    "attachment_name_checks",
    "attachment_type_checks",
];

const BLOCK: usize = 64 * 1024;

/// Below what is sent, which is up to 20 MB, and above what readers may hold of one mail at a time:
/// a header, a line, the open parts.
const ALLOWED: usize = 8 * 1024 * 1024;
