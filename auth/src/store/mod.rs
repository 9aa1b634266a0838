//! Our own user store: a text file of argon2id hashes, read into memory.
//!
//! The format is described at [`UserStore`]. Reading the text is pure (`users_file`), touching the
//! disk is `file`, hashing is `secrets`. No password is stored, logged, or checked on an async thread.

mod fields;
pub(crate) mod file;
#[cfg(test)]
mod tests;
mod users_file;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    task::spawn_blocking,
    time::{Duration, Instant},
};

use crate::{
    Answer, Attempt, Checks, CramMd5Keys, Credentials, Denial, Directory, DirectoryError, HashCost,
    HashLimits, Identity, KeySearch, KeyedIdentity, Mechanism, NewPassword, ScramHash, ScramKeys,
    UserName, Verification,
    proven::{Proof, ProofKey, Proven},
    secrets::argon2id::StoredPassword,
    store::{
        file::Stamp,
        users_file::{Entry, Secret, Secrets, UsersFile},
    },
};

pub use crate::store::users_file::LineProblem;

/// The users of the file `users`, one per line:
///
/// ```text
/// # a comment
/// ann@example.org:{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>:scram-sha-256=...;...
/// ```
///
/// Fields are divided by `:`. The first is the name in canonical form ([`UserName`]), the second
/// the password as `{SCHEME}` and its hash, the third `key=value` pairs divided by `;`: the SCRAM
/// keys of the same password ([`ScramKeys`]), `cram-md5` and 64 hexadecimal digits if it is kept
/// for CRAM-MD5 too ([`NewPassword::kept_for_cram_md5`]), and what later versions add, which is kept as it is.
///
/// A missing file is a store without users. The file is looked at again at most once a second and
/// read again when it has changed, so that `mailweir user add` works while the gateway runs. Writers take turns
/// by a lock on `users.lock` beside it.
///
/// An unknown user costs what a known one costs (`attacks.md` C1), as long as the hashes in the
/// file have the cost of this store; checks are bounded by [`Checks`] (C3).
pub struct UserStore {
    path: PathBuf,
    cost: HashCost,
    decoy: Arc<StoredPassword>,
    checks: Arc<Checks>,
    proof_key: ProofKey,
    proven: Mutex<Proven<()>>,
    known: Mutex<Known>,
}

