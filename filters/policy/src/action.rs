//! What Postfix is told: an action of access(5).

use std::fmt;

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: other restrictions decide.
    Dunno,
    /// Hand the whole mail to this transport.
    Filter(FilterTarget),
    /// Put the whole mail on hold, with this reason in the log.
    Hold(Box<str>),
}

impl Action {
    /// The answer with the empty line behind it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("action={self}\n\n").into_bytes()
    }
}

impl fmt::Display for Action {
    /// As access(5) writes it, on one line whatever the reason is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dunno => f.write_str("DUNNO"),
            Self::Filter(target) => write!(f, "FILTER {target}"),
            Self::Hold(reason) => {
                let shown = |c: char| if c.is_control() { ' ' } else { c };
                let reason: String = reason.chars().map(shown).take(LONGEST_REASON).collect();
                write!(f, "HOLD {reason}")
            }
        }
    }
}

/// A transport of master.cf and its next hop: `smtp:[127.0.0.1]:10025`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterTarget(Box<str>);

/// What is no target of FILTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a transport of master.cf and a next hop are written smtp:[127.0.0.1]:10025")]
pub struct NoTarget;

impl FilterTarget {
    /// A target as Postfix writes it.
    ///
    /// # Errors
    /// The transport or the next hop is missing: without it Postfix would send the mail to where it
    /// goes anyway.
    pub fn parse(text: &str) -> Result<Self, NoTarget> {
        let (transport, next_hop) = text.split_once(':').ok_or(NoTarget)?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_written = !transport.is_empty() && !next_hop.is_empty();
        (is_plain && is_written).then(|| Self(text.into())).ok_or(NoTarget)
    }
}

impl fmt::Display for FilterTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const LONGEST_REASON: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_and_an_empty_one() {
        let target = FilterTarget::parse("smtp:[127.0.0.1]:10025").unwrap();
        let answer = Action::Filter(target).to_bytes();
        assert_eq!(answer, b"action=FILTER smtp:[127.0.0.1]:10025\n\n");
        assert_eq!(Action::Dunno.to_bytes(), b"action=DUNNO\n\n");
        let forged = Action::Hold("a\n\naction=OK\r\n\0".into()).to_bytes();
        assert_eq!(forged, b"action=HOLD a  action=OK   \n\n");
        assert!(Action::Hold("x".repeat(9_999).into()).to_bytes().len() < 300);
    }

    #[test]
    fn a_target_names_a_transport_and_a_next_hop() {
        for bad in ["", "smtp", "smtp:", ":x", "smtp:[::1]:25 x", "smtp:a\nb"] {
            assert_eq!(FilterTarget::parse(bad), Err(NoTarget), "{bad:?}");
        }
        assert!(FilterTarget::parse("approval:[2001:db8::1]:10025").is_ok());
    }
}
