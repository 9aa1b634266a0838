//! What a gateway of a scenario is configured with, and where it lives.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
};

use mailweir::config::{Config, Surroundings};

use crate::sink::Sink;

/// The configuration of a gateway, as sections of `mailweir.toml`.
///
/// It is called `gate.example`, serves `local.example`, knows [`USER`], has a listener `mx` if no
/// other is named, and keeps no connection open without a mail, so that sinks can change their
/// mind between two mails.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    hostname: Option<String>,
    relay: Option<String>,
    listeners: Vec<(String, String)>,
    routes: Vec<String>,
    backends: Vec<String>,
    sections: BTreeMap<&'static str, String>,
    files: BTreeMap<&'static str, String>,
    owners: Option<String>,
    more: String,
}

impl Setup {
    /// In front of a sink that gets all mail.
    #[must_use]
    pub fn before(sink: &Sink) -> Self {
        Self::to(&format!("smtp://{}", sink.address()), "")
    }

    /// With one route for all mail: where to, and further lines of `[[route]]`.
    #[must_use]
    pub fn to(next_hop: &str, lines: &str) -> Self {
        Self::default().route("*", next_hop, lines)
    }

    /// With one more route, after those before.
    #[must_use]
    pub fn route(mut self, domains: &str, next_hop: &str, lines: &str) -> Self {
        let text = format!("[[route]]\nfor = [{domains:?}]\nto = {next_hop:?}\n{lines}\n");
        self.routes.push(text);
        self
    }

    /// With one more listener: its name, and lines of `[[listener]]` from `mode` on.
    #[must_use]
    pub fn listener(mut self, name: &str, lines: &str) -> Self {
        self.listeners.push((name.to_owned(), lines.to_owned()));
        self
    }

    /// With a listener `mx` whose clients are ours: what they send under our names is by us.
    #[must_use]
    pub fn in_front_of_us(self) -> Self {
        self.listener("mx", "mode = \"mx\"\nnetworks = [\"127.0.0.1\"]")
    }

    /// With these lines in a section that stands once, such as `queue`.
    #[must_use]
    pub fn section(mut self, name: &'static str, lines: &str) -> Self {
        let section = self.sections.entry(name).or_default();
        section.push_str(lines);
        section.push('\n');
        self
    }

    /// With these sections as they are, headers and all.
    #[must_use]
    pub fn sections(mut self, text: &str) -> Self {
        self.more.push_str(text);
        self.more.push('\n');
        self
    }

    /// With a file that the configuration names, and that is nowhere else.
    #[must_use]
    pub fn file(mut self, name: &'static str, text: &str) -> Self {
        self.files.insert(name, text.to_owned());
        self
    }

    /// With one more back end that knows users, of this type.
    #[must_use]
    pub fn backend(mut self, kind: &str) -> Self {
        self.backends.push(format!("[[auth.backend]]\ntype = {kind:?}\n"));
        self
    }

    /// With this text in the file of sender addresses and their owners.
    #[must_use]
    pub fn owners(mut self, text: &str) -> Self {
        self.owners = Some(text.to_owned());
        self
    }

    /// Under another name than `gate.example`.
    #[must_use]
    pub fn called(mut self, hostname: &str) -> Self {
        self.hostname = Some(hostname.to_owned());
        self
    }

    /// Accepting mail for this domain instead of `local.example`.
    #[must_use]
    pub fn serving(mut self, domain: &str) -> Self {
        self.relay = Some(domain.to_owned());
        self
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = path.to_str().and_then(|name| self.files.get(name));
        match text {
            Some(text) => Ok(text.clone().into_bytes()),
            None => fs::read(path),
        }
    }
}

/// The data directory of a gateway and its addresses, which stay the same over all restarts and
/// reloads.
#[derive(Debug)]
pub(super) struct Home {
    data_dir: PathBuf,
    address: Ipv4Addr,
}

