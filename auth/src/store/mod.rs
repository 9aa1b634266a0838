//! Our own user store: a text file of argon2id hashes, read into memory.
//!
//! The format is described at [`UserStore`]. Reading the text is pure (`users_file`), touching the
//! disk is `file`, hashing is `secrets`. No password is stored, logged, or checked on an async
//! thread.

mod app_password;
mod app_secret;
mod error;
mod fields;
pub(crate) mod file;
#[cfg(test)]
mod tests;
mod user;
mod users_file;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use mailweir_mail::Timestamp;
use tokio::{
    task::spawn_blocking,
    time::{Duration, Instant},
};

use crate::{
    Answer, Attempt, Checks, CramMd5Keys, Credentials, Date, Denial, Directory, DirectoryError,
    HashCost, HashLimits, Identity, KeySearch, KeyedIdentity, Mechanism, NewPassword, Password,
    Proof, Roles, ScramHash, ScramKeys, UserName, Verification,
    lock::lock,
    proven::{Proof as Proved, ProofKey, Proven},
    secrets::argon2id::StoredPassword,
    store::{
        app_password::StoredAppPassword,
        app_secret::AppDigest,
        error::{hash_error, unavailable},
        fields::Refused,
        file::Stamp,
        users_file::{Entry, Secret, Secrets, UsersFile},
    },
};

pub use crate::store::{
    app_password::{AppLabel, AppPassword, NotALabel},
    app_secret::AppSecret,
    error::StoreError,
    user::{RoleChange, User},
    users_file::LineProblem,
};

