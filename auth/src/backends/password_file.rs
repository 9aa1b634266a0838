//! Users of a text file that other programs write: Dovecot's passwd-file, htpasswd, shadow.
//!
//! Only the name and the password of a line count. The file is never written.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    task::spawn_blocking,
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

use crate::{
    Answer, Attempt, Checks, CramMd5Keys, Credentials, Decoys, Denial, Directory, DirectoryError,
    Identity, KeySearch, KeyedIdentity, LineProblem, Mechanism, Record, Scheme, ScramHash,
    UserName, Verification, Verifier,
    store::file::{self, Stamp},
};

/// Where a password file is, and how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordFileSettings {
    /// The file. It may grow to 64 MiB.
    pub path: PathBuf,
    /// The scheme of passwords without `{SCHEME}` (Dovecot's `default_password_scheme`). `None`:
    /// they must be hashes of crypt(3), which begin with `$`.
    pub default_scheme: Option<Scheme>,
    /// Whether SCRAM is served: only if the file holds `{SCRAM-SHA-256}` keys and the like, or
    /// passwords in clear.
    pub scram: bool,
}

/// The users of a text file, one per line, in any of these forms:
///
/// ```text
/// # a comment
/// ann@example.org:{SSHA512}hash:uid:gid:gecos:home:shell:extra    Dovecot's passwd-file
/// bob:$2y$05$hash                                                 htpasswd
/// carl:$y$j9T$salt$hash:19000:0:99999:7:::                        shadow(5)
/// ```
///
/// Names are compared in canonical form ([`UserName`]). A password that is empty, `x`, or begins
/// with `!` or `*`, is locked: no password fits it. A password in clear with a `:` is written as
/// `{PLAIN.b64}`. Of Dovecot's extra fields `nologin` locks the user; with `allow_nets` a line does
/// not count, nor does it with an expiry date of shadow(5), for neither could be kept. All other
/// fields are ignored, the age of a password among them.
///
/// A line with a mistake does not count and harms no other. The file is looked at again at most
/// once a second, when somebody logs in, and read again when it has changed; while it is missing or
/// unreadable, the answer is [`DirectoryError::Unavailable`].
///
/// An unknown user costs what most of the known ones cost: see [`Verifier`].
pub struct PasswordFile {
    settings: PasswordFileSettings,
    verifier: Verifier,
    known: Mutex<Known>,
}

impl PasswordFile {
    /// The users of the file, which is read when it is needed first.
    #[must_use]
    pub fn open(settings: PasswordFileSettings, checks: Arc<Checks>, decoys: Decoys) -> Self {
        let verifier = Verifier::new(checks, decoys);
        Self { settings, verifier, known: Mutex::default() }
    }

    /// Reads the file now, and lists the lines that do not count. Blocks.
    ///
    /// # Errors
    /// The file is missing or unreadable.
    pub fn check(&self) -> Result<Vec<LineProblem>, PasswordFileError> {
        let (users, stamp) = read(&self.settings)?;
        Ok(self.adopt(users, stamp).problems.clone())
    }

    /// Lines of the file that do not count, as of the last time it was read: worth a warning.
    #[must_use]
    pub fn problems(&self) -> Vec<LineProblem> {
        self.known().users.as_ref().map_or_else(Vec::new, |users| users.problems.clone())
    }

    async fn log_in(&self, credentials: &Credentials) -> Result<Identity, DirectoryError> {
        let password = credentials.password().ok_or(Denial::OtherProof)?;
        let users = self.users().await?;
        self.verifier.verify(users.records.get(credentials.user()), password).await?;
        Ok(Identity::proven(credentials.user().clone()))
    }

    async fn find_keys(
        &self,
        user: &UserName,
        hash: ScramHash,
    ) -> Result<KeyedIdentity, DirectoryError> {
        let users = self.users().await?;
        let keys = self.verifier.keys(users.records.get(user), user, hash).await?;
        Ok(KeyedIdentity { identity: Identity::proven(user.clone()), keys })
    }

    async fn find_cram_md5(
        &self,
        user: &UserName,
    ) -> Result<KeyedIdentity<CramMd5Keys>, DirectoryError> {
        let users = self.users().await?;
        let keys = users.records.get(user).ok_or(Denial::UnknownUser)?.cram_md5()?;
        Ok(KeyedIdentity { identity: Identity::proven(user.clone()), keys })
    }

    /// The users as of at most a second ago.
    async fn users(&self) -> Result<Arc<Users>, DirectoryError> {
        let (known, stamp) = {
            let (mut known, now) = (self.known(), Instant::now());
            if let (Some(users), Some(looked)) = (&known.users, known.looked)
                && now < looked + LOOK_EVERY
            {
                return Ok(Arc::clone(users));
            }
            // One session looks; those that come meanwhile go on with what is known.
            known.looked = Some(now);
            (known.users.clone(), known.stamp)
        };
        let settings = self.settings.clone();
        let look = spawn_blocking(move || read_if_changed(&settings, stamp)).await;
        let look = look.map_err(|error| DirectoryError::Unavailable(error.to_string().into()))?;
        match look {
            Ok(Some((users, stamp))) => Ok(self.adopt(users, stamp)),
            Ok(None) => known.ok_or_else(|| DirectoryError::Unavailable(UNREAD.into())),
            Err(error) => {
                *self.known() = Known::default();
                Err(DirectoryError::Unavailable(error.to_string().into()))
            }
        }
    }

