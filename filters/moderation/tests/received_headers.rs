//! Received headers as the mail servers of the world write them, each with what a walk makes of it.
//! Names and addresses are replaced by those for documentation.

#![expect(clippy::disallowed_methods, reason = "the headers are files")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, path::Path};

use mailweir_moderation::chain::{
    InnerHops, Origin, OwnReceived, ReceivedHeaders, TrustedHosts, Verdict, WalkOptions, walk,
};

#[test]
fn every_header_of_the_collection_is_read_as_it_says() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/received");
    let mut seen = 0;
    let mut wrong = String::new();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let case = Case::read(&text);
        let (verdict, hops, story) = case.walk();
        if (&*verdict, &*hops) != (case.verdict, case.hops) {
            let name = path.file_name().unwrap().display();
            let _ = writeln!(wrong, "{name}: {verdict}, hops: {hops}\n{story}\n");
        }
        seen += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen >= 70, "{seen}");
}

/// A file: comments, then `key: value` lines, an empty line, and a header.
struct Case<'t> {
    peer: &'t str,
    trusted: Vec<&'t str>,
    options: WalkOptions,
    verdict: &'t str,
    /// The addresses behind the peer, `-` for none.
    hops: &'t str,
    header: &'t str,
}

impl<'t> Case<'t> {
    fn read(text: &'t str) -> Self {
        let (keys, header) = text.split_once("\n\n").unwrap();
        let value = |key: &str| {
            let mut lines = keys.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
        };
        Self {
            peer: value("peer").unwrap(),
            trusted: value("trust").unwrap().split(' ').collect(),
            options: options(value("options").unwrap_or_default()),
            verdict: value("verdict").unwrap(),
            hops: value("hops").unwrap(),
            header,
        }
    }

    /// The verdict, the addresses, and the whole of it.
    fn walk(&self) -> (String, String, String) {
        let headers = ReceivedHeaders::of(self.header.as_bytes());
        let hosts = TrustedHosts::parse(self.trusted.iter().copied()).unwrap();
        let walk = walk(self.peer.parse().unwrap(), &headers, &hosts, &self.options);
        let verdict = match walk.verdict() {
            Verdict::Trusted => "trusted".to_owned(),
            Verdict::Untrusted { hop, .. } => format!("untrusted {hop}"),
        };
        let addresses = walk.hops().iter().skip(1).map(|hop| hop.address);
        let addresses: Vec<_> =
            addresses.map(|ip| ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string())).collect();
        (verdict, addresses.join(" "), walk.to_string())
    }
}

fn options(words: &str) -> WalkOptions {
    let mut options = WalkOptions::default();
    for word in words.split_whitespace() {
        match word {
            "local_origin" => options.local_origin = Origin::Accept,
            "authenticated_origin" => options.authenticated_origin = Origin::Accept,
            "inner_hops" => options.inner_hops = InnerHops::SameHost,
            "own" => options.own = OwnReceived::OnTop,
            other => panic!("no such option: {other}"),
        }
    }
    options
}
