//! What the groups of a POSIX pattern hold, as the GNU C library says.
//!
//! Of all matches that start first the longest counts; of the ways to get it, the one that takes
//! the first branch and one repetition more wherever that leads to the same end. Each state is
//! visited once at each place: linear in the key for a given pattern.

use regex_syntax::hir::{Class, Look};

use super::Node;
use crate::{
    PatternSteps,
    rules::{backtrack::Stop, node::Repeat, pattern::Groups},
};

/// A pattern as instructions.
#[derive(Debug)]
pub(crate) struct Program {
    code: Vec<Op>,
    slots: usize,
}

#[derive(Debug)]
enum Op {
    Byte(Box<[bool; 256]>),
    Character(Class),
    Look(Look),
    /// Keeps the place, as the start (even) or the end (odd) of a group.
    Save(usize),
    /// Goes on at the first, or else at the second.
    Split(usize, usize),
    Jump(usize),
    Match,
}

enum Todo {
    Visit { op: usize, at: usize },
    Restore { slot: usize, old: Option<usize> },
}

impl Program {
    pub(crate) fn new(node: &Node, groups: u32) -> Self {
        let mut program = Self { code: Vec::new(), slots: 2 * (groups as usize + 1) };
        program.add(node);
        program.code.push(Op::Match);
        program
    }

    /// Where the groups are in the longest match that starts at `start`, of which there is one.
    pub(crate) fn captures(
        &self,
        key: &[u8],
        start: usize,
        steps: &PatternSteps,
    ) -> Result<Groups, Stop> {
        let width = key.len() - start + 1;
        let states = self.code.len().checked_mul(width).filter(|&states| states <= MAX_VISITS);
        let states = states.ok_or(Stop::TooManySteps)?;
        let mut search = Search {
            program: self,
            key,
            start,
            width,
            visited: vec![0; states.div_ceil(64)],
            slots: vec![None; self.slots],
            longest: None,
            visits: 0,
        };
        search.run(None);
        let end = search.longest.ok_or(Stop::NotApplicable)?;
        search.visited.fill(0);
        search.slots.fill(None);
        search.run(Some(end));
        let beyond = search.visits / VISITS_OF_A_STEP;
        if !steps.spend(beyond.saturating_sub(PatternSteps::FREE * width as u64)) {
            return Err(Stop::NoneLeft);
        }
        let mut groups: Groups =
            search.slots.chunks(2).map(|pair| Option::zip(pair[0], pair[1])).collect();
        groups[0] = Some((start, end));
        Ok(groups)
    }

    fn add(&mut self, node: &Node) {
        match node {
            Node::Empty | Node::BackReference(_) | Node::Anything => {}
            Node::Set(Class::Bytes(class)) => {
                let mut table = Box::new([false; 256]);
                for range in class.iter() {
                    for byte in range.start()..=range.end() {
                        table[usize::from(byte)] = true;
                    }
                }
                self.code.push(Op::Byte(table));
            }
            Node::Set(class) => self.code.push(Op::Character(class.clone())),
            Node::Look(look) => self.code.push(Op::Look(*look)),
            Node::Group(number, part) => {
                self.code.push(Op::Save(2 * *number as usize));
                self.add(part);
                self.code.push(Op::Save(2 * *number as usize + 1));
            }
            Node::Sequence(parts) => parts.iter().for_each(|part| self.add(part)),
            Node::Choice(parts) => self.add_choice(parts),
            Node::Repeat(repeat) => self.add_repeat(repeat),
        }
    }

    fn add_choice(&mut self, parts: &[Node]) {
        let Some((last, others)) = parts.split_last() else { return };
        let mut ends = Vec::new();
        for part in others {
            let split = self.reserve();
            self.add(part);
            ends.push(self.reserve());
            self.code[split] = Op::Split(split + 1, self.code.len());
        }
        self.add(last);
        for end in ends {
            self.code[end] = Op::Jump(self.code.len());
        }
    }