impl Home {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), address: loopback_address() }
    }

    /// The checked configuration, or all problems with it as `mailweir check` lists them.
    pub(super) fn configure(&self, setup: &Setup) -> Result<Box<Config>, String> {
        let around = Surroundings {
            environment: &[],
            machine_name: None,
            time_zone: None,
            files: &|path| setup.read(path),
        };
        let text = self.text(setup);
        match Config::parse(Path::new("mailweir.toml"), &text, &around) {
            Ok((config, _)) => Ok(Box::new(config)),
            Err(problems) => {
                let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Err(problems.join("\n"))
            }
        }
    }

    fn text(&self, setup: &Setup) -> String {
        let hostname = setup.hostname.as_deref().unwrap_or("gate.example");
        let relay = setup.relay.as_deref().unwrap_or("local.example");
        let mut sections = setup.sections.clone();
        let server = format!("hostname = {hostname:?}\ndata_dir = {:?}\n", self.data_dir);
        sections.entry("server").or_default().push_str(&server);
        sections.entry("domains").or_default().push_str(&format!("relay = [{relay:?}]\n"));
        sections.entry("admin").or_insert_with(|| "bind = []\n".to_owned());
        let smtp = sections.entry("smtp").or_default();
        if !smtp.contains("connection_cache_time_limit") {
            smtp.push_str("connection_cache_time_limit = \"0s\"\n");
        }
        if let Some(owners) = &setup.owners {
            let file = self.data_dir.join("owners");
            fs::write(&file, owners).expect("a writable directory");
            let line = format!("login_maps_file = {file:?}\n");
            sections.entry("auth.senders").or_default().push_str(&line);
        }
        let mut text = String::new();
        for (name, lines) in sections {
            let _ = write!(text, "[{name}]\n{lines}\n");
        }
        let only_mx = [("mx".to_owned(), "mode = \"mx\"".to_owned())];
        let listeners = match setup.listeners.as_slice() {
            [] => &only_mx,
            listeners => listeners,
        };
        for (name, lines) in listeners {
            let bind = SocketAddr::from((self.address, port(name)));
            let _ = write!(text, "[[listener]]\nname = {name:?}\nbind = [\"{bind}\"]\n{lines}\n");
        }
        text + &setup.routes.concat() + &setup.backends.concat() + &setup.more
    }
}

/// A loopback address that nobody else has, in this process or in another one.
#[must_use]
pub fn loopback_address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let serial = NEXT.fetch_add(1, Ordering::Relaxed) % 250;
    Ipv4Addr::new(127, high.max(1), low, u8::try_from(serial + 3).unwrap_or(u8::MAX))
}

/// A listener keeps its port over reloads, wherever it stands in the file. Below the ports that
/// the system gives to clients.
fn port(listener: &str) -> u16 {
    let sum = listener.bytes().fold(0_u32, |sum, byte| sum * 31 % 20_011 + u32::from(byte));
    2_500 + u16::try_from(sum).unwrap_or(0)
}

/// Writes the users file of a data directory. The hash is as cheap as can be.
pub(super) fn write_users(data_dir: &Path) {
    let lines = format!(
        "{USER}:{{ARGON2ID}}{USER_HASH}:{USER_APP_PASSWORDS}\n\
         {AUDITOR}:{{ARGON2ID}}{USER_HASH}:role=auditor\n"
    );
    fs::write(data_dir.join("users"), lines).expect("a writable directory");
}

/// A loopback address that no gateway listens on, for clients that a setup trusts.
pub const TRUSTED: &str = "127.0.0.2";

/// The user that every gateway knows.
pub const USER: &str = "alice";

/// A user who reads and does not hand in mail.
pub const AUDITOR: &str = "oliver";

/// The password of both.
pub const USER_PASSWORD: &str = "secret";

/// Her app password `tv`, good everywhere.
pub const USER_TV: &str = "0123-4567-89ab-cdef-ghjk-mnpq-rstv-wxyz";

/// Her app password `office`, good in a network where no test is.
pub const USER_OFFICE: &str = "zyxw-vtsr-qpnm-kjhg-fedc-ba98-7654-3210";

const USER_APP_PASSWORDS: &str = "app=tv {SHA256}e2b/jiG+5STofAZLTZ3/UZEmURo/WzNolFDudijbXe4=;app=office {SHA256}7/B/w41cMhGmxYbTymWtTiiFVJZmbZ9ymvF9aSViWGg= networks=192.0.2.0/24";

const USER_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$9Smn2cMFPE+FkZC3zOmmsQ$4Vm22QsMKSPKAFXFjsQguTF+J0SlcTBsO3HSa8U9hlY";
