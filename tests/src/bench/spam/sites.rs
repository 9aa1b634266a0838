//! Who sends the mail of the run: domains with SPF, DKIM and DMARC, each with a host of its own; sites that mail links to; and
//! which of all that stands on lists. All of it is a zone of the run's name server, and nobody else is asked.

use std::{fmt::Write as _, io, net::Ipv4Addr, time::SystemTime};

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
};
use mailweir_mail::{Domain, Timestamp};
use mailweir_spam::dkim::{
    SignatureReader, Signer,
    sign::{Coverage, SigningKey},
};

/// A domain that sends mail from one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Site(u8);

impl Site {
    /// Of those of good mail or of spam, the one with this number.
    pub(super) fn of(is_spam: bool, number: u64) -> Self {
        let number = number % u64::from(EACH);
        let number = u8::try_from(number).expect("a remainder");
        Self(if is_spam { EACH + number } else { number })
    }

    fn all() -> impl Iterator<Item = Self> {
        (0..2 * EACH).map(Self)
    }

    pub(super) fn domain(self) -> String {
        format!("sender{}-bench.com", self.0)
    }

    pub(super) fn host(self) -> String {
        format!("mail.{}", self.domain())
    }

    /// Of a network that is for documents.
    pub(super) fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, self.0 + 1)
    }

    fn is_listed(self) -> bool {
        self.0 >= EACH && self.0.is_multiple_of(3)
    }
}

/// A site that mail links to.
pub(super) fn linked(is_spam: bool, number: u64) -> String {
    format!("{}{}-bench.com", if is_spam { "offer" } else { "shop" }, number % LINKED)
}

/// The private key of all senders. Making one for each would take longer than the rest.
pub(super) struct Key(Vec<u8>);

impl Key {
    pub(super) fn new() -> io::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let der = pair.as_der().map_err(io::Error::other)?;
        Ok(Self(der.as_ref().to_vec()))
    }

    /// The mail with a signature of this site on top.
    pub(super) fn sign(&self, site: Site, mail: &[u8]) -> io::Result<Vec<u8>> {
        let signer = Signer::new(vec![self.of(site)?], Coverage::default());
        let mut reader = SignatureReader::for_signing();
        reader.feed(mail);
        let read = reader.finish();
        let body = read.body_hash().ok_or_else(|| io::Error::other("no body to sign"))?;
        let mut fields = signer.sign(read.header(), body, now(), None).map_err(io::Error::other)?;
        fields.push(mail.to_vec());
        Ok(fields.concat())
    }

    /// What the name server knows.
    pub(super) fn zone(&self) -> io::Result<String> {
        let mut zone = String::new();
        for site in Site::all() {
            let (domain, host, address) = (site.domain(), site.host(), site.address());
            let record = self.of(site)?.record().zone_line();
            let reverse = reversed(address);
            let _ = write!(
                zone,
                "{domain} A {address}\n{domain} MX 10 {host}\n{host} A {address}\n\
                 {reverse}.in-addr.arpa PTR {host}\n\
                 {domain} TXT v=spf1 include:_spf.{domain} -all\n\
                 _spf.{domain} TXT v=spf1 ip4:{address} -all\n\
                 _dmarc.{domain} TXT v=DMARC1; p=reject; rua=mailto:dmarc@{domain}\n{record}\n"
            );
            if site.is_listed() {
                let _ = writeln!(zone, "{reverse}.zen.spamhaus.org A 127.0.0.4");
            }
        }
        for number in 0..LINKED {
            for is_spam in [false, true] {
                let linked = linked(is_spam, number);
                let _ = writeln!(zone, "{linked} A 198.51.100.{number}");
            }
            if number.is_multiple_of(3) {
                let linked = linked(true, number);
                let _ = writeln!(zone, "{linked}.dbl.spamhaus.org A 127.0.1.2");
                let _ = writeln!(zone, "{linked}.multi.surbl.org A 127.0.0.64");
            }
        }
        Ok(zone)
    }

    fn of(&self, site: Site) -> io::Result<SigningKey> {
        let domain: Domain = site.domain().parse().map_err(io::Error::other)?;
        SigningKey::from_pkcs8(&domain, "bench", &self.0).map_err(io::Error::other)
    }
}

/// As reverse zones and lists write an address.
fn reversed(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}")
}

/// Servers look at the clock as well.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_secs(since.as_secs())
}

/// Domains of each kind: what they have in all fits into the last byte of an address.
const EACH: u8 = 100;
const LINKED: u64 = 200;
