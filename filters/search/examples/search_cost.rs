//! What the index costs: rate of indexing, memory, size, and how long searches take.
//!
//! ```text
//! cargo run --release -p mailweir-search --example search_cost -- 100000 [directory]
//! ```
//!
//! The mails are made up, the same every time: four languages, about 2 KB of text each, words as often
//! as Zipf says from some thousand of each language. A commit after every 20,000 mails. An index that is
//! in the directory already is searched as it is.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mailweir_search::index::{
    Address, Count, DEFAULT_HEAP, Direction, Document, Index, IndexError, Indexer, Opened, Page,
    Scope, Searcher,
};
use mailweir_search::query::Query;

const TEXT: usize = 2_048;
const COMMIT: u64 = 20_000;
const QUERIES: usize = 200;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mails: u64 = arguments.next().map_or(Ok(10_000), |mails| mails.parse())?;
    let own = tempfile::tempdir()?;
    let path = arguments.next().map_or_else(|| own.path().join("index"), PathBuf::from);
    let corpus = Corpus::new();
    let index = match Index::open(&path) {
        Opened::Ready(index) => index,
        _ => {
            let index = Index::create(&path)?;
            fill(&index, &corpus, mails)?;
            index
        }
    };
    let bytes = size_of(&path)?;
    println!("size            {} MB, {} bytes a mail", bytes >> 20, bytes / mails.max(1));
    let searcher = index.searcher();
    searcher.refresh()?;
    searches(&searcher, &corpus, mails)?;
    println!("memory after    {} MB", anonymous_memory() >> 20);
    Ok(())
}

fn fill(index: &Index, corpus: &Corpus, mails: u64) -> Result<(), Box<dyn Error>> {
    let mut indexer = index.indexer(DEFAULT_HEAP)?;
    let (mut text, mut peak, mut making) = (0, 0, Duration::ZERO);
    let start = Instant::now();
    for seq in 0..mails {
        let begin = Instant::now();
        let mail = corpus.mail(seq);
        making += begin.elapsed();
        text += mail.text.len();
        mail.add(&mut indexer, seq)?;
        if seq % 500 == 0 {
            peak = peak.max(anonymous_memory());
        }
        if seq % COMMIT == COMMIT - 1 {
            indexer.commit(seq)?;
            index.searcher().refresh()?;
            peak = peak.max(anonymous_memory());
        }
    }
    indexer.commit(mails.saturating_sub(1))?;
    let taken = start.elapsed();
    indexer.finish()?;
    let rate = mails as f64 / taken.as_secs_f64();
    println!("mails           {mails} with {} bytes of text each", text as u64 / mails.max(1));
    println!(
        "indexed in      {taken:.1?} (and merges until {:.1?}): {rate:.0} a second",
        start.elapsed()
    );
    println!("made up in      {making:.1?} of it, in the thread that adds");
    println!("peak memory     {} MB anonymous", peak.max(anonymous_memory()) >> 20);
    Ok(())
}

fn searches(searcher: &Searcher, corpus: &Corpus, mails: u64) -> Result<(), Box<dyn Error>> {
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut slowest = Vec::new();
    for round in 0..ROUNDS {
        let mut random = Random(7);
        for number in 0..QUERIES {
            let (kind, text) = corpus.query(number, mails, &mut random);
            let query = Query::parse(&text)?;
            let start = Instant::now();
            let found = searcher.search(&query, &Scope::WithBcc, &Page::default(), &|_| true)?;
            let taken = start.elapsed();
            times.entry(kind).or_default().push(taken);
            times.entry("all").or_default().push(taken);
            if round == 0 {
                let count = match found.count {
                    Count::Exactly(count) => count.to_string(),
                    Count::MoreThan(count) => format!("{count}+"),
                };
                slowest.push((taken, text, count));
            }
        }
    }
    for (kind, times) in &mut times {
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "{kind:<15} median {:>9.2?}  95 % {:>9.2?}  max {:>9.2?}",
            at(50),
            at(95),
            at(100)
        );
    }
    slowest.sort();
    println!("slowest at first:");
    for (taken, text, count) in slowest.iter().rev().take(8) {
        println!("  {taken:>9.2?} {count:>6} {text}");
    }
    Ok(())
}

