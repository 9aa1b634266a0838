//! Filters, DNs and names with a user's name in them, escaped where it stands.

use std::borrow::Cow;

use ldap3::{dn_escape, ldap_escape, parse_filter};

use crate::backends::ldap::settings::LdapSettingsError;

/// What a text with `{user}` in it will be, and so how a name is escaped in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A filter: RFC 4515 section 3.
    Filter,
    /// The filter of a group, which may name the `{dn}` of its member.
    GroupFilter,
    /// A distinguished name: RFC 4514 section 2.4.
    Dn,
    /// A name in place of a DN, such as a userPrincipalName, which has no escapes: what could mean
    /// something there is in no user name.
    Name,
}

/// A text with gaps for a user's name.
#[derive(Clone, Debug)]
pub(super) struct Template {
    kind: Kind,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<str>),
    User,
    Local,
    Domain,
    Dn,
}

/// Who is put into a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    /// The name as the client gave it.
    pub(super) user: &'a str,
    /// The DN of the entry, where it is known.
    pub(super) dn: &'a str,
}

impl Template {
    /// A filter.
    pub(super) fn filter(text: &str, kind: Kind) -> Result<Self, LdapSettingsError> {
        let template = Self::parse(text, kind)?;
        let sample = Subject { user: "user@example.org", dn: "cn=user" };
        let rendered = template.render(sample).unwrap_or_default();
        match parse_filter(rendered) {
            Ok(_) => Ok(template),
            Err(()) => Err(LdapSettingsError::Filter(text.into())),
        }
    }

    /// What a user binds as: a DN if it has an attribute, a name otherwise.
    pub(super) fn user_dn(text: &str) -> Result<Self, LdapSettingsError> {
        Self::parse(text, if text.contains('=') { Kind::Dn } else { Kind::Name })
    }

    /// Whether another domain of the name makes another text: `{local}` does not stand there
    /// without `{domain}`, not even beside `{user}`, which may be an alternative in a filter.
    pub(super) fn tells_domains_apart(&self) -> bool {
        let has = |wanted: fn(&Piece) -> bool| self.pieces.iter().any(wanted);
        match has(|piece| matches!(piece, Piece::Local)) {
            true => has(|piece| matches!(piece, Piece::Domain)),
            false => has(|piece| matches!(piece, Piece::User)),
        }
    }

    pub(super) fn is_dn(&self) -> bool {
        self.kind == Kind::Dn
    }

    /// The text for `subject`; `None` if the name lacks a part, or cannot stand there.
    pub(super) fn render(&self, subject: Subject<'_>) -> Option<String> {
        let (local, domain) = subject.user.rsplit_once('@').unwrap_or((subject.user, ""));
        let mut rendered = String::new();
        for piece in &self.pieces {
            let value = match piece {
                Piece::Text(text) => {
                    rendered.push_str(text);
                    continue;
                }
                Piece::User => subject.user,
                Piece::Local => local,
                Piece::Domain => domain,
                Piece::Dn => subject.dn,
            };
            rendered.push_str(&self.escape(value)?);
        }
        (!rendered.is_empty()).then_some(rendered)
    }

    fn escape<'a>(&self, value: &'a str) -> Option<Cow<'a, str>> {
        if value.is_empty() {
            return None;
        }
        match self.kind {
            Kind::Filter | Kind::GroupFilter => Some(ldap_escape(value)),
            Kind::Dn => Some(dn_escape(value)),
            Kind::Name => (!value.contains(HAS_MEANING)).then_some(value.into()),
        }
    }

    fn parse(text: &str, kind: Kind) -> Result<Self, LdapSettingsError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let unknown = |placeholder: &str| LdapSettingsError::Placeholder {
                template: text.into(),
                placeholder: placeholder.into(),
            };
            let (placeholder, after) = after.split_once('}').ok_or_else(|| unknown(after))?;
            pieces.push(Piece::Text(before.into()));
            pieces.push(match placeholder {
                "user" => Piece::User,
                "local" => Piece::Local,
                "domain" => Piece::Domain,
                "dn" if kind == Kind::GroupFilter => Piece::Dn,
                other => return Err(unknown(other)),
            });
            rest = after;
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self { kind, pieces })
    }
}

