//! Reloads that fail late, and those that must wait: nothing else may change with them.

use std::{
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, TcpListener as StdListener},
    path::Path,
    sync::Mutex,
};

use tempfile::TempDir;

use super::*;
use crate::{
    config::Surroundings,
    observe::{Level, LogFormat, LogOptions},
};

/// A gateway at work, with its log.
struct Home {
    directory: TempDir,
    log: Log,
    port: u16,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, log: Log::default(), port: free_port() }
    }

    /// A configuration with these lines and a listener on each of these addresses.
    fn config(&self, text: &str, binds: &[SocketAddr]) -> Config {
        let mut text = format!("{text}\n[admin]\nbind = []\n");
        for (index, bind) in binds.iter().enumerate() {
            let _ = write!(
                text,
                "[[listener]]\nname = \"l{index}\"\nbind = [\"{bind}\"]\nmode = \"mx\"\n"
            );
        }
        let data_dir = self.directory.path().to_str().unwrap().to_owned();
        let environment = [("MAILWEIR_SERVER__DATA_DIR".to_owned(), data_dir)];
        let around = Surroundings {
            environment: &environment,
            machine_name: Some("old.example.org"),
            time_zone: None,
            files: &|path| fs::read(path),
        };
        Config::parse(Path::new("mailweir.toml"), &text, &around).unwrap().0
    }

    async fn start(&self, binds: &[SocketAddr]) -> Arc<App> {
        let options = LogOptions {
            format: LogFormat::Text,
            level: Level::Info,
            hostname: "gate".into(),
            pid: 1,
        };
        let observer =
            Observer::start(options, Box::new(self.log.clone()), Arc::new(clock::now)).unwrap();
        App::start(self.config("", binds), observer).await.unwrap()
    }

    fn loopback(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn self_signed(&self) -> Vec<u8> {
        fs::read(self.directory.path().join("tls/self-signed.pem")).unwrap()
    }

    /// What was logged by a gateway that has stopped.
    async fn log_of(&self, app: &App) -> String {
        app.stop(Duration::from_secs(20)).await;
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn free_port() -> u16 {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn k4_an_address_that_cannot_be_bound_leaves_all_as_it_was() {
    let home = Home::new();
    let app = home.start(&[home.loopback()]).await;
    let bound = app.bound();
    let taken = StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let free = (Ipv4Addr::LOCALHOST, free_port()).into();
    let wanted =
        home.config("[domains]\nrelay = [\"new.example\"]\n", &[free, taken.local_addr().unwrap()]);
    let before = app.certificate.shown();
    let error = format!("{:#}", app.reload(wanted).await.unwrap_err());
    assert!(error.starts_with("listener \"l1\" cannot bind 127.0.0.1:"), "{error}");
    assert_eq!(app.bound(), bound);
    assert!(app.config().domains.relay.is_empty());
    assert!(Arc::ptr_eq(&app.certificate.shown(), &before), "the certificate was exchanged");
    assert!(!home.log_of(&app).await.contains("configuration reloaded"));
}

#[tokio::test]
async fn an_address_that_our_own_is_in_the_way_of_needs_a_restart() {
    let home = Home::new();
    let app = home.start(&[home.loopback()]).await;
    let wider = home.config("", &[(Ipv4Addr::UNSPECIFIED, home.port).into()]);
    let error = format!("{:#}", app.reload(wider).await.unwrap_err());
    assert!(error.contains(&format!("it overlaps {}", home.loopback())), "{error}");
    assert!(error.ends_with("this change needs a restart"), "{error}");
    app.stop(Duration::from_secs(20)).await;
}

#[tokio::test]
async fn keys_that_need_a_restart_are_named_and_keep_their_values() {
    let home = Home::new();
    let app = home.start(&[home.loopback()]).await;
    let before = home.self_signed();
    let text = "[server]\nhostname = \"new.example.org\"\n[queue]\nminimal_backoff_time = \"7s\"\n";
    for _ in 0..2 {
        app.reload(home.config(text, &[home.loopback()])).await.unwrap();
    }
    assert_eq!(app.config().server.hostname.as_str(), "old.example.org");
    assert_eq!(home.self_signed(), before, "the certificate is for the running name");
    let log = home.log_of(&app).await;
    for key in ["server.hostname", "queue.minimal_backoff_time"] {
        let line = format!("warning: {key} takes effect after a restart");
        assert_eq!(log.matches(&line).count(), 2, "{log}");
    }
    assert_eq!(log.matches("takes effect after a restart").count(), 4, "{log}");
}

#[tokio::test]
async fn d10_a_listener_on_all_addresses_is_known_by_each() {
    let home = Home::new();
    let config = home.config("", &[(Ipv4Addr::UNSPECIFIED, home.port).into()]);
    let options =
        LogOptions { format: LogFormat::Text, level: Level::Info, hostname: "gate".into(), pid: 1 };
    let observer = Observer::start(options, Box::new(io::sink()), Arc::new(clock::now)).unwrap();
    let ours = our_addresses(&config, &observer);
    assert!(ours.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)), "{ours:?}");
}
