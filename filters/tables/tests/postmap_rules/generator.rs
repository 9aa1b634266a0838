//! Tables and keys that have much of the syntax in them, right and wrong.

use crate::{
    pools::{
        BASIC_ESCAPES, BASIC_QUANTIFIERS, GROUPS, KEY_PARTS, LITERALS, ODD_LINES, PCRE_ESCAPES,
        PCRE_MEMBERS, PCRE_OPEN, PCRE_QUANTIFIERS, REGEXP_ESCAPES, REGEXP_MEMBERS,
        REGEXP_QUANTIFIERS,
    },
    random::Random,
};

pub struct Generator {
    random: Random,
    pcre: bool,
    depth: usize,
}

impl Generator {
    pub fn new(seed: u64, kind: &str) -> Self {
        Self { random: Random::new(seed), pcre: kind == "pcre", depth: 0 }
    }

    pub fn table(&mut self) -> Vec<u8> {
        let mut table = String::new();
        let mut open = 0;
        for _ in 0..2 + self.random.below(9) {
            match self.random.below(24) {
                0 => table.push_str("# a comment\n"),
                1 => table.push_str("\n  \n"),
                2 | 3 => {
                    let negation = self.random.pick(&["", "", "!", "! ", "!!"]);
                    let extra = self.random.pick(&["", "", "", "", "  ", " x y"]);
                    let pattern = self.pattern();
                    table.push_str(&format!("{} {negation}{pattern}{extra}\n", self.word("if")));
                    open += 1;
                }
                4 | 5 => {
                    let extra = self.random.pick(&["", "", "", " ", " x"]);
                    table.push_str(&format!("{}{extra}\n", self.word("endif")));
                    open -= 1;
                }
                6 if self.random.once_in(3) => table.push_str(self.random.pick(ODD_LINES)),
                _ => table.push_str(&self.rule()),
            }
        }
        while open > 0 && !self.random.once_in(8) {
            table.push_str("endif\n");
            open -= 1;
        }
        latin1(&table)
    }

    pub fn keys(&mut self, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.key()).collect()
    }

    fn key(&mut self) -> Vec<u8> {
        let mut key = String::new();
        for _ in 0..1 + self.random.below(9) {
            key.push_str(self.random.pick(KEY_PARTS));
        }
        latin1(&key)
    }

    fn word(&mut self, word: &str) -> String {
        if self.random.once_in(4) { word.to_uppercase() } else { word.to_owned() }
    }

    fn rule(&mut self) -> String {
        let negation = self.random.pick(&["", "", "", "", "", "!", "!!", "! "]);
        let pattern = self.pattern();
        let second = if !self.pcre && self.random.once_in(12) {
            format!("{}{}", self.random.pick(&["!", "!!"]), self.pattern())
        } else {
            String::new()
        };
        let space = self.random.pick(&[" ", "\t", "  ", "\n ", "\n# c\n\t"]);
        format!("{negation}{pattern}{second}{space}{}\n", self.result())
    }

    fn result(&mut self) -> String {
        if self.random.once_in(2) {
            let number = self.random.below(100);
            return format!("r{number}{}", self.random.pick(&["", "", " text", "\n more"]));
        }
        let group = self.random.pick(GROUPS);
        let number = self.random.below(100);
        format!("g{number}{group}")
    }

    /// A pattern with its delimiters and flags.
    fn pattern(&mut self) -> String {
        self.depth = 0;
        let delimiter = self.random.pick(&["/", "/", "/", "/", "~", "%", "\"", ","]);
        let flags = if self.pcre {
            self.random.pick(&["", "", "", "", "i", "s", "m", "x", "A", "E", "U", "is", "X", "ii"])
        } else {
            self.random.pick(&["", "", "", "", "i", "m", "x", "ix", "im", "xx"])
        };
        let mut body = if !self.pcre && flags.matches('x').count() == 1 {
            self.basic()
        } else {
            self.choice()
        };
        if self.random.once_in(5) {
            body.insert(0, '^');
        }
        if self.random.once_in(5) {
            body.push('$');
        }
        let body = body.replace(delimiter, &format!("\\{delimiter}"));
        format!("{delimiter}{body}{delimiter}{flags}")
    }

    fn choice(&mut self) -> String {
        let branches =
            1 + usize::from(self.random.once_in(3)) + usize::from(self.random.once_in(9));
        let branches: Vec<String> = (0..branches).map(|_| self.branch()).collect();
        branches.join("|")
    }

    fn branch(&mut self) -> String {
        let count = [0, 1, 1, 2, 2, 2, 3, 4][self.random.below(8)];
        let mut branch = String::new();
        for _ in 0..count {
            let atom = self.atom();
            branch.push_str(&atom);
            if self.random.once_in(3) {
                branch.push_str(self.quantifier());
            }
        }
        branch
    }

    fn quantifier(&mut self) -> &'static str {
        if self.pcre {
            self.random.pick(PCRE_QUANTIFIERS)
        } else {
            self.random.pick(REGEXP_QUANTIFIERS)
        }
    }

    fn atom(&mut self) -> String {
        if self.depth < 4 && self.random.once_in(5) {
            self.depth += 1;
            let inner = self.choice();
            self.depth -= 1;
            if self.pcre {
                let open = self.random.pick(PCRE_OPEN);
                return format!("{open}{inner})");
            }
            return format!("({inner})");
        }
        match self.random.below(12) {
            0 => self.bracket(),
            1 | 2 if self.pcre => self.random.pick(PCRE_ESCAPES).to_owned(),
            1 | 2 => self.random.pick(REGEXP_ESCAPES).to_owned(),
            3 => ".".to_owned(),
            _ => self.random.pick(LITERALS).to_owned(),
        }
    }

    fn bracket(&mut self) -> String {
        let mut set = String::from(self.random.pick(&["[", "[", "[^"]));
        if self.random.once_in(8) {
            set.push(']');
        }
        for _ in 0..1 + self.random.below(3) {
            let member = if self.pcre {
                self.random.pick(PCRE_MEMBERS)
            } else {
                self.random.pick(REGEXP_MEMBERS)
            };
            set.push_str(member);
        }
        if self.random.once_in(8) {
            set.push('-');
        }
        if !self.random.once_in(40) {
            set.push(']');
        }
        set
    }

    /// Basic syntax, in which operators have backslashes.
    fn basic(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..1 + self.random.below(6) {
            match self.random.below(8) {
                0 => text.push_str(&self.bracket()),
                1 if self.depth < 3 => {
                    self.depth += 1;
                    let inner = self.basic();
                    self.depth -= 1;
                    text.push_str(&format!("\\({inner}\\)"));
                }
                2 => text.push_str(self.random.pick(BASIC_QUANTIFIERS)),
                3 => text.push_str(self.random.pick(BASIC_ESCAPES)),
                _ => text.push_str(self.random.pick(&["a", "b", "c", "ab", "bc", "A", "@", "1"])),
            }
        }
        text
    }
}

/// Each character a byte.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).expect("Latin-1")).collect()
}
