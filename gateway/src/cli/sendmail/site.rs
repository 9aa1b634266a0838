//! Where the mail of a local program goes, and the name of this host.

use std::{net::SocketAddr, path::Path};

use mailweir_mail::Domain;

use super::options::{Options, is_host_and_port};
use crate::{
    config::{Colour, Config, Listener, ListenerTls, Mode, Problem, ProxyProtocol, Severity},
    ways_back::{Directions, RETURN, client_at, reached_at},
};

/// Who gets the mail, and as whom we send it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// `HOST:PORT`.
    pub(super) to: String,
    /// How the same server is reached for less.
    pub(super) way_back: Option<Directions>,
    /// What stands behind `@` where nothing was written, and in EHLO.
    pub(super) hostname: Domain,
}

/// Where a filter of the gateway hands mail back, as the gateway tells it.
#[derive(Debug)]
pub(super) struct Return {
    /// `HOST:PORT`.
    pub(super) to: String,
    /// The short way there, if it is one there.
    pub(super) way_back: Option<Directions>,
}

/// Why nobody is there to get mail. Says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSite {
    #[error("{RETURN}={0:?}: write HOST:PORT, such as 127.0.0.1:25")]
    BadReturn(String),
    #[error(
        "{path} cannot be used; name it with -C FILE, or the server that takes mail of this machine with \
         --to HOST:PORT or {RETURN}=HOST:PORT in the environment\n{problems}",
        problems = .0.trim_end(),
        path = .1.display()
    )]
    BadConfiguration(String, Box<Path>),
    #[error(
        "no listener takes mail of this machine without a login; set networks = [\"127.0.0.1\"] at one with \
         tls = \"none\" or \"optional\", or name a server with --to HOST:PORT"
    )]
    NoListener,
    #[error("this machine has no name; name the configuration with -C FILE")]
    NoName,
}

impl Site {
    /// The server that the command line names, else the one of the environment (`return_to`), else a listener of
    /// the configuration. The configuration is read only for that, or if it is named.
    pub(super) fn find(
        options: &Options,
        return_to: Option<Return>,
        usual_config: &Path,
    ) -> Result<Self, NoSite> {
        if let Some(bad) = return_to.as_ref().filter(|back| !is_host_and_port(&back.to)) {
            return Err(NoSite::BadReturn(bad.to.clone()));
        }
        let (named, way_back) = match (&options.to, return_to) {
            (None, Some(Return { to, way_back })) => {
                let way_back = way_back.filter(|way_back| way_back.address == to);
                (Some(to), way_back)
            }
            (named, _) => (named.clone(), None),
        };
        let config = match (&options.config, &named) {
            (None, Some(_)) => None,
            (path, _) => Some(load(path.as_deref().unwrap_or(usual_config))?),
        };
        let to = match (named, &config) {
            (Some(to), _) => to,
            (None, config) => {
                let listener = config.as_ref().and_then(way_in);
                listener.ok_or(NoSite::NoListener)?.to_string()
            }
        };
        let hostname = config.map_or_else(machine_name, |config| Ok(config.server.hostname))?;
        Ok(Self { to, way_back, hostname })
    }
}

/// Warnings are for those who run the gateway, not for each mail.
fn load(path: &Path) -> Result<Config, NoSite> {
    let loaded = Config::load(path, std::env::vars_os());
    loaded.map(|(config, _)| config).map_err(|problems| {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let errors = errors.map(|problem: &Problem| problem.render(Colour::Plain));
        NoSite::BadConfiguration(errors.collect(), path.into())
    })
}

/// The first address where a program of this machine may send mail to anywhere. A listener that a filter hands mail
/// back to is none: mail would pass the filter by.
fn way_in(config: &Config) -> Option<SocketAddr> {
    let of = |modes: &[Mode]| {
        let fits = |listener: &&Listener| {
            modes.contains(&listener.mode)
                && matches!(listener.tls, ListenerTls::None | ListenerTls::Optional)
                && listener.proxy == ProxyProtocol::Off
                && config.filters.course.returning_to(&listener.name).is_none()
        };
        config.listeners.iter().filter(fits).find_map(trusted_address)
    };
    of(&[Mode::Mx, Mode::Submission]).or_else(|| of(&[Mode::Filter]))
}