    fn add_repeat(&mut self, repeat: &Repeat) {
        let mut last = self.code.len();
        for _ in 0..repeat.min {
            last = self.code.len();
            self.add(&repeat.part);
        }
        if repeat.min > 0 && repeat.max.is_none() {
            // Back to the last of them. One more copy would double at each level of `((a+)+)+`.
            self.code.push(Op::Split(last, self.code.len() + 1));
            return;
        }
        let Some(max) = repeat.max else {
            let split = self.reserve();
            self.add(&repeat.part);
            self.code.push(Op::Jump(split));
            self.code[split] = Op::Split(split + 1, self.code.len());
            return;
        };
        let mut splits = Vec::new();
        for _ in repeat.min..max {
            splits.push(self.reserve());
            self.add(&repeat.part);
        }
        for split in splits {
            self.code[split] = Op::Split(split + 1, self.code.len());
        }
    }

    fn reserve(&mut self) -> usize {
        self.code.push(Op::Match);
        self.code.len() - 1
    }
}

struct Search<'p> {
    program: &'p Program,
    key: &'p [u8],
    start: usize,
    width: usize,
    visited: Vec<u64>,
    slots: Vec<Option<usize>>,
    longest: Option<usize>,
    visits: u64,
}

impl Search<'_> {
    /// Goes all ways, the preferred one first; ends at the first match that ends at `end`.
    fn run(&mut self, end: Option<usize>) {
        let mut stack = vec![Todo::Visit { op: 0, at: self.start }];
        while let Some(todo) = stack.pop() {
            match todo {
                Todo::Restore { slot, old } => self.slots[slot] = old,
                Todo::Visit { op, at } => {
                    if self.follow(op, at, end, &mut stack) {
                        return;
                    }
                }
            }
        }
    }

    /// Follows one way up to where it ends. `true`: it is the match that was asked for.
    fn follow(
        &mut self,
        mut op: usize,
        mut at: usize,
        end: Option<usize>,
        stack: &mut Vec<Todo>,
    ) -> bool {
        while self.is_first_visit(op, at) {
            match &self.program.code[op] {
                Op::Match => {
                    self.longest = self.longest.max(Some(at));
                    return end == Some(at);
                }
                Op::Jump(next) => op = *next,
                Op::Split(first, second) => {
                    stack.push(Todo::Visit { op: *second, at });
                    op = *first;
                }
                Op::Save(slot) => {
                    stack.push(Todo::Restore { slot: *slot, old: self.slots[*slot] });
                    self.slots[*slot] = Some(at);
                    op += 1;
                }
                Op::Look(look) => {
                    if !holds(*look, self.key, at) {
                        return false;
                    }
                    op += 1;
                }
                Op::Byte(table) => {
                    if !self.key.get(at).is_some_and(|&byte| table[usize::from(byte)]) {
                        return false;
                    }
                    at += 1;
                    op += 1;
                }
                Op::Character(class) => {
                    let Some(length) = character(class, &self.key[at..]) else { return false };
                    at += length;
                    op += 1;
                }
            }
        }
        false
    }

    fn is_first_visit(&mut self, op: usize, at: usize) -> bool {
        let state = op * self.width + (at - self.start);
        let (word, bit) = (state / 64, 1 << (state % 64));
        let first = self.visited[word] & bit == 0;
        self.visited[word] |= bit;
        self.visits += u64::from(first);
        first
    }
}

fn holds(look: Look, key: &[u8], at: usize) -> bool {
    let matcher = regex_automata::util::look::LookMatcher::new();
    regex_automata::util::look::Look::from_repr(look.as_repr())
        .is_some_and(|look| matcher.matches(look, key, at))
}

/// How many bytes the first character takes, if it is of the class.
fn character(class: &Class, key: &[u8]) -> Option<usize> {
    let head = &key[..key.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
    };
    let first = valid.chars().next()?;
    let is_member = match class {
        Class::Unicode(class) => {
            class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&first))
        }
        Class::Bytes(class) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&key[0]))
        }
    };
    is_member.then(|| first.len_utf8())
}

/// As long as one step of PCRE2.
const VISITS_OF_A_STEP: u64 = 4;

/// States times places: 16 MiB.
const MAX_VISITS: usize = 1 << 27;
