//! What access tables asked for besides accepting or refusing, for the mail at its end.

use mailweir_filters::{
    checks::Detour,
    restrictions::{Effects, Wish},
};
use mailweir_mail::{Address, HoldReason, Transport};

/// HOLD, FILTER, REDIRECT and BCC of access tables, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ingress) struct Wishes {
    pub(in crate::ingress) hold: Option<HoldReason>,
    filter: Option<Transport>,
    redirect: Option<Address>,
    bcc: Vec<Address>,
}

/// A wish that cannot be fulfilled. The mail waits: to send it past its filter would be worse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {text:?} is no {expected}")]
pub(in crate::ingress) struct WishError {
    place: Box<str>,
    text: Box<str>,
    expected: &'static str,
}

impl Wishes {
    /// Reads what tables asked for.
    ///
    /// # Errors
    /// It is no address, or no transport and next hop.
    pub(in crate::ingress) fn of(effects: &Effects) -> Result<Self, WishError> {
        let address =
            |wish: &Wish| Address::parse(wish.text.trim()).map_err(|_| error(wish, "address"));
        let transport = |wish: &Wish| {
            Transport::parse(&wish.text).ok_or_else(|| error(wish, "transport and next hop"))
        };
        Ok(Self {
            hold: effects.hold.as_ref().map(hold_reason),
            filter: effects.filter.as_ref().map(transport).transpose()?,
            redirect: effects.redirect.as_ref().map(address).transpose()?,
            bcc: effects.bcc.iter().map(address).collect::<Result<_, _>>()?,
        })
    }

    /// Together with what the checks of the content came to, which have the last word. REDIRECT
    /// overrides FILTER, wherever either comes from.
    pub(in crate::ingress) fn and(
        mut self,
        detour: Option<Detour>,
        bcc: Vec<Address>,
    ) -> (Option<Detour>, Vec<Address>) {
        match detour {
            Some(Detour::Redirect(address)) => self.redirect = Some(address),
            Some(Detour::Filter(transport)) => self.filter = Some(transport),
            None => {}
        }
        self.bcc.extend(bcc);
        let redirect = self.redirect.map(Detour::Redirect);
        (redirect.or_else(|| self.filter.map(Detour::Filter)), self.bcc)
    }
}

fn hold_reason(wish: &Wish) -> HoldReason {
    HoldReason::new(&format!("{} ({})", wish.text, wish.place))
}

fn error(wish: &Wish, expected: &'static str) -> WishError {
    WishError { place: wish.place.to_string().into(), text: wish.text.clone(), expected }
}

#[cfg(test)]
mod tests {
    use mailweir_tables::Place;

    use super::*;

    fn wish(text: &str) -> Wish {
        Wish { text: text.into(), place: Place { table: "hash:/a".into(), line: Some(3) } }
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn redirect_overrides_filter_and_content_has_the_last_word() {
        let filter = |text: &str| Transport::parse(text).unwrap();
        let effects = Effects {
            filter: Some(wish("scan:[127.0.0.1]:1")),
            bcc: vec![wish("b@b.example")],
            ..Effects::default()
        };
        let wishes = Wishes::of(&effects).unwrap();
        let (detour, bcc) = wishes.clone().and(None, vec![address("c@c.example")]);
        assert_eq!(detour, Some(Detour::Filter(filter("scan:[127.0.0.1]:1"))));
        assert_eq!(bcc, [address("b@b.example"), address("c@c.example")]);
        let other = Detour::Filter(filter("other:"));
        assert_eq!(wishes.and(Some(other.clone()), Vec::new()).0, Some(other.clone()));
        let effects = Effects { redirect: Some(wish("r@r.example")), ..effects };
        let (detour, _) = Wishes::of(&effects).unwrap().and(Some(other), Vec::new());
        assert_eq!(detour, Some(Detour::Redirect(address("r@r.example"))));
    }

    #[test]
    fn what_cannot_be_done_is_an_error_that_names_the_rule() {
        let effects = Effects { redirect: Some(wish("nobody@")), ..Effects::default() };
        let error = Wishes::of(&effects).unwrap_err().to_string();
        assert_eq!(error, "hash:/a, line 3: \"nobody@\" is no address");
    }
}
