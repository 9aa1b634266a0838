//! Domains of addresses, in the one form in which they are compared.

use crate::links::registrable;

/// A domain of an address in lower case and in ASCII (IDNA); as it is where it is none.
pub(super) fn in_form(domain: &str) -> String {
    let domain = domain.trim().trim_end_matches('.');
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase())
}

/// Whether two domains in form belong to the same registered one.
pub(super) fn are_related(one: &str, other: &str) -> bool {
    one == other || registrable(one).is_some_and(|domain| registrable(other) == Some(domain))
}

/// Whether anybody gets a mailbox at this domain for nothing.
pub(super) fn is_freemail(domain: &str) -> bool {
    let registered = registrable(domain).unwrap_or(domain);
    let national = registered.split_once('.').is_some_and(|(name, _)| NATIONAL.contains(&name));
    national || FREEMAIL.contains(&registered)
}

/// Providers that have a domain in many countries.
const NATIONAL: [&str; 6] = ["yahoo", "hotmail", "outlook", "live", "gmx", "yandex"];
/// The other large providers of free mailboxes.
const FREEMAIL: [&str; 38] = [
    "gmail.com",
    "googlemail.com",
    "msn.com",
    "aol.com",
    "aim.com",
    "ymail.com",
    "rocketmail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "mail.com",
    "email.com",
    "usa.net",
    "excite.com",
    "lycos.com",
    "netscape.net",
    "juno.com",
    "proton.me",
    "protonmail.com",
    "tutanota.com",
    "zoho.com",
    "zohomail.com",
    "inbox.lv",
    "web.de",
    "freenet.de",
    "t-online.de",
    "mail.ru",
    "bk.ru",
    "rambler.ru",
    "naver.com",
    "daum.net",
    "hanmail.net",
    "nate.com",
    "kakao.com",
    "qq.com",
    "163.com",
    "126.com",
    "sina.com",
];
