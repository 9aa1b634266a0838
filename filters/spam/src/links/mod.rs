//! The links of a mail: where they lead, where they stand, and how they are disguised.
//!
//! URLs are read as browsers read them (WHATWG, by the crate `url`), since that is where a click leads. [`Links`] listens to
//! a [`Reader`](crate::reading::Reader). Redirectors are left alone: where they lead is theirs to say, and nothing is ever
//! fetched. Style sheets are not read. What a disguise weighs is in `symbols`; here it only has a name.

mod collect;
mod disguise;
mod host;
mod own;
pub mod skeleton;
mod text;
mod url;

#[cfg(test)]
mod tests;

pub use collect::Links;
pub use host::{Host, registrable};
pub use own::OwnDomains;

/// One link of a mail. The same host at the same sort of place is told once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// What it leads to.
    pub host: Host,
    /// Where it stands.
    pub place: Place,
    /// How it is disguised.
    pub tricks: Vec<Trick>,
}

/// Where a link stands, what tells most of a mail first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// What a form is sent to.
    Form,
    /// Where the mail leads by itself.
    Refresh,
    /// What a click leads to.
    Anchor,
    /// A URL in text, which mail programs make a link.
    Text,
    /// A page inside the mail, a script, an object.
    Frame,
    /// A name in text without a scheme, which many mail programs make a link.
    Bare,
    /// Pictures and style sheets.
    Resource,
}

/// How a link is disguised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trick {
    /// It leads to an address, written as people write it.
    Address,
    /// It leads to an address that is written as a number, in octal, in hexadecimal or otherwise.
    DisguisedAddress,
    /// What stands in front of its `@` looks like a host.
    Userinfo,
    /// Its host has escapes, line ends, backslashes, or characters that are dropped or changed.
    Obfuscated,
    /// It has a port that web sites do not have.
    Port,
    /// A label of its host is all letters that look like Latin ones, and none of them is.
    Homograph,
    /// A label of its host mixes letters of scripts that look alike.
    MixedScript,
    /// Its domain looks like one of ours.
    LikeOwnDomain,
    /// Its host begins with a domain of ours and ends in a foreign one.
    OwnDomainInside,
    /// Its text is a URL of another domain.
    ShowsOtherDomain,
    /// Its text is a domain of ours, and it leads elsewhere.
    ShowsOwnDomain,
}
