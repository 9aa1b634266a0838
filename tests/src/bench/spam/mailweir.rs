//! Mailweir as it takes mail of strangers, with everything that it can check.

use std::{fs, io, path::Path};

use super::{
    Checker, Lessons,
    load::{by_smtp, greets},
    mails::{Letter, RECIPIENT_DOMAIN},
    names::Names,
};
use crate::{
    bench::contestant::{self, Instance, NextHop},
    peers::SmtpSink,
    program::Program,
    wait,
};

/// What is switched on: all that counts as "fully checked". No mail of the load may be held or refused, since each has to take the
/// whole way; one that is held ends the run.
const SPAM: &str = r#"[spam]
enabled = true
tag_from = 900
quarantine_from = 1000
dmarc = "note"
dnsbl_sites = ["zen.spamhaus.org*4", "rep.mailspike.net=127.0.0.[10..12]*2", "bl.blocklist.de*2", "list.dnswl.org=127.0.[0..255].[1..3]*-2"]
rhsbl_sites = ["dbl.spamhaus.org=127.0.1.[2..99]*3", "multi.surbl.org*2", "multi.uribl.com*2"]
uribl_sites = ["dbl.spamhaus.org=127.0.1.[2..99]*3", "multi.surbl.org*2", "multi.uribl.com*2"]
"#;

/// Running, with a sink behind it.
pub(super) struct Mailweir {
    instance: Instance,
    program: Program,
    _sink: SmtpSink,
}

impl Mailweir {
    pub(super) fn start(
        binary: &Path,
        names: &Names,
        lessons: &Lessons,
        progress: &mut dyn FnMut(&str),
    ) -> io::Result<Self> {
        let sink = SmtpSink::start()?;
        let sections = format!(
            "[domains]\nrelay = [\"{RECIPIENT_DOMAIN}\"]\n[dns]\nservers = [\"{}\"]\n{SPAM}",
            names.address()
        );
        let instance = contestant::Mailweir::new(binary)
            .with_listener("proxy_protocol = true\nproxy_hosts = [\"127.0.0.1/32\"]")
            .with(&sections)
            .lay_out(NextHop::Sink(sink.address()))?;
        let program = instance.launch()?;
        let listens = || greets(instance.listener()).ok();
        wait::within(wait::PATIENCE, listens)
            .ok_or_else(|| io::Error::other("mailweir does not listen"))?;
        progress(&taught(&instance, lessons)?);
        Ok(Self { instance, program, _sink: sink })
    }
}

impl Checker for Mailweir {
    fn name(&self) -> &'static str {
        "Mailweir"
    }

    fn clients(&self) -> usize {
        super::MAIL_CLIENTS
    }

    fn hand_in(&self, letter: &Letter) -> io::Result<()> {
        by_smtp(self.instance.listener(), letter)
    }

    fn settle(&self) -> io::Result<()> {
        self.instance.wait_drained()
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.program.id()]
    }

    fn proofs(&self) -> &'static [&'static str] {
        &["iprev=pass", "spf=pass", "dkim=pass", "dmarc=pass", "\"BAYES_", "\"DNSBL\"", "\"URIBL\""]
    }

    fn said(&self) -> String {
        fs::read_to_string(self.instance.log()).unwrap_or_default()
    }
}

/// Has the classifier learn; a line about it.
fn taught(instance: &Instance, lessons: &Lessons) -> io::Result<String> {
    for (class, folder) in [("--ham", lessons.ham()), ("--spam", lessons.spam())] {
        let folder = folder.display().to_string();
        let output = instance.command(&["spam", "learn", class, &folder]).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(format!("spam learn: {said}")));
        }
    }
    Ok(format!("Mailweir: the classifier knows {} mails of each kind", super::LESSONS))
}
