//! Who is this? SASL exchanges, the user store, password checks, and the brake on guessing.
//!
//! A mail client's AUTH command becomes an [`Exchange`]; a finished exchange yields
//! [`Credentials`]; the [`Authenticator`] asks a [`Directory`] about them, behind a [`Throttle`].
//! The directories so far are the [`UserStore`], a text file of argon2id hashes, and
//! [`CertificateHolders`], who need no list.
//!
//! Nothing here knows an SMTP verb or a reply code, and no error, log text or `Debug` output here
//! contains a password (`attacks.md` C7).

mod authenticator;
mod backends;
mod chain;
mod checks;
mod credentials;
mod decoys;
mod directory;
mod exchange;
mod mechanism;
mod proven;
mod scram;
mod secrets;
mod store;
mod throttle;
mod user_name;

pub use authenticator::{AuthFailure, Authenticator, Step};
pub use backends::CertificateHolders;
pub use chain::{Backend, Chain, Health, HealthChange};
pub use checks::{Checks, HashLimits, Turn};
pub use credentials::{Credentials, Password, PasswordError, Proof, Token};
pub use decoys::Decoys;
pub use directory::{
    Answer, Attempt, Denial, Directory, DirectoryError, Identity, KeySearch, Verification,
};
pub use exchange::{
    Channel, Exchange, ExchangeError, FoundKeys, KeyQuery, Progress, ServerNonce, TlsExporter,
};
pub use mechanism::{Mechanism, UnknownMechanism};
pub use scram::{ScramHash, ScramKeys};
pub use secrets::{
    Record, UnreadableSecret,
    argon2id::{HashCost, NewPassword, NewPasswordError},
};
pub use store::{LineProblem, StoreError, User, UserStore};
pub use throttle::{Check, Limit, Throttle, ThrottleLimits};
pub use user_name::{UserName, UserNameError};
