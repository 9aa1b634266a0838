//! A real Postfix of one's own, as next hop and as sender.
//!
//! It has its own configuration, queue, log and ports in a temporary directory, so that it disturbs
//! no Postfix of the machine, and several can run at once. Everything not said here is as Postfix
//! ships it. It needs root, as Postfix does. Dropping it ends it and removes its directory.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rustix::fs::{Gid, Uid};
use tempfile::TempDir;

use crate::{free_address, tools, wait};

/// A Postfix yet to be started.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    parameters: Vec<(String, String)>,
    services: Vec<String>,
    at_listener: Vec<(String, String)>,
}

impl Settings {
    /// As shipped: relays for loopback, knows no domain of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a parameter of main.cf; the last word on a name counts.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a line to master.cf.
    #[must_use]
    pub fn service(mut self, line: &str) -> Self {
        self.services.push(line.to_owned());
        self
    }

    /// Sets a parameter for the SMTP server of [`Postfix::address`] alone. The value has no blanks.
    #[must_use]
    pub fn at_listener(mut self, name: &str, value: &str) -> Self {
        self.at_listener.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Passes all mail to this next hop.
    #[must_use]
    pub fn relay_to(self, next_hop: SocketAddr) -> Self {
        let value = format!("[{}]:{}", next_hop.ip(), next_hop.port());
        self.parameter("relayhost", &value)
    }

    /// Keeps mail for these domains; [`Postfix::mailbox`] reads it.
    #[must_use]
    pub fn final_destination(self, domains: &str) -> Self {
        self.parameter("virtual_mailbox_domains", domains)
            .parameter("virtual_mailbox_maps", "static:all/")
            .parameter("virtual_transport", "virtual")
    }

    /// Starts it and returns when it listens.
    ///
    /// # Errors
    /// What Postfix wrote to its log, if it does not start.
    pub fn start(&self) -> io::Result<Postfix> {
        // Between our look for a free port and its bind somebody else may take the port.
        (1..ATTEMPTS).find_map(|_| self.try_start().ok()).map_or_else(|| self.try_start(), Ok)
    }

    fn try_start(&self) -> io::Result<Postfix> {
        let directory = tempfile::Builder::new().prefix("postfix-").tempdir()?;
        let address = free_address()?;
        let postfix = Postfix { directory, address };
        postfix.lay_out(self)?;
        let output = postfix.command("postfix").arg("start").output()?;
        if output.status.success() {
            return Ok(postfix);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("postfix did not start: {said}\n{}", postfix.log())))
    }
}

/// A running Postfix.
#[derive(Debug)]
pub struct Postfix {
    directory: TempDir,
    address: SocketAddr,
}

