//! Who is this? SASL exchanges, the user store, password checks, and the brake on guessing.
//!
//! A mail client's AUTH command becomes an [`Exchange`]; a finished exchange yields
//! [`Credentials`]; the [`Authenticator`] asks a [`Directory`] about them, behind a [`Throttle`].
//! The one directory so far is the [`UserStore`], a text file of argon2id hashes.
//!
//! Nothing here knows an SMTP verb or a reply code, and no error, log text or `Debug` output here
//! contains a password (`attacks.md` C7).

mod allowance;
mod authenticator;
mod chain;
mod checks;
mod credentials;
mod decoys;
mod directory;
mod exchange;
mod login_map;
mod mechanism;
mod proven;
mod role;
mod scram;
mod secrets;
mod senders;
mod store;
mod throttle;
mod user_name;

pub use allowance::{Allowances, Exceeded, Measure, Quota, Quotas};
pub use authenticator::{AuthFailure, Authenticator, Step};
pub use chain::{Backend, Chain, Health, HealthChange};
pub use checks::{Checks, HashLimits, Turn};
pub use credentials::{Credentials, Password, PasswordError, Proof, Token};
pub use decoys::Decoys;
pub use directory::{
    Answer, Attempt, Denial, Directory, DirectoryError, Identity, KeySearch, Verification,
};
pub use exchange::{
    Exchange, ExchangeError, FoundKeys, KeyQuery, Progress, ServerNonce, TlsExporter,
};
pub use login_map::{Entry as LoginMapEntry, LoginMap, LoginMapFile, MapProblem, Owners};
pub use mechanism::{Mechanism, UnknownMechanism};
pub use role::{Role, Roles, UnknownRole};
pub use scram::{ScramHash, ScramKeys};
pub use secrets::{
    Record, UnreadableSecret,
    argon2id::{HashCost, NewPassword, NewPasswordError},
};
pub use senders::{NotASender, Senders};
pub use store::{LineProblem, StoreError, User, UserStore};
pub use throttle::{Check, Limit, Throttle, ThrottleLimits};
pub use user_name::{UserName, UserNameError};
