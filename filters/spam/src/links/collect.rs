//! Gathers the links of a mail while it is read, within bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mailweir_content::decode::parts::PartId;

use super::{
    Host, Link, OwnDomains, Place, Trick, disguise, registrable, text,
    url::{self, Target},
};
use crate::reading::{Element, Listener, Run, Source, Text};

/// The links of a mail, as far as it was read.
#[derive(Debug)]
pub struct Links {
    own: Arc<OwnDomains>,
    /// In the order in which they were found, with no two alike.
    found: Vec<Link>,
    /// Of each host a bit for each place at which it was found.
    known: BTreeMap<Host, u8>,
    looked_at: usize,
    scripts: usize,
    anchor: Option<Anchor>,
}

/// A link whose text is being read.
#[derive(Debug)]
struct Anchor {
    target: Target,
    text: String,
}

impl Links {
    /// Of a mail of which nothing was read yet.
    #[must_use]
    pub const fn new(own: Arc<OwnDomains>) -> Self {
        Self {
            own,
            found: Vec::new(),
            known: BTreeMap::new(),
            looked_at: 0,
            scripts: 0,
            anchor: None,
        }
    }

    /// The links that were found, at most 256: the first of each host at each sort of place.
    #[must_use]
    pub fn found(&self) -> &[Link] {
        &self.found
    }

    /// How many links run a script or are a page themselves.
    #[must_use]
    pub const fn scripts(&self) -> usize {
        self.scripts
    }

    /// Whether there were more links than are looked at.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.looked_at >= MOST_LINKS || self.found.len() >= MOST_KEPT
    }

    /// What lists of domains are to be asked about: at most so many domains and addresses, what tells most first.
    /// Disguised links come before others, then those of [`Place`]s that tell more. Among the same, the first and the
    /// last ones of the mail take turns, so that harmless links in front hide none behind. Domains of ours are left
    /// out.
    #[must_use]
    pub fn to_ask(&self, most: usize) -> Vec<Host> {
        let mut by_rank: BTreeMap<(bool, Place), Vec<Host>> = BTreeMap::new();
        for link in &self.found {
            let Some(asked) = asked(&link.host) else { continue };
            let is_ours = matches!(&asked, Host::Name(name) if self.own.has(name));
            if !is_ours && !asked.is_private() {
                by_rank.entry((link.tricks.is_empty(), link.place)).or_default().push(asked);
            }
        }
        let mut seen = BTreeSet::new();
        let turns = by_rank.values().flat_map(|hosts| in_turns(hosts));
        turns.filter(|host| seen.insert((*host).clone())).take(most).cloned().collect()
    }

    fn line(&mut self, line: &str) {
        if self.is_over() {
            return;
        }
        for found in text::of_line(line) {
            let Some(target) = self.read_written(&found) else { return };
            self.add(target, found.place, &[]);
        }
    }

    const fn is_over(&self) -> bool {
        self.looked_at >= MOST_LINKS
    }

    fn attributes(&mut self, element: &Element) {
        for (name, value) in element.attributes() {
            let Some(place) = place(element.name(), name) else { continue };
            if let Some(target) = self.read(value) {
                self.add(target, place, &[]);
            }
        }
    }

    /// `<meta http-equiv=refresh content="0; url=...">`.
    fn refresh(&mut self, meta: &Element) {
        let is_refresh = meta
            .attribute("http-equiv")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"));
        let content = meta.attribute("content").filter(|_| is_refresh).unwrap_or_default();
        let Some((_, url)) = content.split_once('=') else { return };
        if let Some(target) = self.read(url.trim_matches(['\'', '"', ' '])) {
            self.add(target, Place::Refresh, &[]);
        }
    }

    fn end_anchor(&mut self) {
        let Some(anchor) = self.anchor.take() else { return };
        let shown = self.shown(&anchor);
        self.add(anchor.target, Place::Anchor, shown.as_slice());
    }

    /// Whether the text of a link shows another domain than it leads to.
    fn shown(&mut self, anchor: &Anchor) -> Option<Trick> {
        let Target::Host(host, _) = &anchor.target else { return None };
        // As nearly all texts of links.
        let has_no_name = memchr::memchr2(b'.', b':', anchor.text.as_bytes()).is_none();
        if has_no_name && anchor.text.is_ascii() {
            return None;
        }
        let text = mailweir_content::decode::visible(anchor.text.trim());
        let found = text::of_line(&text).next()?;
        let Target::Host(Host::Name(shown), _) = self.read_written(&found)? else { return None };
        if self.own.has(&shown) {
            return (!matches!(host, Host::Name(name) if self.own.has(name)))
                .then_some(Trick::ShowsOwnDomain);
        }
        // Names of shops end in `.com`; only what is written as a URL says where a click leads.
        let is_url =
            found.place == Place::Text && text.split_whitespace().nth(MOST_WORDS).is_none();
        let differs = registrable(&shown).is_some_and(|domain| host.domain() != Some(domain));
        (is_url && differs).then_some(Trick::ShowsOtherDomain)
    }

    /// None when there were too many.
    fn read(&mut self, raw: &str) -> Option<Target> {
        self.looked_at += 1;
        (self.looked_at <= MOST_LINKS).then(|| url::read(raw))
    }

    /// A link of text. Where no name ends in what was read, letters of the sentence stick to it.
    fn read_written(&mut self, found: &text::Found<'_>) -> Option<Target> {
        let with_scheme = |written: &str| match written.contains(":/") || written.contains(":\\") {
            true => written.to_owned(),
            false => format!("http://{written}"),
        };
        let target = self.read(&with_scheme(found.written))?;
        let is_odd = match &target {
            Target::Host(Host::Name(name), _) => !super::host::is_under_known_suffix(name),
            Target::Host(Host::V4(_) | Host::V6(_), _) | Target::Script => false,
            Target::Nothing => true,
        };
        let ascii =
            found.written.split(|character: char| !character.is_ascii()).next().unwrap_or_default();
        if is_odd && ascii.len() < found.written.len() {
            self.read(&with_scheme(ascii))
        } else {
            Some(target)
        }
    }

    fn add(&mut self, target: Target, place: Place, more: &[Trick]) {
        match target {
            Target::Nothing => {}
            // A picture that holds itself is no disguise.
            Target::Script if place == Place::Resource => {}
            Target::Script => self.scripts += 1,
            Target::Host(host, mut tricks) => {
                tricks.extend_from_slice(more);
                self.keep(host, place, tricks);
            }
        }
    }

    fn keep(&mut self, host: Host, place: Place, mut tricks: Vec<Trick>) {
        let bit = 1_u8 << place as u8;
        if self.known.get(&host).is_some_and(|places| places & bit != 0) {
            return self.add_tricks(&host, place, &tricks);
        }
        if self.found.len() >= MOST_KEPT {
            return;
        }
        tricks.extend(disguise::of_host(&host, &self.own));
        tricks.sort_unstable();
        tricks.dedup();
        *self.known.entry(host.clone()).or_default() |= bit;
        self.found.push(Link { host, place, tricks });
    }

    /// Disguises of a link to a host that is known: at most one search for each disguise that is new.
    fn add_tricks(&mut self, host: &Host, place: Place, tricks: &[Trick]) {
        if tricks.is_empty() {
            return;
        }
        let same = |link: &&mut Link| link.place == place && link.host == *host;
        if let Some(link) = self.found.iter_mut().find(same) {
            link.tricks.extend(
                tricks
                    .iter()
                    .filter(|trick| !link.tricks.contains(trick))
                    .copied()
                    .collect::<Vec<_>>(),
            );
            link.tricks.sort_unstable();
        }
    }
}