    fn adopt(&self, users: Users, stamp: Stamp) -> Arc<Users> {
        if let Some(record) = Record::most_common(users.records.values()) {
            self.verifier.learn(record);
        }
        let users = Arc::new(users);
        let mut known = self.known();
        (known.users, known.stamp) = (Some(Arc::clone(&users)), Some(stamp));
        users
    }

    /// What the lock guards is replaced as a whole, so a panic elsewhere leaves it sound.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for PasswordFile {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            // Who has no keys for it is denied; it is served where the administrator names it.
            Mechanism::Plain | Mechanism::Login | Mechanism::CramMd5 => true,
            Mechanism::Scram(_) | Mechanism::ScramPlus(_) => self.settings.scram,
            Mechanism::External | Mechanism::OAuthBearer | Mechanism::XOAuth2 => false,
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(self.log_in(credentials))
    }

    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a> {
        Box::pin(self.find_keys(user, hash))
    }

    fn cram_md5<'a>(&'a self, user: &'a UserName) -> Answer<'a, KeyedIdentity<CramMd5Keys>> {
        Box::pin(self.find_cram_md5(user))
    }
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordFile").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The password file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the password file {}: {source}", path.display())]
pub struct PasswordFileError {
    path: PathBuf,
    source: io::Error,
}

/// The file as it was last read.
#[derive(Default)]
struct Known {
    users: Option<Arc<Users>>,
    stamp: Option<Stamp>,
    looked: Option<Instant>,
}

#[derive(Default)]
struct Users {
    records: HashMap<UserName, Record>,
    problems: Vec<LineProblem>,
}

impl Users {
    fn parse(text: &[u8], default_scheme: Option<Scheme>) -> Self {
        let mut users = Self::default();
        for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = str::from_utf8(line).map_err(|_| "this is not UTF-8");
            let entry = line.and_then(|line| entry(line.trim_end_matches('\r'), default_scheme));
            if let Err(what) = entry.and_then(|entry| users.add(entry)) {
                users.problems.push(LineProblem { line: at + 1, what });
            }
        }
        users
    }

    fn add(&mut self, entry: Option<(UserName, Record)>) -> Result<(), &'static str> {
        let Some((name, record)) = entry else { return Ok(()) };
        if self.records.contains_key(&name) {
            return Err("this user has an earlier line, which counts");
        }
        self.records.insert(name, record);
        Ok(())
    }
}

/// What a line says; nothing if it is a comment or blank.
fn entry(
    line: &str,
    default_scheme: Option<Scheme>,
) -> Result<Option<(UserName, Record)>, &'static str> {
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, rest) = line.split_once(':').ok_or("expected `name:password`")?;
    let name = name.parse().map_err(|_| "this is no user name")?;
    let fields: Vec<&str> = rest.splitn(EXTRA + 1, ':').collect();
    let (secret, extra) = (rest.split(':').next().unwrap_or_default(), fields.get(EXTRA));
    let extra = extra.copied().unwrap_or_default();
    if extra.starts_with(|first: char| first.is_ascii_digit()) {
        return Err("it has an expiry date, which could not be kept; nobody logs in by this line");
    }
    let has = |key| extra.split_ascii_whitespace().any(|field| key_of(field) == key);
    if has("allow_nets") || has("allow_real_nets") {
        return Err("it has allow_nets, which could not be kept; nobody logs in by this line");
    }
    if is_locked(secret) || has("nologin") {
        return Ok(Some((name, Record::default())));
    }
    let record = Record::parse([secret], default_scheme).map_err(|error| error.reason())?;
    Ok(Some((name, record)))
}

fn is_locked(secret: &str) -> bool {
    matches!(secret, "" | "x") || secret.starts_with(['!', '*'])
}

fn key_of(field: &str) -> &str {
    field.split_once('=').map_or(field, |(key, _)| key)
}

fn read_if_changed(
    settings: &PasswordFileSettings,
    stamp: Option<Stamp>,
) -> Result<Option<(Users, Stamp)>, PasswordFileError> {
    let found = file::stamp(&settings.path).map_err(unreadable(&settings.path))?;
    if found.is_some() && found == stamp {
        return Ok(None);
    }
    read(settings).map(Some)
}

fn read(settings: &PasswordFileSettings) -> Result<(Users, Stamp), PasswordFileError> {
    let read = file::read_bytes(&settings.path);
    let (text, stamp) = read.map_err(unreadable(&settings.path))?;
    let text = Zeroizing::new(text);
    Ok((Users::parse(&text, settings.default_scheme), stamp))
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> PasswordFileError {
    |source| PasswordFileError { path: path.to_owned(), source }
}

const UNREAD: &str = "the password file has not been read yet";
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The place, behind the name, of Dovecot's extra fields and of the expiry date of shadow(5).
const EXTRA: usize = 6;
