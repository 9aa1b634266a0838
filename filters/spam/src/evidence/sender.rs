//! Whom a mail pretends to be from: names and addresses that say different things.

use super::{
    Mailbox, Own,
    mailbox::is_address,
    names::{are_related, in_form, is_freemail},
};
use crate::{
    links::skeleton::is_disguised,
    symbols::{Finding, Symbol},
};

/// What is odd about the decoded values of From and Reply-To.
#[must_use]
pub fn of_sender(from: &str, reply_to: Option<&str>, own: &Own) -> Vec<Finding> {
    let (authors, answers) = (Mailbox::all(from), Mailbox::all(reply_to.unwrap_or_default()));
    let mut found = Vec::new();
    if let [first, .., last] = authors.as_slice() {
        let shown = format!(
            "{} and {}",
            first.address.unwrap_or(first.name),
            last.address.unwrap_or(last.name)
        );
        found.push(Finding::new(Symbol::FromSeveral, &shown));
    }
    let Some(author) = authors.iter().find(|author| author.address.is_some()) else {
        found.push(Finding::new(Symbol::FromNoAddress, from));
        return found;
    };
    let domain = in_form(author.domain().unwrap_or_default());
    found.extend(of_name(author, &domain, &answers, own));
    if let Some(word) = author.name.split_whitespace().find(|word| is_disguised(word)) {
        found.push(Finding::new(Symbol::FromNameHomograph, word));
    }
    if let Some(ours) = own.domains().looked_like(&domain) {
        found.push(Finding::new(Symbol::FromLikeOwnDomain, &format!("{domain} looks like {ours}")));
    }
    found.extend(of_answers(&domain, &answers, own));
    found
}

/// A name that is an address, or that of somebody here.
fn of_name(
    author: &Mailbox<'_>,
    domain: &str,
    answers: &[Mailbox<'_>],
    own: &Own,
) -> Option<Finding> {
    if own.domains().has(domain) {
        return None;
    }
    let address = author.address.unwrap_or_default();
    let shown = || format!("{} <{address}>", author.name);
    if own.is_spoofed(author.name, address) {
        return Some(Finding::new(Symbol::FromNameSpoofsUser, &shown()));
    }
    let named = addresses_in(author.name).find(|named| !are_related(&domain_of(named), domain))?;
    let symbol = match own.domains().has(&domain_of(named)) {
        true => Symbol::FromNameSpoofsDomain,
        // Lists put the author's address into the name and have answers go there: nothing is gained by that.
        false if answers.iter().any(|answer| answer.address == Some(named)) => return None,
        false => Symbol::FromNameOtherAddress,
    };
    Some(Finding::new(symbol, &shown()))
}

/// Answers that go elsewhere.
fn of_answers(domain: &str, answers: &[Mailbox<'_>], own: &Own) -> Option<Finding> {
    let others = answers.iter().filter_map(Mailbox::domain).map(in_form);
    let other = others
        .into_iter()
        .find(|other| !are_related(other, domain) && !own.domains().has(other))?;
    let symbol =
        if is_freemail(&other) { Symbol::ReplyToFreemail } else { Symbol::ReplyToOtherDomain };
    Some(Finding::new(symbol, &format!("from {domain}, answers to {other}")))
}

fn addresses_in(name: &str) -> impl Iterator<Item = &str> {
    let ends = |character: char| {
        character.is_whitespace()
            || matches!(character, '<' | '>' | '(' | ')' | '"' | '\'' | ',' | '[' | ']')
    };
    name.split(ends).filter(|word| is_address(word)).take(MOST_NAMED)
}

fn domain_of(address: &str) -> String {
    in_form(address.rsplit_once('@').map_or("", |(_, domain)| domain))
}

/// Addresses in a name that are looked at.
const MOST_NAMED: usize = 4;
