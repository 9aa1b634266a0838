//! Rspamd.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use crate::{Daemon, free_address, tools};

/// A private Rspamd on loopback, one process without any map or Redis; needs the command `rspamd`.
///
/// It knows its test patterns ([`Self::pattern`]) and one rule of its own: the Subject of a mail says what it wants.
/// `action=reject` is an action, and `changes` asks for every change that a milter can make.
#[derive(Debug)]
pub struct Rspamd {
    _home: TempDir,
    address: SocketAddr,
    _daemon: Daemon,
}

impl Rspamd {
    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(|address| {
            format!("worker \"normal\" {{ bind_socket = \"{address}\"; count = 1; }}\n")
        })
    }

    /// Starts one that is a milter, with the fields of its module `milter_headers`.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_as_milter() -> Self {
        Self::with(|address| {
            format!(
                "modules {{ path = \"/usr/share/rspamd/plugins/milter_headers.lua\"; }}\n\
                 milter_headers {{ use = [\"x-spamd-bar\", \"x-spam-level\"]; skip_local = false; }}\n\
                 worker \"rspamd_proxy\" {{\n\
                   bind_socket = \"{address}\"; count = 1; milter = yes; timeout = 60s;\n\
                   upstream \"local\" {{ default = yes; self_scan = yes; }}\n\
                 }}\n"
            )
        })
    }

    fn with(worker: impl FnOnce(SocketAddr) -> String) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let address = free_address().expect("a free port");
        let path = |name: &str| home.path().join(name);
        fs::write(path("rules.lua"), RULES).expect("rules.lua");
        // The package has 10,000 suffixes, which take many seconds to compile.
        fs::write(path("suffixes"), "com\nexample\n").expect("a list of suffixes");
        let settings = configuration(home.path()) + &worker(address);
        fs::write(path("rspamd.conf"), settings).expect("rspamd.conf");
        let mut command = Command::new(tools::find("rspamd").unwrap_or_else(|| "rspamd".into()));
        command.args(["--no-fork", "--insecure", "--config"]).arg(path("rspamd.conf"));
        let ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &path("log"), ready);
        Self { _home: home, address, _daemon: daemon }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A line that makes Rspamd want something done: `X` reject, `Y` add header, `Z` rewrite subject.
    #[must_use]
    pub fn pattern(first: char) -> String {
        let rest = ["JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE", "-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"];
        format!("{first}{}", rest.concat())
    }
}

fn configuration(home: &Path) -> String {
    let home = home.display();
    format!(
        "lua = \"{home}/rules.lua\";\n\
         options {{\n\
           pidfile = \"{home}/pid\"; tempdir = \"{home}\"; hs_cache_dir = \"{home}\"; cache_file = \"{home}/cache\";\n\
           url_tld = \"{home}/suffixes\"; control_socket = \"{home}/control mode=0600\";\n\
           filters = \"\"; disable_hyperscan = true; enable_test_patterns = true;\n\
           dns {{ nameserver = [\"127.0.0.1:1\"]; timeout = 0.1s; retransmits = 0; sockets = 1; }}\n\
         }}\n\
         logging {{ type = \"console\"; level = \"info\"; }}\n\
         actions {{ reject = 15; \"rewrite subject\" = 10; \"add header\" = 6; subject = \"*** SPAM *** %s\"; }}\n"
    )
}

const RULES: &str = r#"
rspamd_config:register_symbol{name = 'SUBJECT_WANTS', score = 3.5, group = 'own', callback = function(task)
  local subject = task:get_header('Subject') or ''
  local action = subject:match('action=(.*)$')
  if action then
    task:set_pre_result(action, 'because\r\nof it', 'own')
  end
  if subject:find('changes') then
    task:insert_result('SUBJECT_WANTS', 1.0)
    task:set_milter_reply({
      add_headers = {
        ['X-Folded'] = 'a\r\n\tb',
        ['X-Named'] = 'b\r\nBcc: c@own.example',
        ['X-Place'] = {value = 'two', order = 1},
        ['X-Twice'] = {{value = 'a', order = 1}, {value = 'b', order = -1}},
      },
      remove_headers = {['X-Gone'] = 0},
      change_from = 'new@own.example',
      add_rcpt = {'c@own.example'},
      del_rcpt = {'b@own.example'},
    })
  end
end}
"#;
