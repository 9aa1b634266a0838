//! What log-ins are made of, by name: SASL mechanisms, password schemes, roles, algorithms.

use mailweir_auth::{GroupRole, Mechanism, Scheme, SignatureAlgorithm};

use super::{
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

impl Setting for Mechanism {
    const ALLOWED: &'static str = "a SASL mechanism, such as \"SCRAM-SHA-256\" or \"PLAIN\"";
    const EXAMPLE: &'static str = "\"SCRAM-SHA-256\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse().or_else(|unknown| {
            let upper = text.to_ascii_uppercase();
            let Some((_, why)) = REFUSED.iter().find(|(name, _)| *name == upper) else {
                return Refusal::new(value, format_args!("{text:?}: {unknown}")).alone();
            };
            let meant = Some("\"SCRAM-SHA-256\"".to_owned());
            Refusal::new(value, format_args!("{text:?} is not offered: {why}")).maybe(meant).alone()
        })
    }
}

impl Element for Mechanism {
    const LIST_ALLOWED: &'static str = "a list of SASL mechanisms: EXTERNAL, SCRAM-SHA-1, -256 and -512 and their -PLUS forms, \
         OAUTHBEARER, XOAUTH2, PLAIN, LOGIN, CRAM-MD5";
    const LIST_EXAMPLE: &'static str = "[\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"PLAIN\"]";
}

/// What people look for here in vain, and why.
const REFUSED: [(&str, &str); 3] = [
    ("DIGEST-MD5", "it is broken and historic (RFC 6331), and no two programs speak it alike"),
    ("NTLM", "its hashes are broken, and who sees them can log in elsewhere"),
    ("ANONYMOUS", "whoever may submit mail has a name"),
];

impl Setting for Scheme {
    const ALLOWED: &'static str = "a password scheme, such as \"SSHA\" or \"SHA512-CRYPT\"";
    const EXAMPLE: &'static str = "\"SHA512-CRYPT\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse()
            .or_else(|unknown| Refusal::new(value, format_args!("{text:?}: {unknown}")).alone())
    }
}

impl Setting for SignatureAlgorithm {
    const ALLOWED: &'static str = "an algorithm of RFC 7518, such as \"RS256\"";
    const EXAMPLE: &'static str = "\"RS256\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse()
            .or_else(|unknown| Refusal::new(value, format_args!("{text:?}: {unknown}")).alone())
    }
}

impl Element for SignatureAlgorithm {
    const LIST_ALLOWED: &'static str = "a list of algorithms, such as [\"RS256\", \"ES256\"]";
    const LIST_EXAMPLE: &'static str = "[\"RS256\", \"ES256\"]";
}

impl Setting for GroupRole {
    const ALLOWED: &'static str = "a role, \"=\" and the DN of a group";
    const EXAMPLE: &'static str = "\"moderator=cn=moderators,ou=groups,dc=example,dc=org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        let Some((role, group)) = text.split_once('=') else {
            return Refusal::new(value, format_args!("{text:?} names no role")).alone();
        };
        match role.trim().parse() {
            Ok(role) => Ok(Self { group: group.trim().into(), role }),
            Err(unknown) => Refusal::new(value, format_args!("{role:?}: {unknown}")).alone(),
        }
    }
}

impl Element for GroupRole {
    const LIST_ALLOWED: &'static str =
        "a list of roles with the DNs of groups, such as [\"moderator=cn=moderators,...\"]";
    const LIST_EXAMPLE: &'static str = "[\"moderator=cn=moderators,ou=groups,dc=example,dc=org\"]";
}