impl UserStore {
    /// Opens the store at `path` with the default cost and limits. The file need not exist.
    ///
    /// # Errors
    /// The file exists and cannot be read, or the system gives no random numbers.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let checks = Arc::new(Checks::new(HashLimits::default()));
        Self::open_with(path, HashCost::default(), checks)
    }

    /// Opens the store; new passwords are hashed at `cost`, and checked in `checks`.
    ///
    /// # Errors
    /// As [`Self::open`]; also a `cost` that argon2 does not allow.
    pub fn open_with(
        path: impl Into<PathBuf>,
        cost: HashCost,
        checks: Arc<Checks>,
    ) -> Result<Self, StoreError> {
        let path = path.into();
        let (users, stamp) = read(&path)?;
        Ok(Self {
            decoy: StoredPassword::decoy(cost).map(Arc::new).map_err(hash_error)?,
            proof_key: ProofKey::random().map_err(hash_error)?,
            path,
            cost,
            checks,
            proven: Mutex::new(Proven::new(PROVEN_FOR)),
            known: Mutex::new(Known { users: Arc::new(users), stamp, looked: Instant::now() }),
        })
    }

    /// Adds a user. Blocks: it hashes the password and syncs the file.
    ///
    /// # Errors
    /// [`StoreError::UserExists`], or the file cannot be read or written; nothing has changed then.
    pub fn add(&self, name: &UserName, password: &NewPassword) -> Result<(), StoreError> {
        let secrets = self.secrets(password)?;
        self.change(|users| match users.get(name) {
            Some(_) => Err(StoreError::UserExists(name.clone())),
            None => {
                users.add(name.clone(), secrets);
                Ok(())
            }
        })
    }

    /// Gives a user another password. Blocks as [`Self::add`] does. The old one is refused
    /// within about a second, in other processes too.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], or the file cannot be read or written; nothing has changed then.
    pub fn set_password(&self, name: &UserName, password: &NewPassword) -> Result<(), StoreError> {
        let secrets = self.secrets(password)?;
        self.change(|users| match users.set_password(name, secrets) {
            true => Ok(()),
            false => Err(StoreError::NoSuchUser(name.clone())),
        })
    }

    /// Deletes a user. Blocks: it syncs the file.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], or the file cannot be read or written; nothing has changed then.
    pub fn delete(&self, name: &UserName) -> Result<(), StoreError> {
        self.change(|users| match users.delete(name) {
            true => Ok(()),
            false => Err(StoreError::NoSuchUser(name.clone())),
        })
    }

    /// All users, in the order of the file, which is read anew. Blocks.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<User>, StoreError> {
        let (users, _) = read(&self.path)?;
        Ok(users.entries().map(User::of).collect())
    }

    /// Lines of the file that do not count, as of the last time it was read: worth a warning.
    #[must_use]
    pub fn problems(&self) -> Vec<LineProblem> {
        lock(&self.known).users.problems().to_vec()
    }

    /// How many slow password checks were begun since the store was opened.
    #[must_use]
    pub fn password_checks(&self) -> u64 {
        self.checks.count()
    }

    fn secrets(&self, password: &NewPassword) -> Result<Secrets, StoreError> {
        let keys = ScramHash::ALL.into_iter().map(|hash| ScramKeys::of(hash, password.password()));
        Ok(Secrets {
            password: StoredPassword::of(password, self.cost).map_err(hash_error)?,
            keys: keys.collect::<Result<_, _>>().map_err(hash_error)?,
            cram_md5: password.cram_md5(),
        })
    }

    async fn find_keys(
        &self,
        name: &UserName,
        hash: ScramHash,
    ) -> Result<KeyedIdentity, DirectoryError> {
        let users = self.users().await?;
        let Some(entry) = users.get(name) else { return Err(Denial::UnknownUser.into()) };
        match (&entry.secret, entry.keys(hash)) {
            (Secret::Argon2id(_), Some(keys)) => {
                let identity = Identity::proven(name.clone());
                Ok(KeyedIdentity { identity, keys: keys.clone() })
            }
            (Secret::Argon2id(_), None) => Err(Denial::NoKeys.into()),
            // Who takes the password out of a line means that nobody logs in by it.
            (Secret::Foreign(_), _) => Err(Denial::NoPassword.into()),
        }
    }

    async fn find_cram_md5(
        &self,
        name: &UserName,
    ) -> Result<KeyedIdentity<CramMd5Keys>, DirectoryError> {
        let users = self.users().await?;
        let entry = users.get(name).ok_or(Denial::UnknownUser)?;
        match (&entry.secret, entry.cram_md5()) {
            (Secret::Argon2id(_), Some(keys)) => {
                let identity = Identity::proven(name.clone());
                Ok(KeyedIdentity { identity, keys: keys.clone() })
            }
            (Secret::Argon2id(_), None) => Err(Denial::NoCramMd5Keys.into()),
            (Secret::Foreign(_), _) => Err(Denial::NoPassword.into()),
        }
    }

    async fn check(&self, credentials: &Credentials) -> Result<Identity, DirectoryError> {
        let password = credentials.password().ok_or(Denial::OtherProof)?;
        let users = self.users().await?;
        // From here to the end, known and unknown users take the same path at the same cost.
        let (stored, on_match) = self.target(&users, credentials.user());
        let proof = self.proof_key.proof(&[stored.as_str(), password.reveal()]);
        if on_match.is_ok() && self.is_proven(&proof) {
            return Ok(Identity::proven(credentials.user().clone()));
        }
        let turn = self.checks.turn().await?;
        if on_match.is_ok() && self.is_proven(&proof) {
            // Another session of this user has proven it while this one waited.
            return Ok(Identity::proven(credentials.user().clone()));
        }
        let (password, against) = (password.clone(), Arc::clone(stored));
        let (matches, _turn) = self.checks.make(turn, move || against.matches(&password)).await?;
        on_match?;
        if !matches {
            return Err(Denial::WrongPassword.into());
        }
        // Remembered before the turn ends, so that the session that waited next finds it.
        lock(&self.proven).remember(proof, (), Instant::now());
        Ok(Identity::proven(credentials.user().clone()))
    }

    /// What to check a password of `name` against, and what a match would mean.
    fn target<'a>(
        &'a self,
        users: &'a UsersFile,
        name: &UserName,
    ) -> (&'a Arc<StoredPassword>, Result<(), Denial>) {
        match users.get(name).map(|entry| &entry.secret) {
            Some(Secret::Argon2id(stored)) => (stored, Ok(())),
            Some(Secret::Foreign(_)) => (&self.decoy, Err(Denial::NoPassword)),
            None => (&self.decoy, Err(Denial::UnknownUser)),
        }
    }

    fn is_proven(&self, proof: &Proof) -> bool {
        lock(&self.proven).find(proof, Instant::now()).is_some()
    }

    /// The users as of at most a second ago.
    async fn users(&self) -> Result<Arc<UsersFile>, DirectoryError> {
        let (known, stamp) = {
            let mut known = lock(&self.known);
            let now = Instant::now();
            if now < known.looked + LOOK_EVERY {
                return Ok(Arc::clone(&known.users));
            }
            // One session looks; those that come meanwhile go on with what is known.
            known.looked = now;
            (Arc::clone(&known.users), known.stamp)
        };
        let path = self.path.clone();
        let read_again = spawn_blocking(move || match file::stamp(&path) {
            Ok(found) if found == stamp => Ok(None),
            Ok(_) => read(&path).map(Some),
            Err(source) => Err(StoreError::Io { path, action: "read", source }),
        });
        let read_again = read_again.await.map_err(|e| unavailable(&e))?;
        let Some((users, stamp)) = read_again.map_err(|e| self.forget_and_fail(&e))? else {
            return Ok(known);
        };
        Ok(self.adopt(users, stamp))
    }

    fn adopt(&self, users: UsersFile, stamp: Option<Stamp>) -> Arc<UsersFile> {
        let users = Arc::new(users);
        let mut known = lock(&self.known);
        (known.users, known.stamp) = (Arc::clone(&users), stamp);
        lock(&self.proven).clear();
        users
    }

    /// An unreadable file is looked at again by the next session, not in a second.
    fn forget_and_fail(&self, error: &StoreError) -> DirectoryError {
        let mut known = lock(&self.known);
        known.looked = known.looked.checked_sub(LOOK_EVERY).unwrap_or(known.looked);
        unavailable(error)
    }

    /// Reads the file, changes it, writes it: under a lock that other processes respect.
    fn change(
        &self,
        edit: impl FnOnce(&mut UsersFile) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let io = |action| {
            let path = self.path.clone();
            move |source| StoreError::Io { path, action, source }
        };
        let _only_writer = file::lock(&self.path).map_err(io("lock"))?;
        let (mut users, _) = read(&self.path)?;
        edit(&mut users)?;
        let stamp = file::write(&self.path, &users.to_string()).map_err(io("write"))?;
        self.adopt(users, stamp);
        Ok(())
    }
}

