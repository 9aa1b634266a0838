//! Address extensions: the `+ext` of `user+ext@example.com`.

/// What divides a user's name from an address extension, and which names are never divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extensions {
    delimiters: Box<str>,
    double_bounce: Box<str>,
    owner_request: bool,
}

impl Default for Extensions {
    /// No extensions, as Postfix begins: `recipient_delimiter` is empty.
    fn default() -> Self {
        Self::new("")
    }
}

impl Extensions {
    /// Extensions behind the first of these characters (`recipient_delimiter`; a set since
    /// Postfix 2.11). An empty set means that there are none.
    #[must_use]
    pub fn new(delimiters: &str) -> Self {
        Self {
            delimiters: delimiters.into(),
            double_bounce: "double-bounce".into(),
            owner_request: true,
        }
    }

    /// Whose name is not divided either (`double_bounce_sender`).
    #[must_use]
    pub fn double_bounce_sender(self, name: &str) -> Self {
        Self { double_bounce: name.into(), ..self }
    }

    /// Whether `-` divides `owner-list` and `list-request` (`owner_request_special = no`).
    #[must_use]
    pub fn divide_owner_and_request(self, divide: bool) -> Self {
        Self { owner_request: !divide, ..self }
    }

    /// Divides a local part without quotes into the user's name and the extension with its
    /// delimiter. `None` if there is no extension, or would be no name.
    #[must_use]
    pub fn split<'l>(&self, local_part: &'l str) -> Option<(&'l str, &'l str)> {
        let is = |name: &str| local_part.eq_ignore_ascii_case(name);
        let is_reserved = is("postmaster") || is("mailer-daemon") || is(&self.double_bounce);
        if is_reserved || self.is_of_a_list(local_part) {
            return None;
        }
        let at = local_part.find(|c| self.delimiters.contains(c)).filter(|&at| at > 0)?;
        Some(local_part.split_at(at))
    }

    /// `owner-list` and `list-request` are names of their own where `-` is a delimiter.
    fn is_of_a_list(&self, local_part: &str) -> bool {
        let local_part = local_part.as_bytes();
        let owner = local_part.get(..OWNER.len());
        let request = local_part.len().checked_sub(REQUEST.len()).filter(|&at| at > 0);
        let request = request.and_then(|at| local_part.get(at..));
        self.owner_request
            && self.delimiters.contains('-')
            && (owner.is_some_and(|start| start.eq_ignore_ascii_case(OWNER))
                || request.is_some_and(|end| end.eq_ignore_ascii_case(REQUEST)))
    }
}

const OWNER: &[u8] = b"owner-";
const REQUEST: &[u8] = b"-request";