fn trusted_address(listener: &Listener) -> Option<SocketAddr> {
    let mut reachable = listener.bind.iter().map(|bind| reached_at(*bind));
    reachable.find(|to| listener.trusts(client_at(*to).ip()))
}

fn machine_name() -> Result<Domain, NoSite> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Domain::parse(&name).or_else(|_| Domain::parse("localhost")).map_err(|_| NoSite::NoName)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::config::Surroundings;

    /// The address that is chosen of listeners, each as `bind|mode|keys`, one to a line.
    fn chosen(listeners: &str) -> Option<String> {
        let mut text = String::from("[server]\nhostname = \"gate.example\"\n");
        for (listener, index) in listeners.lines().zip(1..) {
            let words: Vec<_> = listener.trim().split('|').collect();
            let [bind, mode, keys] = words[..] else { panic!("{listener}") };
            let keys = keys.replace("; ", "\n");
            text.push_str(&format!(
                "[[listener]]\nname = \"l{index}\"\nbind = [{bind}]\nmode = \"{mode}\"\n{keys}\n"
            ));
        }
        let around = Surroundings {
            environment: &[],
            machine_name: None,
            time_zone: None,
            files: &|_| Err(io::ErrorKind::NotFound.into()),
        };
        let (config, _) = Config::parse(Path::new("mailweir.toml"), &text, &around)
            .unwrap_or_else(|problems| panic!("{text}{problems:?}"));
        way_in(&config).map(|to| to.to_string())
    }

    #[test]
    fn mail_goes_to_the_first_listener_that_trusts_this_machine() {
        let local = "networks = [\"127.0.0.1\"]";
        for (listeners, expected) in [
            (format!("\"127.0.0.1:25\"|mx|{local}"), Some("127.0.0.1:25")),
            (format!("\"0.0.0.0:25\"|mx|{local}"), Some("127.0.0.1:25")),
            (format!("\"127.0.0.5:25\"|mx|{local}"), Some("127.0.0.5:25")),
            ("\"[::]:25\"|mx|networks = [\"::1\"]".to_owned(), Some("[::1]:25")),
            ("\"192.0.2.1:25\"|mx|networks = [\"192.0.2.1\"]".to_owned(), Some("192.0.2.1:25")),
            (format!("\"[::1]:25\", \"127.0.0.1:26\"|mx|{local}"), Some("127.0.0.1:26")),
            (format!("\"127.0.0.1:25\"|mx|{local}; tls = \"required\""), None),
            (format!("\"127.0.0.1:26\"|mx|{local}; tls = \"implicit\""), None),
            (format!("\"127.0.0.1:25\"|lmtp|{local}"), None),
            ("\"127.0.0.1:25\"|mx|tls = \"none\"".to_owned(), None),
            (
                format!("\"127.0.0.1:26\"|filter|{local}\n\"127.0.0.1:25\"|mx|{local}"),
                Some("127.0.0.1:25"),
            ),
            (format!("\"127.0.0.1:26\"|filter|{local}"), Some("127.0.0.1:26")),
            (
                format!(
                    "\"127.0.0.1:25\"|mx|{local}; proxy_protocol = true; proxy_hosts = [\"127.0.0.1\"]"
                ),
                None,
            ),
        ] {
            assert_eq!(chosen(&listeners).as_deref(), expected, "{listeners}");
        }
    }

    #[test]
    fn a_listener_that_a_filter_hands_mail_back_to_is_passed_over() {
        let listeners = "\"127.0.0.1:25\"|mx|tls = \"none\"\n\
                         \"127.0.0.1:26\"|filter|networks = [\"127.0.0.1\"]";
        assert_eq!(chosen(listeners).as_deref(), Some("127.0.0.1:26"));
        let filter = "; [[filter]]; name = \"f\"; type = \"smtp\"; to = \"smtp://127.0.0.1:9\"; \
                      returns_to = \"l2\"";
        assert_eq!(chosen(&format!("{listeners}{filter}")), None);
    }
}
