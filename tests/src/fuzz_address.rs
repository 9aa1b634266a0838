//! Body of the fuzz target `address`: whatever a peer writes, an address is refused or kept as it
//! was written, is equal to itself, and holds nothing that breaks a command, a header or a log.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use mailweir_mail::{Address, Domain};

/// Reads `data` as an address and as a domain.
///
/// # Panics
/// If what was accepted does not read back, is not equal to its other spellings, or is not safe.
pub fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(address) = Address::parse(&text) {
        check_address(&address, &text);
    }
    if let Ok(domain) = Domain::parse(&text) {
        check_domain(&domain, &text);
    }
}

fn check_address(address: &Address, text: &str) {
    assert_eq!(address.as_str(), text);
    assert!(!text.contains(char::is_control), "a control character in {text:?}");
    let parts = (address.local_part(), address.domain().as_str());
    assert_eq!(text, format!("{}@{}", parts.0, parts.1));
    assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(address));
    let shouted = format!("{}@{}", parts.0, parts.1.to_ascii_uppercase());
    let shouted = Address::parse(&shouted).expect("the case of a domain does not matter");
    assert_eq!(&shouted, address);
    assert_eq!(hash(&shouted), hash(address));
    let _ = (address.asks_for_routing(), address.is_postmaster(), address.needs_smtputf8());
}

fn check_domain(domain: &Domain, text: &str) {
    assert_eq!(domain.as_str(), text);
    let folded = domain.as_ascii();
    assert!(folded.is_ascii() && !folded.contains(|c: char| c.is_control() || c == ' '));
    assert_eq!(folded, folded.to_ascii_lowercase());
    let again = Domain::parse(folded).expect("the folded form is a domain");
    assert_eq!(&again, domain);
    assert_eq!(again.as_ascii(), folded, "folding twice is folding once");
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
