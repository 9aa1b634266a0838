//! `mailweir dkim`: new keys to sign mail with, and whether their records are published.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    error::Unspecified,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::Ed25519KeyPair,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::{Args, Subcommand, ValueEnum};
use mailweir_mail::{Date, Domain};
use mailweir_spam::{
    dkim::sign::{Record, SigningKey},
    dns::{Answer, Dns as _},
};

use super::{
    ExitCode,
    owner::{give_to_owner, make_directory},
};
use crate::{app, clock, config::Config, spam::Names};

#[derive(Args, Debug)]
pub(super) struct DkimCommand {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, and say what to publish and what to write into the configuration
    New {
        /// The domain that is to sign, such as example.org
        domain: Domain,
        /// RSA is understood everywhere; Ed25519 is small and fast, and not yet: use it beside RSA
        #[arg(long, default_value = "rsa")]
        algorithm: Algorithm,
        /// The bits of an RSA key
        #[arg(long, default_value = "2048", value_parser = ["2048", "3072", "4096"])]
        bits: String,
        /// The name of the key in the domain; absent: "mw", today, and the algorithm
        #[arg(long, value_name = "NAME")]
        selector: Option<String>,
        /// Where the key goes; absent: into "dkim" in the data directory
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// List the configured keys, and ask the name servers whether their records are published
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Algorithm {
    Rsa,
    Ed25519,
}

pub(super) fn run(command: &DkimCommand) -> anyhow::Result<ExitCode> {
    match &command.action {
        Action::New { domain, algorithm, bits, selector, key_file } => {
            let usual = || usual_selector(*algorithm, Date::of(clock::now()));
            let selector = selector.clone().unwrap_or_else(usual);
            let file = match key_file {
                Some(file) => file.clone(),
                None => match super::load(&command.config) {
                    Ok(config) => usual_file(&config, &selector, domain)?,
                    Err(code) => return Ok(code),
                },
            };
            new(domain, &selector, *algorithm, bits, &file)
        }
        Action::List => match super::load(&command.config) {
            Ok(config) => super::runtime()?.block_on(list(&config)),
            Err(code) => Ok(code),
        },
    }
}

fn usual_selector(algorithm: Algorithm, today: Date) -> String {
    let kind = match algorithm {
        Algorithm::Rsa => "rsa",
        Algorithm::Ed25519 => "ed25519",
    };
    format!("mw-{today}-{kind}")
}

fn usual_file(config: &Config, selector: &str, domain: &Domain) -> anyhow::Result<PathBuf> {
    let directory = config.server.data_dir.join("dkim");
    super::make_data_dir(&config.server.data_dir)?;
    make_directory(&directory).with_context(|| format!("directory {}", directory.display()))?;
    Ok(directory.join(format!("{selector}._domainkey.{}.pem", domain.as_ascii())))
}

fn new(
    domain: &Domain,
    selector: &str,
    algorithm: Algorithm,
    bits: &str,
    file: &Path,
) -> anyhow::Result<ExitCode> {
    let der = generate(algorithm, bits)?;
    let key = SigningKey::from_pkcs8(domain, selector, &der)?;
    write_secret(file, pem(&der).as_bytes())?;
    let belongs = if fs::metadata(file)?.uid() == ROOT { FOR_ANOTHER_USER } else { "" };
    let (record, file) = (key.record(), file.display());
    let (selector, domain) = (key.selector(), key.domain());
    writeln!(
        io::stdout().lock(),
        "# The key is in {file}.\n{belongs}\
         # Publish this record, and wait until the world sees it (a day is enough):\n\
         {}\n\n\
         # Then these lines go into mailweir.toml:\n\
         [[dkim]]\ndomain = \"{domain}\"\nselector = \"{selector}\"\nkey_file = \"{file}\"\n\n\
         # Does it replace another? Give that one `until`, and this one `from`, the same day. The old record\n\
         # should stay published for a week behind it. `mailweir dkim list` says what is published.",
        record.zone_line()
    )?;
    Ok(ExitCode::Done)
}

fn generate(algorithm: Algorithm, bits: &str) -> anyhow::Result<Vec<u8>> {
    let size = match bits {
        "3072" => KeySize::Rsa3072,
        "4096" => KeySize::Rsa4096,
        _ => KeySize::Rsa2048,
    };
    let rsa = || -> Result<Vec<u8>, Unspecified> {
        let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(size)?.as_der()?;
        Ok(der.as_ref().to_vec())
    };
    let der = match algorithm {
        Algorithm::Rsa => rsa(),
        Algorithm::Ed25519 => Ed25519KeyPair::generate()
            .and_then(|pair| pair.to_pkcs8v1())
            .map(|der| der.as_ref().to_vec()),
    };
    der.ok().context("the key could not be made")
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN {LABEL}-----\n{body}-----END {LABEL}-----\n")
}

/// It belongs to whom its directory belongs: the gateway must be able to read it, also if root gives this command.
/// A key that others could read is none any more, and one that is overwritten may be published.
fn write_secret(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut opened = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} is there already; nothing was changed", file.display());
        }
        opened => opened.with_context(|| format!("{} cannot be made", file.display()))?,
    };
    let written = opened.write_all(content).and_then(|()| give_to_owner(&opened, file));
    let written = written.and_then(|()| opened.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(file);
    }
    written.with_context(|| format!("{} cannot be written", file.display()))
}