impl Postfix {
    /// Where its SMTP server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log so far. What is no UTF-8, such as a mail's line that was cut, is U+FFFD.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.path("maillog")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits for a line of the log that contains `text`, and returns it.
    #[must_use]
    pub fn expect_log(&self, text: &str) -> String {
        wait::until(&format!("{text:?} in the log of Postfix"), wait::PATIENCE, || {
            self.log().lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    /// What `postqueue -j` says: one JSON object per mail. Empty when the queue is.
    ///
    /// # Errors
    /// If the command cannot be run.
    pub fn queue(&self) -> io::Result<Vec<String>> {
        let output = self.command("postqueue").arg("-j").output()?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// The number of its master process, which all others are below; `None` if it does not run.
    #[must_use]
    pub fn master(&self) -> Option<u32> {
        fs::read_to_string(self.path("queue/pid/master.pid")).ok()?.trim().parse().ok()
    }

    /// How many mails are in the queue, counted without asking the queue manager.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.moving() + files_below(&self.path("queue/hold")).len()
    }

    /// How many mails are in the queue and not on hold.
    #[must_use]
    pub fn moving(&self) -> usize {
        let places = ["maildrop", "incoming", "active", "deferred"];
        places.iter().map(|place| files_below(&self.path("queue").join(place)).len()).sum()
    }

    /// Submits a mail as a local program does, by sendmail(1).
    ///
    /// # Errors
    /// If the command cannot be run or refuses the mail.
    pub fn submit(&self, sender: &str, recipient: &str, mail: &str) -> io::Result<()> {
        let file = self.path("submitted.eml");
        fs::write(&file, mail)?;
        let output = self
            .command("sendmail")
            .args(["-i", "-f", sender, "--", recipient])
            .stdin(fs::File::open(file)?)
            .output()?;
        succeed(&output)
    }

    /// Lets any user of the machine submit mail by sendmail(1). Returns the directory that `MAIL_CONFIG` has to name for it.
    ///
    /// A postdrop(1) that is set-gid wants the directory in the machine's own main.cf: here it is a copy that is not, and its
    /// directory is open to all instead.
    ///
    /// # Errors
    /// If there is no postdrop(1), or nothing can be written.
    pub fn open_to_programs(&self) -> io::Result<PathBuf> {
        let (commands, configuration) = (self.path("commands"), self.path("submission"));
        let postdrop = tools::find("postdrop").ok_or(io::ErrorKind::NotFound)?;
        let copy = commands.join("postdrop");
        fs::create_dir(&commands)?;
        fs::create_dir(&configuration)?;
        fs::copy(postdrop, &copy)?;
        let open = [
            (copy, 0o755),
            (self.path("queue/maildrop"), 0o1733),
            (self.path("queue/public"), 0o711),
        ];
        for (path, mode) in open {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        let main_cf = fs::read_to_string(self.path("etc/main.cf"))?;
        let own = format!("command_directory = {}\n", commands.display());
        fs::write(configuration.join("main.cf"), main_cf + &own)?;
        Ok(configuration)
    }

    /// Ends its processes. What is submitted then stays where it is.
    ///
    /// # Errors
    /// What Postfix said, if it does not end.
    pub fn halt(&self) -> io::Result<()> {
        succeed(&self.command("postfix").arg("stop").output()?)
    }

    /// Waits until the mailbox of [`Settings::final_destination`] has this many mails, and
    /// returns them, oldest first.
    #[must_use]
    pub fn mailbox(&self, count: usize) -> Vec<String> {
        let place = self.path("mail/all/new");
        let mut files = wait::until("mail in the mailbox", wait::PATIENCE, || {
            let files = files_below(&place);
            (files.len() >= count).then_some(files)
        });
        files.sort_by_key(|file| file.metadata().and_then(|data| data.modified()).ok());
        files.iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect()
    }

    /// One of Postfix's own commands, told to use this instance.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(tools::find(name).unwrap_or_else(|| name.into()));
        command.arg(if name == "sendmail" { "-C" } else { "-c" }).arg(self.path("etc"));
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn lay_out(&self, settings: &Settings) -> io::Result<()> {
        let root = self.directory.path();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir(root.join(name))?;
        }
        let (user, group) = owner()?;
        for name in ["data", "mail"] {
            rustix::fs::chown(root.join(name), Some(user), Some(group))?;
        }
        fs::write(root.join("etc/master.cf"), self.master_cf(settings))?;
        fs::write(root.join("etc/main.cf"), self.main_cf(settings, user, group))
    }

    fn main_cf(&self, settings: &Settings, user: Uid, group: Gid) -> String {
        let root = self.directory.path().display();
        let (user, group) = (user.as_raw(), group.as_raw());
        let shipped = format!(
            "compatibility_level = 3.6\n\
             queue_directory = {root}/queue\n\
             data_directory = {root}/data\n\
             maillog_file = {root}/maillog\n\
             maillog_file_prefixes = {root}\n\
             myhostname = postfix.test.example\n\
             mydestination =\n\
             alias_maps =\n\
             alias_database =\n\
             inet_interfaces = 127.0.0.1\n\
             inet_protocols = ipv4\n\
             mynetworks = 127.0.0.1/32\n\
             virtual_mailbox_base = {root}/mail\n\
             virtual_uid_maps = static:{user}\n\
             virtual_gid_maps = static:{group}\n\
             virtual_minimum_uid = 1\n"
        );
        // One line for each name: Postfix warns of a second one, and its postlogd can block for
        // good while it writes such warnings to itself.
        let shipped = shipped.lines().filter_map(|line| line.split_once(" ="));
        let mut lines: BTreeMap<_, _> = shipped.collect();
        lines.extend(settings.parameters.iter().map(|(name, value)| (&**name, &**value)));
        lines.iter().map(|(name, value)| format!("{name} = {}\n", value.trim())).collect()
    }

    fn master_cf(&self, settings: &Settings) -> String {
        let options =
            settings.at_listener.iter().map(|(name, value)| format!(" -o {name}={value}"));
        let options: String = options.collect();
        let smtpd = format!("{} inet n - n - - smtpd{options}\n", self.address);
        let added: String = settings.services.iter().map(|line| format!("{line}\n")).collect();
        smtpd + MASTER_CF + &added
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.command("postfix").arg("abort").output();
        // Its processes write to the directory until the last of them has gone.
        let pid = self.path("queue/pid/master.pid");
        let _ = wait::within(wait::PATIENCE, || is_unlocked(&pid).then_some(()));
    }
}

/// The master process holds a lock on this file while it lives.
fn is_unlocked(file: &Path) -> bool {
    use rustix::fs::{FlockOperation, flock};
    fs::File::open(file)
        .map_or(true, |file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok())
}

/// The user and group that Debian's package makes.
fn owner() -> io::Result<(Uid, Gid)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postfix:"));
    let numbers = line.and_then(|line| {
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    let (user, group) = numbers.ok_or_else(|| io::Error::other("there is no user `postfix`"))?;
    Ok((Uid::from_raw(user), Gid::from_raw(group)))
}

fn files_below(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            Ok(kind) if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

fn succeed(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

const ATTEMPTS: usize = 5;

/// As Postfix ships it, without chroot: a chroot needs copies of system files.
const MASTER_CF: &str = "\
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";
