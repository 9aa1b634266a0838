//! The deliveries of a gateway, and next hops that say what a script tells them.

use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use mailweir_mail::{Domain, ReversePath};
use mailweir_queue::{Options, Queue, store::memory::MemoryStore};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::super::{
    super::{
        LiveRoutes, Parts,
        resolve::{Exchange, Mx, Ourselves, Policy, Reach, Trouble, table::TableResolver},
    },
    *,
};
use crate::{
    clock::SystemClock,
    config::{Config, Surroundings},
    extraction::Program,
    observe::{Level, LogFormat, LogOptions, Observer},
    rewriting::LiveRewriting,
    tables::Tables,
};

/// Deliveries under way, and what they log.
pub(super) struct Rig {
    pub(super) egress: Arc<Egress>,
    observer: Observer,
    log: Log,
    _directory: tempfile::TempDir,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Rig {
    /// With a route for all mail to this next hop.
    pub(super) fn to(next_hop: SocketAddr) -> Self {
        Self::with(&route(next_hop, ""))
    }

    /// With these lines of configuration.
    pub(super) fn with(lines: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::default();
        let options = LogOptions {
            format: LogFormat::Text,
            level: Level::Info,
            hostname: "gate".into(),
            pid: 7,
        };
        let observer =
            Observer::start(options, Box::new(log.clone()), Arc::new(clock::now)).unwrap();
        let parts = parts(&config(lines), directory.path(), observer.clone());
        Self { egress: Egress::new(parts), observer, log, _directory: directory }
    }

    /// Probes as `probe@gate.example`.
    pub(super) async fn probe(&self, recipient: &str) -> Probed {
        self.probe_as("probe@gate.example", recipient).await
    }

    pub(super) async fn probe_as(&self, sender: &str, recipient: &str) -> Probed {
        self.try_to_probe_as(sender, recipient).await.expect("room")
    }

    /// Nothing, if there is no room.
    pub(super) async fn try_to_probe_as(&self, sender: &str, recipient: &str) -> Option<Probed> {
        let sender = match sender {
            "" => ReversePath::Null,
            sender => ReversePath::Mailbox(sender.parse().unwrap()),
        };
        self.egress.probe(&sender, &recipient.parse().unwrap()).await
    }

    /// What was said of recipients so far: each line from `to=<` on, without its times.
    pub(super) fn lines(&self) -> Vec<String> {
        assert!(self.observer.flush(Duration::from_secs(60)));
        let log = String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap();
        let times = regex::Regex::new(r"delay=\S+, delays=\S+, ").unwrap();
        let of_recipients = log.lines().filter_map(|line| Some(line.split_once(" to=<")?.1));
        of_recipients.map(|line| times.replace(line, "").into_owned()).collect()
    }
}

fn config(lines: &str) -> Config {
    let text =
        format!("{lines}\n[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n");
    let around = Surroundings {
        environment: &[],
        machine_name: Some("gate.example"),
        time_zone: None,
        files: &|path| match path.ends_with("password") {
            true => Ok(b"sesame".to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        },
    };
    match Config::parse(Path::new("mailweir.toml"), &text, &around) {
        Ok((config, _)) => config,
        Err(problems) => panic!("{problems:#?}"),
    }
}

fn parts(config: &Config, directory: &Path, observer: Observer) -> Parts {
    let mut options = Options::new(directory.join("queue"));
    options.queue_minfree = 0;
    let store = Arc::new(MemoryStore::default());
    let tables = Tables::new(observer.clone());
    Parts {
        queue: Queue::open_on(store, options, Arc::new(SystemClock)).unwrap(),
        observer,
        hostname: config.server.hostname.clone(),
        resolver: Arc::new(names()),
        policy: Policy { ourselves: Ourselves::default(), reach: Reach::Public },
        mailweir: Program::this(),
        session_limit: 2,
        routes: LiveRoutes::new(config.routes.clone(), &config.smtp).unwrap(),
        rewriting: LiveRewriting::open(config, Vec::new(), &tables).unwrap(),
    }
}

/// A domain that takes no mail, one whose exchanger is this machine, and one that nobody knows of now.
fn names() -> TableResolver {
    let domain = |name| Domain::parse(name).unwrap();
    let mx = |exchange| Mx { preference: 10, exchange };
    TableResolver::new()
        .mx(domain("null.example"), mx(Exchange::Null))
        .mx(domain("inside.example"), mx(Exchange::Host(domain("here.example"))))
        .address(domain("here.example"), [127, 0, 0, 1].into())
        .trouble(domain("trouble.example"), Trouble::ServerFailure)
}

/// A route for all mail to this next hop.
pub(super) fn route(next_hop: SocketAddr, more: &str) -> String {
    format!("[[route]]\nfor = [\"*\"]\nto = \"smtp://{next_hop}\"\n{more}\n")
}

/// A next hop that answers as it is told.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// One that takes every mail, but for what begins as one of these says: the first that fits
    /// counts, and the greeting is answered as `CONNECT` is.
    pub(super) async fn start(answers: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::default();
        let hears = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let conversation = converse(stream, answers, Arc::clone(&hears));
                tokio::spawn(conversation);
            }
        });
        Self { address, heard }
    }

    /// All commands so far, those of later connections behind those of earlier ones.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn converse(
    stream: TcpStream,
    answers: &[(&str, &str)],
    heard: Arc<Mutex<Vec<String>>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = "CONNECT".to_owned();
    loop {
        let known = answers.iter().chain(USUAL).find(|(begin, _)| line.starts_with(begin));
        stream.write_all(known.map_or("500 what?", |(_, answer)| answer).as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        heard.lock().unwrap().push(line.trim_end().to_owned());
    }
}

const USUAL: &[(&str, &str)] = &[
    ("CONNECT", "220 mx.example ESMTP"),
    ("EHLO", "250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000000"),
    ("LHLO", "250-store.example\r\n250 PIPELINING"),
    ("MAIL", "250 2.1.0 Ok"),
    ("RCPT", "250 2.1.5 Ok"),
    ("QUIT", "221 2.0.0 Bye"),
];