impl Listener for Links {
    /// Lines of HTML are not looked at: what stands in an anchor is no link of its own.
    fn text(&mut self, text: &Text<'_>) {
        if text.source == Source::Plain {
            self.line(text.line);
        }
    }

    fn element(&mut self, element: &Element) {
        match element.name() {
            "a" => {
                self.end_anchor();
                let target = element.attribute("href").and_then(|href| self.read(href));
                self.anchor = target.map(|target| Anchor { target, text: String::new() });
            }
            "meta" => self.refresh(element),
            _ => self.attributes(element),
        }
    }

    fn end_element(&mut self, name: &str) {
        if name == "a" {
            self.end_anchor();
        }
    }

    fn run(&mut self, run: &Run<'_>) {
        match &mut self.anchor {
            Some(anchor) => {
                let room = LONGEST_TEXT.saturating_sub(anchor.text.len());
                let text = run.text.get(..run.text.floor_char_boundary(room));
                anchor.text.push_str(text.unwrap_or_default());
            }
            None => self.line(run.text),
        }
    }

    fn end_part(&mut self, _: PartId) {
        self.end_anchor();
    }
}

/// Where a link stands that is the value of an attribute, if it may be one.
const fn place(element: &str, attribute: &str) -> Option<Place> {
    Some(match (attribute.as_bytes(), element.as_bytes()) {
        (b"href", b"area" | b"base") => Place::Anchor,
        (b"href", b"link") => Place::Resource,
        (b"action", b"form") | (b"formaction", b"button" | b"input") => Place::Form,
        (b"src", b"iframe" | b"frame" | b"embed" | b"script") => Place::Frame,
        (b"data", b"object") => Place::Frame,
        (b"src", b"img" | b"input" | b"video" | b"audio" | b"source") => Place::Resource,
        (b"background", _) => Place::Resource,
        _ => return None,
    })
}

/// What a list is asked about: the registered domain, or the address.
fn asked(host: &Host) -> Option<Host> {
    match host {
        Host::Name(name) => registrable(name).map(|domain| Host::Name(domain.into())),
        Host::V4(address) => Some(Host::V4(*address)),
        Host::V6(address) => Some(Host::V6(*address)),
    }
}

/// The first, the last, the second, the last but one, and so on.
fn in_turns(hosts: &[Host]) -> impl Iterator<Item = &Host> {
    let half = hosts.len().div_ceil(2);
    let from_end = hosts.iter().rev().map(Some).chain(std::iter::repeat(None));
    let pairs = hosts.iter().take(half).zip(from_end);
    pairs.flat_map(|(first, last)| [Some(first), last].into_iter().flatten())
}

/// Links of a mail that are looked at. Newsletters have some hundreds.
const MOST_LINKS: usize = 2000;
/// Links that are kept; newsletters lead to some dozens of hosts.
const MOST_KEPT: usize = 256;
/// Bytes of the text of a link that are compared with where it leads.
const LONGEST_TEXT: usize = 256;
/// Words of the text of a link that says where it leads; more are a sentence with an example in it.
const MOST_WORDS: usize = 3;
