//! Masquerading: the domains below `example.org` shown as `example.org` (Postfix
//! `masquerade_domains`, ADDRESS_REWRITING_README).

use mailweir_mail::Address;
use mailweir_tables::LookupError;

use super::{
    Classes,
    addressing::{quoted, written},
    match_list::MatchList,
};
use crate::RemoteMaps;

/// Which domains hide what is below them, for whom and where.
#[derive(Clone, Debug)]
pub struct Masquerade {
    domains: Vec<Domain>,
    /// Local parts that keep their domain, such as `root` (Postfix `masquerade_exceptions`).
    pub exceptions: MatchList,
    /// Where it is done (Postfix `masquerade_classes`; not to envelope recipients by default).
    pub classes: Classes,
}

#[derive(Clone, Debug)]
struct Domain {
    /// Lower case.
    name: Box<str>,
    /// Written with `!`: what is below it stays as it is.
    stays: bool,
}

impl Default for Masquerade {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            exceptions: MatchList::default(),
            classes: Classes { envelope_recipient: false, ..Classes::ALL },
        }
    }
}

impl Masquerade {
    /// The same with one more domain at the end of the list: the first that an address is below
    /// decides. With `!` in front, what is below it stays as it is.
    #[must_use]
    pub fn domain(mut self, text: &str) -> Self {
        let name = text.trim_start_matches('!');
        let stays = (text.len() - name.len()) % 2 == 1;
        if !name.is_empty() {
            self.domains.push(Domain { name: name.to_lowercase().into(), stays });
        }
        self
    }

    /// Whether no domain hides anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// The address with the domain that hides its own; `None` if it stays as it is.
    pub(crate) async fn apply(
        &self,
        address: &Address,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<Address>, LookupError> {
        let domain = written(address.domain()).to_lowercase();
        let Some(shown) = self.shown(&domain) else { return Ok(None) };
        let local = address.unquoted_local_part();
        if self.exceptions.has_name(&quoted(&local), remote).await? {
            return Ok(None);
        }
        // What was part of a domain is one.
        Ok(Address::parse(&format!("{}@{shown}", address.local_part())).ok())
    }

    fn shown(&self, domain: &str) -> Option<&str> {
        let first = self.domains.iter().find(|masquerade| {
            let rest = domain.strip_suffix(&*masquerade.name);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })?;
        (!first.stays && domain.len() > first.name.len()).then_some(&*first.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    fn masked(masquerade: &Masquerade, text: &str) -> String {
        let address = address(text);
        now(masquerade.apply(&address, &NoRemote)).unwrap().unwrap_or(address).to_string()
    }

    #[test]
    fn the_first_domain_that_fits_hides_what_is_below_it() {
        let masquerade = Masquerade::default()
            .domain("foo.example.com")
            .domain("!bar.example.com")
            .domain("example.com");
        assert_eq!(masked(&masquerade, "u@any.thing.foo.example.com"), "u@foo.example.com");
        assert_eq!(
            masked(&masquerade, "u@any.thing.bar.example.com"),
            "u@any.thing.bar.example.com"
        );
        assert_eq!(masked(&masquerade, "u@bar.example.com"), "u@bar.example.com");
        assert_eq!(masked(&masquerade, "u@Any.Thing.Else.Example.com"), "u@example.com");
        assert_eq!(masked(&masquerade, "u@example.com"), "u@example.com");
        assert_eq!(masked(&masquerade, "u@notexample.com"), "u@notexample.com");
    }

    #[test]
    fn exceptions_keep_their_domain_in_any_case() {
        let exceptions = MatchList::default().name("root");
        let masquerade = Masquerade { exceptions, ..Masquerade::default() }.domain("example.com");
        assert_eq!(masked(&masquerade, "Root@host.example.com"), "Root@host.example.com");
        assert_eq!(masked(&masquerade, "\"a b\"@host.example.com"), "\"a b\"@example.com");
    }
}
