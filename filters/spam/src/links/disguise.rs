//! How the host of a link is disguised, by what it looks like.

use super::{
    Host, OwnDomains, Trick,
    skeleton::{Script, looks_latin, script},
};

/// The disguises of a host.
pub(super) fn of_host(host: &Host, own: &OwnDomains) -> Vec<Trick> {
    let Host::Name(name) = host else { return Vec::new() };
    let mut tricks = Vec::new();
    if name.contains("xn--") {
        tricks.extend(of_letters(&host.shown()));
    }
    if own.looked_like(name).is_some() {
        tricks.push(Trick::LikeOwnDomain);
    } else if own.inside_of(name).is_some() {
        tricks.push(Trick::OwnDomainInside);
    }
    tricks
}

/// Of a name in its letters. What lies under a top domain of the same script is at home there: `.рф`.
fn of_letters(shown: &str) -> Option<Trick> {
    let (labels, top) = shown.rsplit_once('.')?;
    let mut labels = labels.split('.').filter(|label| !label.is_ascii());
    if labels.clone().any(mixes_scripts) {
        return Some(Trick::MixedScript);
    }
    (top.is_ascii() && labels.any(looks_latin)).then_some(Trick::Homograph)
}

fn mixes_scripts(label: &str) -> bool {
    let mut scripts = label.chars().filter_map(script);
    let first: Option<Script> = scripts.next();
    scripts.any(|script| Some(script) != first)
}
