//! How people are found: by words of their names and addresses, by whole addresses, by domains.

use tantivy::schema::OwnedValue;
use tantivy::tokenizer::{PreTokenizedString, Token};

use super::Address;
use crate::query;
use crate::words::{Terms, folded, wanted};

/// Before a whole address.
const WHOLE: char = '\u{3}';
/// Before a domain.
const DOMAIN: char = '\u{4}';
/// Domains above a domain that are terms as well; no mail domain has more that mean something.
const MAX_PARENTS: usize = 8;

/// The term of a whole address, given in one form of width and case.
pub(super) fn whole_term(address: &str) -> String {
    format!("{WHOLE}{address}")
}

/// The term of a domain and all below it.
pub(super) fn domain_term(domain: &str) -> String {
    format!("{DOMAIN}{domain}")
}

/// The terms of one person in a field of people.
pub(super) fn value(person: &Address<'_>) -> OwnedValue {
    let address = folded(person.address);
    let mut tokens = Vec::with_capacity(8);
    tokens.push(token(0, whole_term(&address)));
    tokens.extend(domains(&address).map(|domain| token(0, domain_term(domain))));
    let behind_name = add_words(&mut tokens, person.name, 0);
    add_words(&mut tokens, person.address, behind_name);
    OwnedValue::PreTokStr(PreTokenizedString { text: String::new(), tokens })
}

/// Whether a search in a field of people finds `own`, an address in one form of width and case, by
/// that address alone: what a reader may ask of mail that came to him by Bcc.
pub(super) fn address_matches(own: &str, asked: &query::Address) -> bool {
    match asked {
        query::Address::Whole(address) => own == address,
        query::Address::Domain(domain) => domains(own).any(|own| own == domain),
    }
}

/// The same for words.
pub(super) fn words_match(own: &str, asked: &crate::words::Wanted) -> bool {
    let own = wanted(own);
    let phrase = asked.phrase.is_empty()
        || own.phrase.iter().any(|(start, _)| {
            asked.phrase.iter().all(|(at, term)| {
                own.phrase
                    .iter()
                    .any(|(own_at, own_term)| *own_at == start + at && own_term == term)
            })
        });
    let singles =
        asked.singles.iter().all(|&c| own.phrase.iter().any(|(_, term)| term.starts_with(c)));
    let pattern = asked.pattern.as_ref().is_none_or(|(pattern, part)| {
        own.phrase.iter().any(|(_, term)| pattern.matches(part.as_bytes(), term.as_bytes()))
    });
    phrase && singles && pattern
}

/// The domain of an address, and those above it but for the last label.
fn domains(address: &str) -> impl Iterator<Item = &str> {
    let domain =
        address.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| !domain.is_empty());
    std::iter::successors(domain, |domain| domain.split_once('.').map(|(_, parent)| parent))
        .enumerate()
        .take_while(|(depth, domain)| *depth == 0 || domain.contains('.'))
        .take(MAX_PARENTS)
        .map(|(_, domain)| domain)
}

fn add_words(tokens: &mut Vec<Token>, text: &str, position: usize) -> usize {
    let mut terms = Terms::of(text);
    let mut next = position;
    while terms.advance() {
        let here = position + terms.position();
        tokens.push(token(here, terms.term().to_owned()));
        next = here + 1;
    }
    next
}

fn token(position: usize, text: String) -> Token {
    Token { position, text, ..Token::default() }
}

#[cfg(test)]
mod tests {
    use super::{address_matches, domains, words_match};
    use crate::query::Address;
    use crate::words::wanted;

    #[test]
    fn domains_end_before_the_last_label() {
        let all = |address| domains(address).collect::<Vec<_>>();
        assert_eq!(all("a@mail.example.com"), ["mail.example.com", "example.com"]);
        assert_eq!(all("a@localhost"), ["localhost"]);
        assert_eq!(all("a@"), [""; 0]);
        assert_eq!(all("a"), [""; 0]);
        assert!(all(&format!("a@{}com", "x.".repeat(500))).len() <= super::MAX_PARENTS);
    }

    #[test]
    fn ones_own_address_is_matched_as_the_index_would() {
        let own = "hans.meier@mail.example.com";
        assert!(address_matches(own, &Address::Whole(own.to_owned())));
        assert!(address_matches(own, &Address::Domain("example.com".to_owned())));
        assert!(!address_matches(own, &Address::Domain("com".to_owned())));
        assert!(words_match(own, &wanted("meier@mail")));
        assert!(!words_match(own, &wanted("mail meier")));
        assert!(!words_match(own, &wanted("boss")));
    }
}
