//! PLAIN (RFC 4616) on the SASL library, which takes the message apart.
//!
//! The library's callback is synchronous, so it only collects the claim; the check comes later
//! and may wait. The library's own error texts are not passed on: they are not ours to vouch for.

use rsasl::{
    callback::{Context, SessionCallback, SessionData},
    prelude::{Mechname, SASLConfig, SASLServer, Session, Validation},
    property::{AuthId, AuthzId, Password as PasswordProperty},
    validate::{Validate, ValidationError},
};

use crate::{
    Credentials, Mechanism, Proof,
    exchange::{self, ExchangeError},
};

/// A PLAIN exchange that waits for its one message.
pub(super) struct Plain(Session<Claim>);

impl Plain {
    pub(super) fn new() -> Result<Self, ExchangeError> {
        let name = Mechname::parse(Mechanism::Plain.as_str().as_bytes())
            .map_err(|_| ExchangeError::Broken)?;
        let config = SASLConfig::builder()
            .with_default_mechanisms()
            .with_callback(Collect)
            .map_err(|_| ExchangeError::Broken)?;
        let session = SASLServer::<Claim>::new(config).start_suggested(name);
        session.map(Self).map_err(|_| ExchangeError::Broken)
    }

    pub(super) fn claim(mut self, message: &[u8]) -> Result<Credentials, ExchangeError> {
        let step = self.0.step(Some(message), &mut std::io::sink());
        let claim = self.0.validation().ok_or(NOT_PLAIN)?;
        step.map_err(|_| NOT_PLAIN)?;
        claim
    }
}

/// What the library hands back through its type-keyed slot.
struct Claim;

impl Validation for Claim {
    type Value = Result<Credentials, ExchangeError>;
}

struct Collect;

impl SessionCallback for Collect {
    fn validate(
        &self,
        _session: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        validate.with::<Claim, _>(|| Ok(collect(context)))?;
        Ok(())
    }
}

fn collect(context: &Context<'_>) -> Result<Credentials, ExchangeError> {
    let user = context.get_ref::<AuthId>().ok_or(ExchangeError::Broken)?.parse()?;
    let acting_as = context.get_ref::<AuthzId>().unwrap_or_default();
    if !acting_as.is_empty() && acting_as.parse().as_ref() != Ok(&user) {
        return Err(ExchangeError::OtherIdentity);
    }
    let bytes = context.get_ref::<PasswordProperty>().ok_or(ExchangeError::Broken)?;
    Ok(Credentials::new(Mechanism::Plain, user, Proof::Password(exchange::password(bytes)?)))
}

const NOT_PLAIN: ExchangeError = ExchangeError::Malformed(
    "PLAIN is one message of authorization identity, NUL, name, NUL, password, all in UTF-8",
);