/// What all mails are made of.
struct Corpus {
    languages: [Language; 4],
    people: Vec<(String, String)>,
}

struct Language {
    words: Vec<String>,
    /// How often words up to this one are taken, of all.
    upto: Vec<f64>,
    spaced: bool,
}

struct Mail {
    subject: String,
    text: String,
    from: (String, String),
    to: (String, String),
}

impl Mail {
    fn add(&self, indexer: &mut Indexer, seq: u64) -> Result<(), IndexError> {
        let Self { from, to, .. } = self;
        let document = Document {
            seq,
            time: 1_700_000_000 + i64::try_from(seq).unwrap_or(0) * 60,
            size: 4_096 + seq % 97 * 10_000,
            subject: &self.subject,
            text: &[&self.text],
            files: &["report-2026.pdf"][..usize::from(seq.is_multiple_of(5))],
            has_attachment: seq.is_multiple_of(5),
            from: &[Address { name: &from.0, address: &from.1 }],
            to: &[Address { name: &to.0, address: &to.1 }],
            message_id: Some(&format!("<{seq:x}.{}@mail.example.com>", seq * 7919 % 104_729)),
            id: &format!("{seq:012X}"),
            direction: Some(if seq.is_multiple_of(3) { Direction::Out } else { Direction::In }),
            ..Document::default()
        };
        indexer.add(&document).map(drop)
    }
}

impl Corpus {
    fn new() -> Self {
        let mut random = Random(1);
        let languages = [
            Language::new(&mut random, 8_000, true, &latin("bcdfghlmnprstvw", "aeiou")),
            Language::new(&mut random, 6_000, true, &spread('가', 28, 400)),
            Language::new(&mut random, 6_000, false, &japanese()),
            Language::new(&mut random, 8_000, true, &latin("bcdfghjlmnpqrstv", "aeiouéèàùê")),
        ];
        let people = (0..2_000)
            .map(|i| {
                let words = &languages[i % 4].words;
                let name = format!("{} {}", words[i * 3 % words.len()], words[i * 7 % words.len()]);
                (name, format!("user{i}@dept{}.example{}.com", i % 17, i % 60))
            })
            .collect();
        Self { languages, people }
    }

    /// The mail of a number, the same every time.
    fn mail(&self, seq: u64) -> Mail {
        let mut random = Random(seq.wrapping_mul(0x9E37_79B9).wrapping_add(11));
        let language = &self.languages[random.below(4)];
        let mut subject = String::new();
        language.sentence(&mut subject, 5, &mut random);
        let mut text = String::with_capacity(TEXT + 64);
        while text.len() < TEXT {
            let words = 5 + random.below(12);
            language.sentence(&mut text, words, &mut random);
            text.push_str(if language.spaced { ". " } else { "。" });
            if random.below(6) == 0 {
                text.push_str(&format!(
                    "No. {} / 2026-{:02}\r\n",
                    random.below(1_000_000),
                    random.below(12) + 1
                ));
            }
        }
        // The best known write most.
        let person = |random: &mut Random| {
            let square = random.below(self.people.len()) * random.below(self.people.len());
            self.people[square / self.people.len()].clone()
        };
        let (from, to) = (person(&mut random), person(&mut random));
        Mail { subject, text, from, to }
    }