impl Directory for UserStore {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::ScramPlus(_)
            | Mechanism::Scram(_)
            | Mechanism::Plain
            | Mechanism::Login
            | Mechanism::CramMd5 => true,
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => false,
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(self.check(credentials))
    }

    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a> {
        Box::pin(self.find_keys(user, hash))
    }

    fn cram_md5<'a>(&'a self, user: &'a UserName) -> Answer<'a, KeyedIdentity<CramMd5Keys>> {
        Box::pin(self.find_cram_md5(user))
    }
}

impl fmt::Debug for UserStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A user, as `mailweir user list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The name.
    pub name: UserName,
    /// How the password is kept: `ARGON2ID`. With any other text nobody can log in by this entry.
    pub scheme: Box<str>,
}

impl User {
    fn of(entry: &Entry) -> Self {
        Self { name: entry.name.clone(), scheme: entry.secret.scheme().into() }
    }
}

/// Why the store could not be read or changed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is such a user already.
    #[error("user {0} exists already; `mailweir user passwd` changes the password")]
    UserExists(UserName),
    /// There is no such user.
    #[error("there is no user {0}")]
    NoSuchUser(UserName),
    /// The disk or its permissions.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The users file.
        path: PathBuf,
        /// What was tried: `read`, `lock` or `write`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A password could not be hashed.
    #[error("cannot hash a password: {0}")]
    Hash(Box<str>),
}

/// The file as it was last read.
struct Known {
    users: Arc<UsersFile>,
    stamp: Option<Stamp>,
    looked: Instant,
}

fn read(path: &Path) -> Result<(UsersFile, Option<Stamp>), StoreError> {
    let (text, stamp) = file::read(path).map_err(|source| {
        let path = path.to_owned();
        StoreError::Io { path, action: "read", source }
    })?;
    Ok((UsersFile::parse(&text), stamp))
}

fn unavailable(error: &dyn std::error::Error) -> DirectoryError {
    let text = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    DirectoryError::Unavailable(text.into())
}

fn hash_error(error: impl fmt::Display) -> StoreError {
    StoreError::Hash(error.to_string().into())
}

/// What these locks guard is replaced as a whole, so a panic elsewhere leaves it sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const PROVEN_FOR: Duration = Duration::from_secs(5 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(1);
