//! Sources, names and keys by chance, the same for the same seed.

/// Makes sources and keys that often have to do with each other.
pub(crate) struct Generator {
    state: u64,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995_1234_5678 }
    }

    /// The source of a text table, with all that can go wrong in one.
    pub(crate) fn text_source(&mut self) -> Vec<u8> {
        let mut source = Vec::new();
        for _ in 0..self.below(40) {
            match self.below(16) {
                0 => source.extend_from_slice(b"# a comment"),
                1 => source.extend_from_slice(self.pick(&[b"" as &[u8], b"  \t", b" # indented"])),
                2 | 3 => {
                    source.extend_from_slice(self.pick(&[b" " as &[u8], b"\t ", b"  "]));
                    source.extend_from_slice(&self.soup(8));
                }
                4..=6 => source.extend_from_slice(&self.soup(12)),
                _ => {
                    source.extend_from_slice(&self.key());
                    source.extend_from_slice(self.pick(&[b" " as &[u8], b"\t", b"   ", b" \t"]));
                    source.extend_from_slice(&self.value());
                }
            }
            source.extend_from_slice(self.pick(&[b"\n" as &[u8], b"\n", b"\n", b"\r\n", b"\n\n"]));
        }
        if self.below(3) == 0 {
            source.pop();
        }
        source
    }

    /// Lines of `key value` and nothing else.
    pub(crate) fn plain_source(&mut self) -> Vec<u8> {
        let lines = (0..6).map(|_| {
            let (key, value) = (self.short(), self.short());
            format!("{key} {value}\n")
        });
        lines.collect::<String>().into_bytes()
    }

    pub(crate) fn text_keys(&mut self) -> Vec<Vec<u8>> {
        (0..50)
            .map(|_| match self.below(8) {
                0 => self.soup(6),
                1 => self.key().to_ascii_uppercase(),
                _ => self.key(),
            })
            .filter(|key| !key.contains(&b'\n') && !key.contains(&0))
            .collect()
    }

    /// The source of a table of networks, with all that can go wrong in one.
    pub(crate) fn cidr_source(&mut self) -> Vec<u8> {
        let mut source = String::new();
        for number in 0..self.below(30) {
            let line = match self.below(14) {
                0 | 1 => format!("{} {}", self.pick(&["if", "IF", "If"]), self.pattern()),
                2 => format!("if{}", self.pick(&["", "!", " !", "!1.2.3.4", "[1.2.3.0]/24", "x"])),
                3 | 4 => self.pick(&["endif", "ENDIF", "endif ", "endif x", "endifx"]).to_owned(),
                5 => self.pattern(),
                6 => self.pick(&["", "# comment", "  # indented", "   stray value"]).to_owned(),
                _ => format!("{}  v{number} {}", self.pattern(), self.pick(&["", "x", "\t"])),
            };
            source.push_str(&line);
            source.push('\n');
        }
        source.into_bytes()
    }

    pub(crate) fn addresses(&mut self) -> Vec<Vec<u8>> {
        (0..50).map(|_| self.address().into_bytes()).collect()
    }

    /// A table made of others.
    pub(crate) fn composed(&mut self, text: &str, depth: usize) -> String {
        match self.below(if depth < 3 { 8 } else { 4 }) {
            0 => format!("static:{}", self.pick(&["a", "b", "x", "{a b}", "{ }", "{b,x}"])),
            1 => text.to_owned(),
            2 | 3 => self.inline(),
            number => {
                let kind = if number < 6 { "unionmap" } else { "pipemap" };
                let members = 1 + self.below(3);
                let members: Vec<_> =
                    (0..members).map(|_| self.composed(text, depth + 1)).collect();
                let between = self.pick(&[",", " ", ", "]);
                format!("{kind}:{{{}}}", members.join(between))
            }
        }
    }

    pub(crate) fn short_keys(&mut self) -> Vec<Vec<u8>> {
        (0..30).map(|_| self.short().into_bytes()).collect()
    }

    /// The name of a table, often with something missing.
    pub(crate) fn broken_spec(&mut self) -> String {
        let mut inside = String::new();
        for _ in 0..self.below(8) {
            inside.push_str(self.pick(&[
                "a",
                "x",
                "=",
                "=",
                "{",
                "}",
                ",",
                " ",
                "\"",
                "\\",
                "a=b",
                "{a = b c}",
                "static:x",
            ]));
        }
        let kind = self.pick(&["inline", "inline", "static", "unionmap", "pipemap", "cidr"]);
        match self.below(4) {
            0 => format!("{kind}:{{{inside}"),
            1 => format!("{kind}:{{{inside}}}x"),
            _ => format!("{kind}:{{{inside}}}"),
        }
    }

    fn inline(&mut self) -> String {
        let pairs: Vec<_> = (0..1 + self.below(4))
            .map(|_| {
                let (key, value) = (self.short(), self.short());
                match self.below(4) {
                    0 => format!("{{{key} = {value} y}}"),
                    1 => format!("{{ {key}={value},b }}"),
                    2 => format!("{key}="),
                    _ => format!("{key}={value}"),
                }
            })
            .collect();
        format!("inline:{{{}}}", pairs.join(self.pick(&[",", " ", " , "])))
    }

    fn short(&mut self) -> String {
        self.pick(&["a", "b", "x", "A", "ab", "é", "É", "ß"]).to_owned()
    }

    fn key(&mut self) -> Vec<u8> {
        let key: &[&[u8]] = &[
            b"a@b.c",
            b"user@example.com",
            b"User@Example.COM",
            b"example.com",
            b".example.com",
            b"user@",
            b"\"a b\"@c.d",
            b"\"a\\\"b\"@c.d",
            b"a\\ b",
            b"a:",
            b"x",
            b"y",
            b"Y",
            "\u{fc}n\u{ef}".as_bytes(),
            "\u{dc}N\u{cf}".as_bytes(),
            "stra\u{df}e".as_bytes(),
            b"STRASSE",
            "\u{3c3}\u{3c2}".as_bytes(),
            b"1.2.3.4",
            b"1.2.3",
        ];
        self.pick(key).to_vec()
    }

    fn value(&mut self) -> Vec<u8> {
        let value: &[&[u8]] = &[
            b"OK",
            b"REJECT  no  thanks",
            b"a, b, c",
            b"\"quoted\" value",
            b"x # no comment",
            "caf\u{e9}".as_bytes(),
            b"smtp:[mx.example.com]:25",
            b"a\\",
            b" lead and trail \t ",
        ];
        self.pick(value).to_vec()
    }

    /// Bytes that matter to a reader of lines.
    fn soup(&mut self, most: usize) -> Vec<u8> {
        let pieces: &[&[u8]] = &[
            b"a",
            b"b",
            b"B",
            b" ",
            b"\t",
            b"\"",
            b"\\",
            b"#",
            b":",
            b"@",
            b"\x0b",
            b"\x0c",
            b"\r",
            "\u{e9}".as_bytes(),
            "\u{c9}".as_bytes(),
            b"\xe9x",
            b"\x7f",
            b"x y",
        ];
        (0..self.below(most)).flat_map(|_| self.pick(pieces).to_vec()).collect()
    }

    fn pattern(&mut self) -> String {
        let negation = self.pick(&["", "", "", "!", "!!", "! "]);
        let network = self.pick(&[
            "1.2.3.4",
            "1.2.3.0",
            "1.2.0.0",
            "0.0.0.0",
            "10.0.0.0",
            "::1",
            "::",
            "2001:db8::",
            "2001:DB8:0:1::",
            "::ffff:1.2.3.4",
            "1.2.3",
            "1.2.3.300",
            "01.2.3.4",
            "x",
            "",
            "fe80::1%lo",
            "1:2:3:4:5:6:7::",
            "1::2::3",
        ]);
        let prefix = self.pick(&[
            "", "", "", "/8", "/16", "/24", "/24", "/32", "/33", "/64", "/128", "/129", "/0", "/",
            "/x", "/008",
        ]);
        match self.below(6) {
            0 => format!("{negation}[{network}]{prefix}"),
            1 => format!("{negation}[{network}{prefix}]"),
            2 if self.below(4) == 0 => format!("{negation}[{network}{prefix}"),
            3 if self.below(4) == 0 => format!("{negation}[{network}]y{prefix}"),
            _ => format!("{negation}{network}{prefix}"),
        }
    }

    fn address(&mut self) -> String {
        let fixed = [
            "1.2.3.4",
            "1.2.3.5",
            "1.2.9.9",
            "10.0.0.1",
            "10.200.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "2001:db8::1",
            "2001:db8:0:1::",
            "2001:DB8:0:1:0:0:0:9",
            "::ffff:1.2.3.4",
            "1:2:3:4:5:6:7:0",
            "1.2.3",
            "x",
            "",
            "[1.2.3.4]",
            "1.2.3.4 ",
            "01.2.3.4",
            "fe80::1%lo",
        ];
        match self.below(3) {
            0 => format!("1.2.{}.{}", self.below(6), self.below(256)),
            _ => self.pick(&fixed).to_owned(),
        }
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let limit = u64::try_from(limit).expect("small");
        usize::try_from((self.state >> 16) % limit).expect("below a small number")
    }
}