    /// One of the questions that people ask, and its kind.
    fn query(&self, number: usize, mails: u64, random: &mut Random) -> (&'static str, String) {
        let language = &self.languages[number % 4];
        let word = |random: &mut Random| language.words[language.word(random)].clone();
        let rare = |random: &mut Random| language.words[random.below(language.words.len())].clone();
        let mail = self.mail(random.next() % mails.max(1));
        let excerpt = |random: &mut Random, characters: usize| {
            let chars: Vec<char> = mail.text.chars().filter(|c| !"\r\n\"".contains(*c)).collect();
            let from = random.below(chars.len().saturating_sub(2 * characters).max(1));
            let spaces =
                if language.spaced { chars[from..].iter().position(|c| *c == ' ') } else { None };
            chars[from + spaces.unwrap_or(0)..].iter().take(characters).collect::<String>()
        };
        match number / 4 % 10 {
            0 => ("common word", word(random)),
            1 => ("rare word", rare(random)),
            2 => ("two words", format!("{} {}", word(random), rare(random))),
            3 => ("phrase", format!("\"{}\"", excerpt(random, 18))),
            4 => ("address", format!("from:{}", mail.from.1)),
            5 => ("domain", format!("to:@example{}.com {}", random.below(60), word(random))),
            6 => ("days", format!("{} date:2024-0{}", word(random), 1 + random.below(9))),
            7 => ("exclusion", format!("{} -{} larger:300K", word(random), word(random))),
            8 if language.spaced && number % 4 != 1 => {
                let word: String = rare(random).chars().take(5).collect();
                if number < 100 {
                    ("prefix", format!("{word}*"))
                } else {
                    ("within", format!("*{word}*"))
                }
            }
            8 => ("single", rare(random).chars().take(1).collect()),
            _ => ("choice", format!("subject:({} OR {})", word(random), rare(random))),
        }
    }
}

impl Language {
    fn new(random: &mut Random, words: usize, spaced: bool, syllables: &[String]) -> Self {
        let words: Vec<String> = (0..words)
            .map(|rank| {
                // Frequent words are short.
                let most = if rank < 60 { 1 } else { 3 };
                let length = 1 + random.below(most) + usize::from(rank > 1_500);
                // Frequent syllables are few.
                let pick = |random: &mut Random| {
                    random.below(syllables.len()).min(random.below(syllables.len()))
                };
                (0..length).map(|_| syllables[pick(random)].as_str()).collect()
            })
            .collect();
        let mut sum = 0.0;
        let upto = (1..=words.len())
            .map(|rank| {
                sum += 1.0 / rank as f64;
                sum
            })
            .collect();
        Self { words, upto, spaced }
    }

    fn word(&self, random: &mut Random) -> usize {
        let all = self.upto.last().copied().unwrap_or(1.0);
        let at = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * all;
        self.upto.partition_point(|upto| *upto < at).min(self.words.len() - 1)
    }

    fn sentence(&self, out: &mut String, words: usize, random: &mut Random) {
        for number in 0..words {
            if self.spaced && number > 0 {
                out.push(' ');
            }
            out.push_str(&self.words[self.word(random)]);
        }
    }
}

fn latin(consonants: &str, vowels: &str) -> Vec<String> {
    let pairs = consonants.chars().flat_map(|c| vowels.chars().map(move |v| format!("{c}{v}")));
    let closed = consonants.chars().flat_map(|c| vowels.chars().map(move |v| format!("{v}{c}")));
    pairs.chain(closed).collect()
}

fn spread(first: char, step: u32, many: u32) -> Vec<String> {
    (0..many)
        .filter_map(|i| char::from_u32(u32::from(first) + i * step))
        .map(String::from)
        .collect()
}

/// Kana first, since they are most of a text; then Kanji.
fn japanese() -> Vec<String> {
    [spread('ぁ', 1, 80), spread('ァ', 1, 80), spread('一', 9, 1_500)].concat()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }
}

fn size_of(path: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(path)?.map(|entry| entry?.metadata().map(|data| data.len())).sum()
}

/// What the process holds in memory that no file stands behind.
fn anonymous_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}
