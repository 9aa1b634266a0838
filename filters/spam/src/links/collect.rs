//! Gathers the links of a mail from its lines and tokens, within bounds.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Host, Link, OwnDomains, Place, Trick, disguise,
    markup::{Tag, Token},
    registrable, text,
    url::{self, Target},
};

/// The links of a mail, as far as it was read.
#[derive(Debug)]
pub struct Links<'o> {
    own: &'o OwnDomains,
    /// In the order in which they were found, with no two alike.
    found: Vec<Link>,
    known: BTreeSet<(Host, Place)>,
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

impl<'o> Links<'o> {
    /// Of a mail of which nothing was read yet.
    #[must_use]
    pub const fn new(own: &'o OwnDomains) -> Self {
        Self {
            own,
            found: Vec::new(),
            known: BTreeSet::new(),
            looked_at: 0,
            scripts: 0,
            anchor: None,
        }
    }

    /// Takes a line of plain text.
    pub fn line(&mut self, line: &str) {
        if self.looked_at >= MOST_LINKS {
            return;
        }
        for found in text::of_line(line) {
            let Some(target) = self.read_written(&found) else { return };
            self.add(target, found.place, &[]);
        }
    }

    /// Takes the next token of an HTML part.
    pub fn token(&mut self, token: &Token<'_>) {
        match token {
            Token::Start(tag) => self.tag(tag),
            Token::End("a" | "area") => self.end_anchor(),
            Token::Text(text) => self.text(text),
            Token::End(_) | Token::Comment => {}
        }
    }

    /// The HTML part is over.
    pub fn end_of_part(&mut self) {
        self.end_anchor();
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
    /// out, and those that `is_known_good` says.
    #[must_use]
    pub fn to_ask(&self, most: usize, is_known_good: impl Fn(&str) -> bool) -> Vec<Host> {
        let mut by_rank: BTreeMap<(bool, Place), Vec<Host>> = BTreeMap::new();
        for link in &self.found {
            let Some(asked) = asked(&link.host) else { continue };
            let is_good = asked.is_private()
                || matches!(&asked, Host::Name(name) if self.own.has(name) || is_known_good(name));
            if !is_good {
                by_rank.entry((link.tricks.is_empty(), link.place)).or_default().push(asked);
            }
        }
        let mut seen = BTreeSet::new();
        let turns = by_rank.values().flat_map(|hosts| in_turns(hosts));
        turns.filter(|host| seen.insert((*host).clone())).take(most).cloned().collect()
    }

    fn tag(&mut self, tag: &Tag) {
        match tag.name() {
            "a" | "area" => {
                self.end_anchor();
                let target = tag.get("href").and_then(|href| self.read(href));
                self.anchor = target.map(|target| Anchor { target, text: String::new() });
            }
            "form" => self.attribute(tag, "action", Place::Form),
            "button" | "input" => self.attribute(tag, "formaction", Place::Form),
            "meta" => self.refresh(tag),
            "iframe" | "frame" | "embed" | "script" => self.attribute(tag, "src", Place::Frame),
            "object" => self.attribute(tag, "data", Place::Frame),
            "base" => self.attribute(tag, "href", Place::Anchor),
            "link" => self.attribute(tag, "href", Place::Resource),
            _ => {}
        }
        if matches!(tag.name(), "img" | "input" | "video" | "audio" | "source") {
            self.attribute(tag, "src", Place::Resource);
        }
        self.attribute(tag, "background", Place::Resource);
    }

    fn attribute(&mut self, tag: &Tag, name: &str, place: Place) {
        if let Some(target) = tag.get(name).and_then(|value| self.read(value)) {
            self.add(target, place, &[]);
        }
    }

    /// `<meta http-equiv=refresh content="0; url=...">`.
    fn refresh(&mut self, tag: &Tag) {
        let is_refresh =
            tag.get("http-equiv").is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"));
        let content = tag.get("content").filter(|_| is_refresh).unwrap_or_default();
        let Some((_, url)) = content.split_once('=') else { return };
        if let Some(target) = self.read(url.trim_matches(['\'', '"', ' '])) {
            self.add(target, Place::Refresh, &[]);
        }
    }

    fn text(&mut self, text: &str) {
        match &mut self.anchor {
            Some(anchor) => {
                let room = LONGEST_TEXT.saturating_sub(anchor.text.len());
                anchor.text.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or(text));
            }
            None => self.line(text),
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
        if self.known.contains(&(host.clone(), place)) {
            return self.add_tricks(&host, place, &tricks);
        }
        if self.found.len() >= MOST_KEPT {
            return;
        }
        tricks.extend(disguise::of_host(&host, self.own));
        tricks.sort_unstable();
        tricks.dedup();
        self.known.insert((host.clone(), place));
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