/// The users of the file `users`, one per line:
///
/// ```text
/// # a comment
/// ann@example.org:{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>:role=sender;scram-...
/// printer@example.org::app=hall {SHA256}<hash> created=2026-07-24 networks=192.0.2.0/24
/// ```
///
/// The first field ends at the first `:` and is the name in canonical form ([`UserName`]); the
/// second ends at the next and is the password as `{SCHEME}` and its hash, or empty for a user
/// who logs in by a certificate or an app password alone. The rest of the line, if any, are
/// `key=value` pairs divided by `;`:
///
/// - `role=sender,auditor`: the [`Roles`], once. If one is unknown, or they are written twice, the
///   user can log in by nothing.
/// - `disabled`, with or without a value: the user can log in by nothing.
/// - `app=LABEL {SHA256}... KEY=VALUE...`, any number of times: an [`AppPassword`], in words divided
///   by spaces: the label, the SHA-256 of the secret in base64, and `created` and `expires` (days
///   in UTC), `senders`, `listeners` and `networks` (divided by commas). With a word that is not
///   known it does not count.
/// - `scram-sha-256=...`, `-512`, `-1`: the [`ScramKeys`] of the password.
/// - `cram-md5=...`: 64 hexadecimal digits, if the password is kept for CRAM-MD5 too
///   ([`NewPassword::kept_for_cram_md5`]).
/// - `scram-for=...`: which hash these keys belong to, by the first 16 hexadecimal digits of the
///   SHA-256 of the second field. If it is another hash, the keys do not count.
///
/// Spaces around a key or a value do not matter. Other pairs, of later versions say, are kept as
/// they are.
///
/// A missing file is a store without users. The file is looked at again at most once a second and
/// read again when it has changed, so that `mailweir user add` works while the gateway runs.
/// Writers take turns by a lock on `users.lock` beside it.
///
/// An unknown user costs what a known one costs (`attacks.md` C1), as long as the hashes in the
/// file have the cost of this store; checks are bounded by [`Checks`] (C3). An app password costs
/// a fast hash, whoever presents one, and is checked before and outside these bounds.
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
        let mut entry = Entry::new(name.clone());
        entry.set_password(secrets);
        self.add_entry(entry)
    }

    /// Adds a user without a password. Blocks: it syncs the file.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_without_password(&self, name: &UserName) -> Result<(), StoreError> {
        self.add_entry(Entry::new(name.clone()))
    }

    /// Gives a user another password. Blocks as [`Self::add`] does. The old one is refused
    /// within about a second, in other processes too.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], or the file cannot be read or written; nothing has changed then.
    pub fn set_password(&self, name: &UserName, password: &NewPassword) -> Result<(), StoreError> {
        let secrets = self.secrets(password)?;
        self.change_user(name, |entry| {
            entry.set_password(secrets);
            Ok(())
        })
    }

    /// Changes the roles of a user, and gives those that it has then. Blocks: it syncs the file.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`]; [`StoreError::UnreadableRoles`] or [`StoreError::NoRoleLeft`]
    /// when adding and removing; or the file cannot be read or written. Nothing has changed then.
    pub fn change_roles(&self, name: &UserName, change: RoleChange) -> Result<Roles, StoreError> {
        self.change_user(name, |entry| {
            let roles = change.applied_to(entry)?;
            entry.fields.set_roles(roles);
            Ok(roles)
        })
    }

    /// Disables a user, who keeps everything and can log in by nothing; or undoes it. Blocks: it
    /// syncs the file. A running gateway heeds it within about a second; sessions that are logged
    /// in already go on.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], or the file cannot be read or written; nothing has changed then.
    pub fn set_disabled(&self, name: &UserName, disabled: bool) -> Result<(), StoreError> {
        self.change_user(name, |entry| {
            entry.fields.set_disabled(disabled);
            Ok(())
        })
    }

    /// Gives a user a further password, and its secret, which is shown once and kept nowhere. Its
    /// day of creation is today. Blocks: it syncs the file.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AppPasswordExists`], [`StoreError::Unwritable`];
    /// the system gives no random numbers, or the file cannot be read or written. Nothing has
    /// changed then.
    pub fn add_app_password(
        &self,
        name: &UserName,
        app: &AppPassword,
    ) -> Result<AppSecret, StoreError> {
        let secret = AppSecret::random().map_err(hash_error)?;
        let app = AppPassword { created: Some(today()), ..app.clone() };
        self.change_user(name, |entry| {
            let stored = StoredAppPassword::new(app.clone(), secret.digest());
            entry.fields.add_app_password(stored).map_err(|refused| match refused {
                Refused::Exists => StoreError::AppPasswordExists(name.clone(), app.label),
                Refused::Unwritable => StoreError::Unwritable,
            })
        })?;
        Ok(secret)
    }

    /// Deletes an app password. Blocks: it syncs the file. A running gateway refuses it within
    /// about a second.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::NoSuchAppPassword`], or the file cannot be read or
    /// written; nothing has changed then.
    pub fn delete_app_password(&self, name: &UserName, label: &AppLabel) -> Result<(), StoreError> {
        self.change_user(name, |entry| match entry.fields.delete_app_password(label) {
            true => Ok(()),
            false => Err(StoreError::NoSuchAppPassword(name.clone(), label.clone())),
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
        let identity = entry.identity()?;
        match (&entry.secret, entry.keys(hash)) {
            (Secret::Argon2id(_), Some(keys)) => Ok(KeyedIdentity { identity, keys: keys.clone() }),
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
        let identity = entry.identity()?;
        match (&entry.secret, entry.cram_md5()) {
            (Secret::Argon2id(_), Some(keys)) => Ok(KeyedIdentity { identity, keys: keys.clone() }),
            (Secret::Argon2id(_), None) => Err(Denial::NoCramMd5Keys.into()),
            (Secret::Foreign(_), _) => Err(Denial::NoPassword.into()),
        }
    }

    /// Who holds a certificate is a user if it stands in the file, whatever its password. It takes
    /// no decoy to hide who does: nobody can ask for other names than its own (C1).
    async fn find(&self, name: &UserName) -> Result<Identity, DirectoryError> {
        match self.users().await?.get(name) {
            Some(entry) => Ok(entry.identity()?),
            None => Err(Denial::UnknownUser.into()),
        }
    }

    async fn check(
        &self,
        user: &UserName,
        password: &Password,
        attempt: &Attempt,
    ) -> Result<Identity, DirectoryError> {
        let users = self.users().await?;
        // From here to the end, known and unknown users take the same path at the same cost: one
        // fast hash, and the slow check unless they are let in.
        let presented = AppDigest::of(password);
        let entry = users.get(user);
        let (stored, on_match) = self.target(entry);
        let by_app_password = entry
            .zip(presented)
            .and_then(|(entry, presented)| entry.by_app_password(&presented, attempt, today()));
        match by_app_password {
            Some(Ok(identity)) => Ok(identity),
            // Nor does the time tell a thief that it would be good elsewhere.
            Some(Err(denial)) => self.check_slowly(stored, password, Err(denial)).await,
            None => self.check_slowly(stored, password, on_match).await,
        }
    }

    /// Checks a password against a hash. Only one that was checked lately is known at once.
    async fn check_slowly(
        &self,
        stored: &Arc<StoredPassword>,
        password: &Password,
        on_match: Result<Identity, Denial>,
    ) -> Result<Identity, DirectoryError> {
        let proof = self.proof_key.proof(&[stored.as_str(), password.reveal()]);
        if on_match.is_ok() && self.is_proven(&proof) {
            return Ok(on_match?);
        }
        let turn = self.checks.turn().await?;
        if on_match.is_ok() && self.is_proven(&proof) {
            // Another session of this user has proven it while this one waited.
            return Ok(on_match?);
        }
        let (password, against) = (password.clone(), Arc::clone(stored));
        let (matches, _turn) = self.checks.make(turn, move || against.matches(&password)).await?;
        let identity = on_match?;
        if !matches {
            return Err(Denial::WrongPassword.into());
        }
        // Remembered before the turn ends, so that the session that waited next finds it.
        lock(&self.proven).remember(proof, (), Instant::now());
        Ok(identity)
    }

    /// What to check a password of this user against, and what a match would mean.
    fn target<'a>(
        &'a self,
        entry: Option<&'a Entry>,
    ) -> (&'a Arc<StoredPassword>, Result<Identity, Denial>) {
        let Some(entry) = entry else { return (&self.decoy, Err(Denial::UnknownUser)) };
        match &entry.secret {
            Secret::Argon2id(stored) => (stored, entry.identity()),
            Secret::Foreign(_) => (&self.decoy, entry.identity().and(Err(Denial::NoPassword))),
        }
    }

    fn is_proven(&self, proof: &Proved) -> bool {
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

    fn add_entry(&self, entry: Entry) -> Result<(), StoreError> {
        self.change(|users| match users.get(&entry.name) {
            Some(_) => Err(StoreError::UserExists(entry.name)),
            None => {
                users.add(entry);
                Ok(())
            }
        })
    }

    fn change_user<T>(
        &self,
        name: &UserName,
        edit: impl FnOnce(&mut Entry) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.change(|users| match users.get_mut(name) {
            Some(entry) => edit(entry),
            None => Err(StoreError::NoSuchUser(name.clone())),
        })
    }

    /// Reads the file, changes it, writes it: under a lock that other processes respect.
    fn change<T>(
        &self,
        edit: impl FnOnce(&mut UsersFile) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let io = |action| {
            let path = self.path.clone();
            move |source| StoreError::Io { path, action, source }
        };
        let _only_writer = file::lock(&self.path).map_err(io("lock"))?;
        let (mut users, _) = read(&self.path)?;
        let outcome = edit(&mut users)?;
        let text = users.to_string();
        let stamp = file::write(&self.path, &text).map_err(io("write"))?;
        // What holds is what stands there, with the problems that it has now.
        self.adopt(UsersFile::parse(&text), stamp);
        Ok(outcome)
    }
}

impl Directory for UserStore {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::External
            | Mechanism::ScramPlus(_)
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
        attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(async move {
            match credentials.proof() {
                Proof::Password(password) => {
                    self.check(credentials.user(), password, attempt).await
                }
                Proof::Certificate => self.find(credentials.user()).await,
                Proof::Token(_) => Err(Denial::OtherProof.into()),
            }
        })
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

/// The one place of the store that reads the calendar; what ends on a day is decided elsewhere.
#[expect(clippy::disallowed_methods, reason = "the store touches the world, as the gateway does")]
fn today() -> Date {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Date::of(Timestamp::from_secs(elapsed.as_secs()))
}

const PROVEN_FOR: Duration = Duration::from_secs(5 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(1);
