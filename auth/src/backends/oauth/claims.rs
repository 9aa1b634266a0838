//! What a token says, held against the settings. Pure: the time is an argument.

use serde_json::Value;

use crate::{Role, Roles, UserName, backends::oauth::OAuthSettings, backends::oauth::TokenFault};

/// Seconds since 1970.
pub(super) type UnixTime = u64;

/// The claims of a token whose signature was verified.
pub(super) struct Claims(Value);

/// What is left when everything is as the settings want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Approved {
    pub(super) user: UserName,
    pub(super) roles: Roles,
    pub(super) expiry: UnixTime,
}

impl Claims {
    /// `None` if it is no JSON object.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().filter(Value::is_object).map(Self)
    }

    pub(super) fn approve(
        &self,
        settings: &OAuthSettings,
        now: UnixTime,
    ) -> Result<Approved, TokenFault> {
        if self.get("iss").and_then(Value::as_str) != Some(&settings.issuer) {
            return Err(TokenFault::Issuer);
        }
        let is_for_us = |name: &str| settings.audience.iter().any(|ours| **ours == *name);
        if !self.texts("aud").any(is_for_us) {
            return Err(TokenFault::Audience);
        }
        let expiry = self.valid_at(now, settings.leeway.as_secs())?;
        if let Some(scope) = &settings.required_scope
            && !self.has_scope(scope.as_str())
        {
            return Err(TokenFault::Scope);
        }
        let user = self.user(&settings.user_claim)?;
        let roles = settings.roles_claim.as_deref().map_or(Roles::EMPTY, |claim| self.roles(claim));
        Ok(Approved { user, roles, expiry })
    }

    /// When it expires, if its time is now (RFC 7519 sections 4.1.4 and 4.1.5).
    fn valid_at(&self, now: UnixTime, leeway: u64) -> Result<UnixTime, TokenFault> {
        let expiry = self.get("exp").and_then(time).ok_or(TokenFault::NoExpiry)?;
        if now >= expiry.saturating_add(leeway) {
            return Err(TokenFault::Expired);
        }
        match self.get("nbf").map(time) {
            Some(None) => Err(TokenFault::NotYetValid),
            Some(Some(begin)) if now.saturating_add(leeway) < begin => Err(TokenFault::NotYetValid),
            Some(Some(_)) | None => Ok(expiry),
        }
    }

    /// `scope` is a text of RFC 8693, `scp` what Microsoft and Okta write.
    fn has_scope(&self, wanted: &str) -> bool {
        let given = self.texts("scope").chain(self.texts("scp"));
        given.flat_map(|text| text.split(' ')).any(|scope| scope == wanted)
    }

    fn user(&self, claim: &str) -> Result<UserName, TokenFault> {
        if self.verification(claim).is_some_and(is_untrue) {
            return Err(TokenFault::NoUser);
        }
        let name = self.get(claim).and_then(Value::as_str).ok_or(TokenFault::NoUser)?;
        name.parse().map_err(|_| TokenFault::NoUser)
    }

    /// What stands beside an `email`, at whatever depth, about whether it is verified.
    fn verification(&self, claim: &str) -> Option<&Value> {
        match claim == "email" || claim.ends_with("/email") {
            true => self.get(&format!("{claim}_verified")),
            false => None,
        }
    }

    fn roles(&self, claim: &str) -> Roles {
        self.texts(claim).filter_map(|name| name.parse::<Role>().ok()).collect()
    }

    /// The texts of a claim that is one text or a list of them.
    fn texts(&self, claim: &str) -> impl Iterator<Item = &str> {
        let values = match self.get(claim) {
            Some(Value::Array(list)) => list.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        values.iter().filter_map(Value::as_str)
    }

    fn get(&self, claim: &str) -> Option<&Value> {
        match claim.starts_with('/') {
            true => self.0.pointer(claim),
            false => self.0.get(claim),
        }
    }
}

/// A `NumericDate`, which may have a fraction; it is cut off.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is cut to the bounds of the integer, and not a number is nought"
)]
fn time(value: &Value) -> Option<UnixTime> {
    value.as_u64().or_else(|| value.as_f64().filter(|time| *time >= 0.0).map(|time| time as u64))
}

