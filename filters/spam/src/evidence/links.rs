//! What the links of a mail show.

use crate::{
    links::{Link, Links, Trick},
    symbols::{Finding, Symbol},
};

/// What the links show. Each disguise counts once, with the first link that has it.
#[must_use]
pub fn of_links(links: &Links) -> Vec<Finding> {
    let all =
        links.found().iter().flat_map(|link| link.tricks.iter().map(move |trick| (*trick, link)));
    let mut found: Vec<Finding> = Vec::new();
    for (trick, link) in all {
        let symbol = symbol(trick);
        if !found.iter().any(|finding| finding.symbol() == symbol) {
            found.push(Finding::new(symbol, &shown(link)));
        }
    }
    if links.scripts() > 0 {
        found.push(Finding::new(Symbol::UrlScript, &format!("{} links", links.scripts())));
    }
    if links.is_cut() {
        found.push(Finding::new(
            Symbol::UrlTooMany,
            &format!("{} hosts and more", links.found().len()),
        ));
    }
    found
}

/// Both forms of a name whose letters deceive.
fn shown(link: &Link) -> String {
    let (host, letters) = (link.host.to_string(), link.host.shown());
    if host == letters { host } else { format!("{letters} ({host})") }
}

const fn symbol(trick: Trick) -> Symbol {
    match trick {
        Trick::Address => Symbol::UrlAddress,
        Trick::DisguisedAddress => Symbol::UrlAddressDisguised,
        Trick::Userinfo => Symbol::UrlUserinfo,
        Trick::Obfuscated => Symbol::UrlObfuscated,
        Trick::Port => Symbol::UrlPort,
        Trick::Homograph => Symbol::UrlHomograph,
        Trick::MixedScript => Symbol::UrlMixedScript,
        Trick::LikeOwnDomain => Symbol::UrlLikeOwnDomain,
        Trick::OwnDomainInside => Symbol::UrlOwnDomainInside,
        Trick::ShowsOtherDomain => Symbol::UrlShowsOtherDomain,
        Trick::ShowsOwnDomain => Symbol::UrlShowsOwnDomain,
    }
}