/// How a key stands with the name servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Published {
    AsItIs,
    Otherwise,
    Not,
    Unclear,
}

async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    if config.dkim.is_empty() {
        eprintln!("mailweir: no key is configured; `mailweir dkim new` makes one");
        return Ok(ExitCode::Refused);
    }
    let resolver = app::resolver(config)?;
    let names = Names::for_keys(&*resolver);
    let (today, mut out) = (Date::of(clock::now()), io::stdout().lock());
    let mut all_are_published = true;
    for key in &config.dkim {
        let record = key.signer.keys().first().map(SigningKey::record);
        let Some(record) = record else { continue };
        let published = look_up(&record, &names).await;
        let said = match published {
            Published::AsItIs => "published",
            Published::Otherwise => "ANOTHER KEY IS PUBLISHED",
            Published::Not => "NOT PUBLISHED",
            Published::Unclear => "the name servers do not tell",
        };
        let signs = match (key.is_in_force(today), key.from, key.until) {
            (true, _, None) => "signs".to_owned(),
            (true, _, Some(until)) => format!("signs until {until}"),
            (false, Some(from), _) if today < from => format!("signs from {from}"),
            (false, ..) => "signs no more".to_owned(),
        };
        writeln!(out, "{}: {signs}; {said}", record.name)?;
        if published != Published::AsItIs {
            all_are_published = false;
            writeln!(out, "  to be published: {}", record.zone_line())?;
        }
    }
    Ok(if all_are_published { ExitCode::Done } else { ExitCode::Refused })
}

async fn look_up(record: &Record, names: &Names<'_>) -> Published {
    match names.txt(&record.name).await {
        Answer::Found(texts) if texts.iter().any(|text| is_same(text, &record.text)) => {
            Published::AsItIs
        }
        Answer::Found(_) => Published::Otherwise,
        Answer::NoSuchName | Answer::NoRecords => Published::Not,
        Answer::Unclear | Answer::NotAsked => Published::Unclear,
    }
}

/// White space and the order of tags do not matter (RFC 6376 section 3.2); the key does.
fn is_same(published: &str, ours: &str) -> bool {
    let key = |text: &str| {
        let tag = text.split(';').find_map(|tag| tag.trim_start().strip_prefix("p="))?;
        Some(tag.split_ascii_whitespace().collect::<String>())
    };
    key(published).is_some_and(|published| Some(published) == key(ours))
}

const LABEL: &str = "PRIVATE KEY";

const ROOT: u32 = 0;

const FOR_ANOTHER_USER: &str = "# It belongs to root. If the gateway runs as another user, give it to that one: chown USER FILE\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_read_again_and_never_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let domain: Domain = "own.example".parse().unwrap();
        for (algorithm, kind) in [(Algorithm::Rsa, "k=rsa;"), (Algorithm::Ed25519, "k=ed25519;")] {
            let file = directory.path().join(format!("{algorithm:?}.pem"));
            assert_eq!(new(&domain, "k", algorithm, "2048", &file).unwrap(), ExitCode::Done);
            let written = fs::read(&file).unwrap();
            let key = SigningKey::from_pem(&domain, "k", &written).unwrap();
            assert!(key.record().text.contains(kind), "{}", key.record().text);
            assert!(new(&domain, "k", algorithm, "2048", &file).is_err());
            assert_eq!(fs::read(&file).unwrap(), written);
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(&file).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_root_makes_is_the_gateways_to_read() {
        if !rustix::process::geteuid().is_root() {
            println!("skipped: only root can give files away");
            return;
        }
        let data = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(data.path(), Some(4_711), Some(4_712)).unwrap();
        let directory = data.path().join("dkim");
        make_directory(&directory).unwrap();
        make_directory(&directory).unwrap();
        let file = directory.join("key.pem");
        new(&"own.example".parse().unwrap(), "k", Algorithm::Ed25519, "2048", &file).unwrap();
        for made in [directory, file] {
            assert_eq!(fs::metadata(&made).unwrap().uid(), 4_711, "{}", made.display());
        }
    }

    #[test]
    fn selectors_tell_when_a_key_was_made() {
        let today = "2026-11-24".parse().unwrap();
        assert_eq!(usual_selector(Algorithm::Rsa, today), "mw-2026-11-24-rsa");
        assert_eq!(usual_selector(Algorithm::Ed25519, today), "mw-2026-11-24-ed25519");
    }

    #[test]
    fn a_record_is_the_same_however_it_is_written() {
        assert!(is_same("v=DKIM1; k=rsa; p=AAAA", "v=DKIM1; k=rsa; p=AAAA"));
        assert!(is_same("k=rsa;p=AA AA", "v=DKIM1; k=rsa; p=AAAA"));
        assert!(!is_same("v=DKIM1; k=rsa; p=AAAB", "v=DKIM1; k=rsa; p=AAAA"));
        assert!(!is_same("v=DKIM1; k=rsa; p=", "v=DKIM1; k=rsa; p=AAAA"));
        assert!(!is_same("some text", "v=DKIM1; k=rsa; p=AAAA"));
    }
}