/// `false`, or the text that some issuers write for it.
fn is_untrue(value: &Value) -> bool {
    value.as_bool().map_or_else(|| value.as_str() != Some("true"), |verified| !verified)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{JwksSource, Scope};

    #[test]
    fn a_token_for_us_and_for_now_is_approved() {
        assert_eq!(approved(&good(), &settings()), Ok(("ann@example.org".into(), Roles::EMPTY)));
        let with = |claim: &str, value| changed(claim, value);
        for good in [
            with("aud", json!(["other", "gateway"])),
            with("exp", json!(NOW)),
            with("exp", json!(NOW - 59)),
            with("exp", json!(1_000_000_060.5)),
            with("exp", json!(u64::MAX)),
            with("nbf", json!(NOW + 60)),
            with("email", json!("Ann@Example.ORG")),
            with("email_verified", json!(true)),
            with("email_verified", json!("true")),
        ] {
            assert!(approved(&good, &settings()).is_ok(), "{good}");
        }
    }

    #[test]
    fn each_claim_that_is_wrong_or_missing_is_a_fault_of_its_own() {
        for (claim, values, fault) in [
            (
                "iss",
                vec![json!("https://issuer.example/"), json!(["https://issuer.example"])],
                TokenFault::Issuer,
            ),
            ("aud", vec![json!("Gateway"), json!(["other"]), json!([]), json!(7)], AUDIENCE),
            ("exp", vec![json!("2100-01-01"), json!(-1), json!([])], TokenFault::NoExpiry),
            ("exp", vec![json!(NOW - 60), json!(0), json!(999_999_940.9)], TokenFault::Expired),
            ("nbf", vec![json!(NOW + 61), json!("x"), json!(-1)], TokenFault::NotYetValid),
            ("email", vec![json!(""), json!("a b"), json!(7), json!(["a"])], TokenFault::NoUser),
            ("email_verified", vec![json!(false), json!("false"), json!(0)], TokenFault::NoUser),
        ] {
            for value in values {
                let claims = changed(claim, value);
                assert_eq!(approved(&claims, &settings()), Err(fault), "{claims}");
            }
        }
        for (claim, fault) in [
            ("iss", TokenFault::Issuer),
            ("aud", AUDIENCE),
            ("exp", TokenFault::NoExpiry),
            ("email", TokenFault::NoUser),
        ] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(claim);
            assert_eq!(approved(&claims, &settings()), Err(fault), "{claim}");
        }
    }

    #[test]
    fn a_required_scope_is_found_as_a_whole_word_in_either_claim() {
        let mut settings = settings();
        settings.required_scope = Scope::new("mail");
        for (claim, value, fits) in [
            ("scope", json!("openid mail"), true),
            ("scp", json!("mail"), true),
            ("scp", json!(["openid", "mail"]), true),
            ("scope", json!("openid mailbox e-mail"), false),
            ("scope", json!(""), false),
            ("scope", json!({"mail": true}), false),
        ] {
            let claims = changed(claim, value);
            let expected = if fits { Ok(()) } else { Err(TokenFault::Scope) };
            assert_eq!(approved(&claims, &settings).map(drop), expected, "{claims}");
        }
        assert_eq!(approved(&good(), &settings).map(drop), Err(TokenFault::Scope));
    }

    #[test]
    fn roles_are_those_that_we_know_wherever_they_stand() {
        let mut settings = settings();
        let expected: Roles = [Role::Moderator, Role::Auditor].into_iter().collect();
        for (claim, name, value) in [
            ("roles", "roles", json!(["moderator", "uma_authorization", "AUDITOR", 7])),
            (
                "/realm_access/roles",
                "realm_access",
                json!({"roles": ["offline_access", "auditor", "moderator"]}),
            ),
        ] {
            settings.roles_claim = Some(claim.into());
            let claims = changed(name, value);
            assert_eq!(approved(&claims, &settings).map(|(_, roles)| roles), Ok(expected));
        }
        settings.roles_claim = Some("roles".into());
        let one = changed("roles", json!("administrator"));
        let roles = approved(&one, &settings).map(|(_, roles)| roles);
        assert_eq!(roles, Ok(Role::Administrator.into()));
    }

    #[test]
    fn the_user_can_stand_in_another_claim() {
        let mut settings = settings();
        settings.user_claim = "preferred_username".into();
        let claims = changed("preferred_username", json!("Ann"));
        assert_eq!(approved(&claims, &settings), Ok(("ann".into(), Roles::EMPTY)));
        assert_eq!(approved(&good(), &settings), Err(TokenFault::NoUser));
    }

    #[test]
    fn an_address_that_is_not_verified_is_nobodys_however_it_is_pointed_to() {
        let mut settings = settings();
        for (claim, claims) in [
            ("/email", changed("email_verified", json!(false))),
            (
                "/profile/email",
                changed("profile", json!({"email": "ann@example.org", "email_verified": "false"})),
            ),
        ] {
            settings.user_claim = claim.into();
            assert_eq!(approved(&claims, &settings), Err(TokenFault::NoUser), "{claim}");
        }
        settings.user_claim = "/email".into();
        for verified in [good(), changed("email_verified", json!(true))] {
            assert!(approved(&verified, &settings).is_ok(), "{verified}");
        }
    }

    #[test]
    fn only_an_object_holds_claims() {
        for bad in [&b""[..], b"[]", b"7", b"\"a\"", b"null", b"{", b"\xff", b"{}x"] {
            assert!(Claims::read(bad).is_none());
        }
        let deep = "[".repeat(100_000);
        assert!(Claims::read(deep.as_bytes()).is_none());
    }

    fn approved(claims: &Value, settings: &OAuthSettings) -> Result<(String, Roles), TokenFault> {
        let claims = Claims::read(claims.to_string().as_bytes()).unwrap();
        claims.approve(settings, NOW).map(|approved| (approved.user.to_string(), approved.roles))
    }

    fn changed(claim: &str, value: Value) -> Value {
        let mut claims = good();
        claims[claim] = value;
        claims
    }

    fn good() -> Value {
        json!({
            "iss": "https://issuer.example",
            "aud": "gateway",
            "exp": NOW + 300,
            "email": "ann@example.org",
        })
    }

    fn settings() -> OAuthSettings {
        let jwks = JwksSource::File("keys.json".into());
        OAuthSettings::new("https://issuer.example", "gateway", jwks)
    }

    const NOW: UnixTime = 1_000_000_000;
    const AUDIENCE: TokenFault = TokenFault::Audience;
}
