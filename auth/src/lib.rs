//! Who is this? SASL exchanges, the user store, password checks, and the brake on guessing.
//!
//! A mail client's AUTH command becomes an [`Exchange`]; a finished exchange yields
//! [`Credentials`]; the [`Authenticator`] asks a [`Directory`] about them, behind a [`Throttle`].
//! Directories are the [`UserStore`], a text file of argon2id hashes, and the back ends that others
//! keep; a [`Chain`] asks several of them in order.
//!
//! Nothing here knows an SMTP verb or a reply code, and no error, log text or `Debug` output here
//! contains a password (`attacks.md` C7).

mod allowance;
mod authenticator;
mod backends;
mod chain;
mod checks;
mod credentials;
mod decoys;
mod directory;
mod exchange;
mod lock;
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
pub use backends::{
    CertificateHolders, Conversation, ConversationStep, Dovecot, DovecotServer, DovecotSettings,
    GroupRole, JwksSource, JwksUrl, JwksUrlError, Ldap, LdapScope, LdapSettings, LdapSettingsError,
    OAuth, OAuthError, OAuthSettings, PasswordCheck, PasswordFile, PasswordFileError,
    PasswordFileSettings, RequestLimits, Saslauthd, SaslauthdSettings, SaslauthdSettingsError,
    ServiceAccount, SignatureAlgorithm, Sql, SqlQueryError, SqlSettings, SqlSettingsError,
    TokenFault, UnknownAlgorithm, UserSearch,
};
pub use chain::{
    Backend, BackendAnswer, BackendReport, Chain, Conducted, Health, HealthChange, Report,
};
pub use checks::{Checks, HashLimits, Turn};
pub use credentials::{Credentials, Password, PasswordError, Proof, Token};
pub use decoys::Decoys;
pub use directory::{
    Answer, Attempt, Denial, Directory, DirectoryError, Identity, KeySearch, KeyedIdentity,
    Verification,
};
pub use exchange::{
    ChallengeQuery, Channel, CramMd5Claim, Exchange, ExchangeError, FoundKeys, KeyQuery, Progress,
    Scope, ServerNonce, TlsExporter,
};
pub use login_map::{Entry as LoginMapEntry, LoginMap, LoginMapFile, MapProblem, Owners};
pub use mailweir_mail::{Date, NotADate};
pub use mechanism::{Mechanism, UnknownMechanism};
pub use role::{Role, Roles, UnknownRole};
pub use scram::{ScramHash, ScramKeys};
pub use secrets::{
    Record, UnreadableSecret,
    argon2id::{HashCost, NewPassword, NewPasswordError},
    cram_md5::CramMd5Keys,
    scheme::{Scheme, UnknownScheme},
    verifier::Verifier,
};
pub use senders::{NotASender, Senders};
pub use store::{
    AppLabel, AppPassword, AppSecret, LineProblem, NotALabel, RoleChange, StoreError, User,
    UserStore,
};
pub use throttle::{Check, Counted, Limit, Subject, Throttle, ThrottleLimits, Waiting, Whom};
pub use user_name::{UserName, UserNameError};
