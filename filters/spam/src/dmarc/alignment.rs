//! Whether a domain that has been proven is one with the author's (RFC 9989 section 4.10.2).

use super::{
    record::Alignment,
    walk::{Unclear, Walker},
};
use crate::dns::Dns;

/// Whether an identifier is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aligned {
    Yes,
    No,
    /// A name server did not tell.
    Unclear,
}

/// Both names are in lower case. A look-up is made only if the names alone do not tell.
pub(super) async fn is_aligned<D: Dns>(
    author: &str,
    identifier: &str,
    mode: Alignment,
    walker: &mut Walker<'_, D>,
) -> Aligned {
    if identifier == author {
        return Aligned::Yes;
    }
    if mode == Alignment::Strict || last_label(identifier) != last_label(author) {
        return Aligned::No;
    }
    // What one walk has learned the next knows.
    let Ok(walk) = walker.walk(author).await else { return Aligned::Unclear };
    let organization = walk.organizational_domain();
    // An organizational domain is the domain itself or above it: most strangers end here, without a look-up.
    if !is_within(identifier, organization) {
        return Aligned::No;
    }
    match walker.walk(identifier).await {
        Err(Unclear) => Aligned::Unclear,
        Ok(walk) if walk.organizational_domain() == organization => Aligned::Yes,
        Ok(_) => Aligned::No,
    }
}

fn last_label(name: &str) -> Option<&str> {
    name.rsplit('.').next()
}

/// Whether a name is this one or below it.
fn is_within(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