/// What divides the parts of a DN, of `DOMAIN\name`, of a canonical name, or is in no name that
/// Active Directory takes.
const HAS_MEANING: [char; 13] = ['\\', '/', ',', ';', '=', '+', '<', '>', '"', '*', '(', ')', '\0'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_filter_stays_a_name() {
        let filter =
            Template::filter("(&(objectClass=person)(mail={user}))", Kind::Filter).unwrap();
        for (user, rendered) in [
            ("ann@example.org", "ann@example.org"),
            ("*", "\\2a"),
            ("a)(uid=*", "a\\29\\28uid=\\2a"),
            ("a\\2a", "a\\5c2a"),
            ("a\0b", "a\\00b"),
            ("#a,b+\"c\" =d", "#a,b+\"c\" =d"),
            ("j\u{f6}rg\u{1f980}", "j\u{f6}rg\u{1f980}"),
        ] {
            let filter = filter.render(Subject { user, dn: "" }).unwrap();
            assert_eq!(filter, format!("(&(objectClass=person)(mail={rendered}))"));
            assert!(parse_filter(&filter).is_ok(), "{filter}");
        }
    }

    #[test]
    fn a_name_in_a_dn_stays_one_value() {
        let dn = Template::user_dn("uid={user},ou=people").unwrap();
        for (user, rendered) in [
            ("ann", "ann"),
            ("ann,ou=admins", "ann\\2cou\\3dadmins"),
            ("a+cn=b", "a\\2bcn\\3db"),
            ("\"a\"", "\\22a\\22"),
            ("#a#", "\\23a#"),
            (" a b ", "\\20a b\\20"),
            ("a\\,b", "a\\5c\\2cb"),
            ("a\0b<;>", "a\\00b\\3c\\3b\\3e"),
            ("*()", "*()"),
            ("j\u{f6}rg", "j\u{f6}rg"),
        ] {
            let dn = dn.render(Subject { user, dn: "" }).unwrap();
            assert_eq!(dn, format!("uid={rendered},ou=people"));
        }
    }

    #[test]
    fn a_name_that_could_become_something_else_is_no_name() {
        let name = Template::user_dn("{user}@corp.example").unwrap();
        let render = |user| name.render(Subject { user, dn: "" });
        assert_eq!(render("ann").as_deref(), Some("ann@corp.example"));
        assert_eq!(render("j\u{f6}rg").as_deref(), Some("j\u{f6}rg@corp.example"));
        for user in ["", "*", "(", ")", "corp\\ann", "a\0", "cn=a,dc=b", "a+b", "\"a\""] {
            assert_eq!(render(user), None, "{user:?}");
        }
    }

    #[test]
    fn parts_of_a_name_that_are_not_there_make_no_text() {
        let render = |text, user| Template::user_dn(text).unwrap().render(Subject { user, dn: "" });
        let both = "uid={local},ou={domain},dc=org";
        assert_eq!(render(both, "ann@sales").as_deref(), Some("uid=ann,ou=sales,dc=org"));
        assert_eq!(render(both, "a@b@c").as_deref(), Some("uid=a@b,ou=c,dc=org"));
        assert_eq!(render("{local}@corp", "ann").as_deref(), Some("ann@corp"));
        for user in ["ann", "ann@", "@sales", "@", ""] {
            assert_eq!(render(both, user), None, "{user:?}");
        }
    }

    #[test]
    fn a_template_of_the_local_part_alone_does_not_tell_domains_apart() {
        for (text, tells) in [
            ("(mail={user})", true),
            ("(&(uid={local})(o={domain}))", true),
            ("(uid={local})", false),
            ("(|(mail={user})(uid={local}))", false),
            ("(o={domain})", false),
            ("(uid=ann)", false),
        ] {
            let template = Template::filter(text, Kind::Filter).unwrap();
            assert_eq!(template.tells_domains_apart(), tells, "{text}");
        }
    }

    #[test]
    fn the_dn_in_a_group_filter_is_escaped_as_a_value() {
        let filter = Template::filter("(member={dn})", Kind::GroupFilter).unwrap();
        let member = Subject { user: "ann", dn: "cn=Ann (Sales)\\2c *,dc=org" };
        let rendered = filter.render(member).unwrap();
        assert_eq!(rendered, "(member=cn=Ann \\28Sales\\29\\5c2c \\2a,dc=org)");
    }

    #[test]
    fn mistakes_in_templates_are_named() {
        let unknown = |text: &str| {
            let error = Template::filter(text, Kind::Filter).unwrap_err();
            assert!(matches!(error, LdapSettingsError::Placeholder { .. }), "{error}");
            error.to_string()
        };
        assert_eq!(unknown("(mail={mail})"), "(mail={mail}): {mail} stands for nothing there");
        unknown("(member={dn})");
        unknown("(mail={user");
        unknown("(mail={})");
        for bad in ["mail={user})", "(mail={user}", "(&(mail={user})", "((mail={user}))", ""] {
            let error = Template::filter(bad, Kind::Filter).unwrap_err();
            assert!(matches!(error, LdapSettingsError::Filter(_)), "{bad}");
        }
    }
}
