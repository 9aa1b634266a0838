//! The text of the users file, taken apart and put together again. Pure: no file is touched here.
//!
//! Every line that is no user entry (a comment, a blank line, a line with a mistake) and every
//! field that this version does not know is kept byte for byte when the file is written again, so
//! that an older program never destroys what a newer one, or a person, wrote.

use std::{collections::HashMap, fmt, sync::Arc};

use crate::{
    CramMd5Keys, ScramHash, ScramKeys, UserName, secrets::argon2id::StoredPassword,
    store::fields::Fields,
};

/// The users file in memory: entries by name, and all lines in their order.
#[derive(Default)]
pub(super) struct UsersFile {
    lines: Vec<Line>,
    by_name: HashMap<UserName, usize>,
    problems: Vec<LineProblem>,
}

impl UsersFile {
    /// Reads the text. A line with a mistake makes nobody else's line invalid: it is kept, listed
    /// in [`Self::problems`], and nobody can log in by it.
    pub(super) fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for (at, text) in text.lines().enumerate() {
            let line = Line::parse(text).unwrap_or_else(|problem| {
                file.complain(at, problem);
                Line::Kept(text.into())
            });
            file.append(line);
        }
        file
    }

    /// The entry of `name`.
    pub(super) fn get(&self, name: &UserName) -> Option<&Entry> {
        self.by_name.get(name).and_then(|&at| self.lines.get(at)).and_then(Line::entry)
    }

    /// All entries, in the order of the file.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().filter_map(Line::entry)
    }

    /// What is wrong with lines of the text that was read.
    pub(super) fn problems(&self) -> &[LineProblem] {
        &self.problems
    }

    /// Adds a user at the end.
    pub(super) fn add(&mut self, name: UserName, secrets: Secrets) {
        let mut fields = Fields::default();
        fields.set_keys(secrets.keys, secrets.cram_md5);
        let secret = Secret::Argon2id(Arc::new(secrets.password));
        self.append(Line::User(Entry { name, secret, fields }));
    }

    /// Gives `name` another password and leaves what does not follow from it alone; false if there
    /// is no such user.
    #[must_use]
    pub(super) fn set_password(&mut self, name: &UserName, secrets: Secrets) -> bool {
        let line = self.by_name.get(name).and_then(|&at| self.lines.get_mut(at));
        let Some(Line::User(entry)) = line else { return false };
        entry.secret = Secret::Argon2id(Arc::new(secrets.password));
        entry.fields.set_keys(secrets.keys, secrets.cram_md5);
        true
    }

    /// Takes `name` out; false if there is no such user.
    ///
    /// Later lines of the same name go too: one of them would count now.
    #[must_use]
    pub(super) fn delete(&mut self, name: &UserName) -> bool {
        if self.by_name.remove(name).is_none() {
            return false;
        }
        self.lines.retain(|line| !line.is_of(name));
        let entries = self.lines.iter().enumerate();
        self.by_name = entries
            .filter_map(|(at, line)| line.entry().map(|entry| (entry.name.clone(), at)))
            .collect();
        true
    }

    fn append(&mut self, line: Line) {
        let at = self.lines.len();
        let Line::User(entry) = line else { return self.lines.push(line) };
        if self.by_name.contains_key(&entry.name) {
            self.complain(at, "this user has an earlier line, which counts");
            return self.lines.push(Line::Kept(entry.to_string().into()));
        }
        self.by_name.insert(entry.name.clone(), at);
        self.lines.push(Line::User(entry));
    }

    fn complain(&mut self, at: usize, what: &'static str) {
        self.problems.push(LineProblem { line: at + 1, what });
    }
}

impl fmt::Display for UsersFile {
    /// The text of the file, each line ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| match line {
            Line::User(entry) => writeln!(f, "{entry}"),
            Line::Kept(text) => writeln!(f, "{text}"),
        })
    }
}

/// One user's line.
pub(super) struct Entry {
    pub(super) name: UserName,
    pub(super) secret: Secret,
    fields: Fields,
}

impl Entry {
    /// The keys for a SCRAM mechanism.
    pub(super) fn keys(&self, hash: ScramHash) -> Option<&ScramKeys> {
        self.fields.keys(hash)
    }

    /// The keys for CRAM-MD5.
    pub(super) const fn cram_md5(&self) -> Option<&CramMd5Keys> {
        self.fields.cram_md5()
    }
}

/// All that is kept of a password.
pub(super) struct Secrets {
    pub(super) password: StoredPassword,
    pub(super) keys: Vec<ScramKeys>,
    pub(super) cram_md5: Option<CramMd5Keys>,
}

/// The second field of a line.
pub(super) enum Secret {
    /// `{ARGON2ID}` and a hash that can be checked.
    Argon2id(Arc<StoredPassword>),
    /// A scheme of another version, or none: kept as it is; nobody can log in by it.
    Foreign(Box<str>),
}

impl Secret {
    /// The scheme's name; empty if the field has none.
    pub(super) fn scheme(&self) -> &str {
        match self {
            Self::Argon2id(_) => ARGON2ID,
            Self::Foreign(text) => split_scheme(text).map_or("", |(scheme, _)| scheme),
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        match split_scheme(text) {
            Some((ARGON2ID, hash)) => Ok(Self::Argon2id(Arc::new(StoredPassword::parse(hash)?))),
            None if !text.is_empty() => Err("the password has no {SCHEME}; is it in clear?"),
            Some(_) | None => Ok(Self::Foreign(text.into())),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            Secret::Argon2id(hash) => write!(f, "{}:{{{ARGON2ID}}}{}", self.name, hash.as_str())?,
            Secret::Foreign(text) => write!(f, "{}:{text}", self.name)?,
        }
        write!(f, "{}", self.fields)
    }
}

/// A line of the users file that does not count, and why. Never quotes the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

enum Line {
    User(Entry),
    Kept(Box<str>),
}

impl Line {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.trim().is_empty() || text.starts_with('#') {
            return Ok(Self::Kept(text.into()));
        }
        let (name, rest) = text.split_once(':').ok_or("expected `name:{SCHEME}hash`")?;
        let parsed: UserName = name.parse().map_err(|_| "this is no user name")?;
        if parsed.as_str() != name {
            return Err("the name is not in its canonical form (lower case, SASLprep)");
        }
        let (secret, fields) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
        Ok(Self::User(Entry {
            name: parsed,
            secret: Secret::parse(secret)?,
            fields: Fields::parse(fields)?,
        }))
    }

    fn is_of(&self, name: &UserName) -> bool {
        match self {
            Self::User(entry) => entry.name == *name,
            Self::Kept(text) => {
                text.split_once(':').is_some_and(|(start, _)| start == name.as_str())
            }
        }
    }

    const fn entry(&self) -> Option<&Entry> {
        match self {
            Self::User(entry) => Some(entry),
            Self::Kept(_) => None,
        }
    }
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

const ARGON2ID: &str = "ARGON2ID";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{HashCost, NewPassword};

    const HASH: &str =
        "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";

    #[test]
    fn entries_of_later_versions_are_read_and_written_back_unchanged() {
        let text = format!(
            "# users of example.org\n\nann:{HASH}:role=sender,moderator;app-password=x:y\n\
             bob:{{SCRYPT}}$7$abc\ncarl:\ndora:{HASH}\n"
        );
        let file = UsersFile::parse(&text);
        assert_eq!(file.problems(), []);
        assert_eq!(file.to_string(), text);
        let schemes: Vec<_> =
            file.entries().map(|entry| (entry.name.as_str(), entry.secret.scheme())).collect();
        let expected = [("ann", "ARGON2ID"), ("bob", "SCRYPT"), ("carl", ""), ("dora", "ARGON2ID")];
        assert_eq!(schemes, expected);
    }

    #[test]
    fn a_line_with_a_mistake_is_named_kept_and_harms_no_other() {
        let text = format!(
            "no colon\nann:secret-in-clear\nBob:{HASH}\n a:{HASH}\ncarl:{{ARGON2ID}}$x\n\
             dora:{HASH}\ndora:{HASH}:role=administrator\n"
        );
        let file = UsersFile::parse(&text);
        let lines: Vec<_> = file.problems().iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 7]);
        assert_eq!(file.entries().count(), 1);
        assert_eq!(file.to_string(), text);
        let shown: Vec<_> = file.problems().iter().map(ToString::to_string).collect();
        assert!(shown[1].contains("in clear") && !shown[1].contains("secret"), "{shown:?}");
    }

    #[test]
    fn a_new_password_leaves_the_other_fields_alone() {
        let mut file = UsersFile::parse(&format!("ann:{HASH}:role=moderator\n# end\n"));
        assert!(file.set_password(&name("ann"), fresh()));
        assert!(!file.set_password(&name("bob"), fresh()));
        let text = file.to_string();
        assert!(text.contains(":role=moderator;scram-sha-256=4096,c2FsdA==,"), "{text}");
        assert!(text.ends_with("\n# end\n") && !text.contains(HASH), "{text}");
    }

    #[test]
    fn users_come_and_go_and_the_others_stay_in_place() {
        let mut file = UsersFile::parse(&format!("ann:{HASH}\n# note\nbob:{HASH}\n"));
        file.add(name("carl"), fresh());
        assert!(file.delete(&name("ann")) && !file.delete(&name("ann")));
        assert!(file.get(&name("ann")).is_none());
        assert!(file.get(&name("bob")).is_some_and(|entry| entry.name == name("bob")));
        assert!(file.get(&name("carl")).is_some_and(|entry| entry.name == name("carl")));
        assert!(file.to_string().starts_with("# note\nbob:"));
    }

    #[test]
    fn a_deleted_user_does_not_come_back_by_a_second_line() {
        let mut file = UsersFile::parse(&format!("ann:{HASH}\nbob:{HASH}\nann:{HASH}:role=x\n"));
        assert!(file.delete(&name("ann")));
        let text = file.to_string();
        assert_eq!(text, format!("bob:{HASH}\n"));
        assert!(UsersFile::parse(&text).get(&name("ann")).is_none());
    }

    proptest! {
        #[test]
        fn any_text_survives_being_read_and_written(lines in prop::collection::vec(line(), 0..8)) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let file = UsersFile::parse(&text);
            prop_assert_eq!(file.to_string(), text);
            for entry in file.entries() {
                prop_assert!(file.get(&entry.name).is_some_and(|found| std::ptr::eq(found, entry)));
            }
        }
    }

    /// Lines that are nearly entries, without line breaks.
    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-c#A: ]{0,3}:(\\{[A-Z]{0,3}\\})?[^\r\n]{0,10}",
            "[a-d]".prop_map(|name| format!("{name}:{HASH}:x")),
            "[^\r\n]{0,30}",
        ]
    }

    fn fresh() -> Secrets {
        let cost = HashCost { memory_kib: 8, passes: 1 };
        let new = NewPassword::new("correct horse").unwrap();
        let keys = ScramKeys::derive(ScramHash::Sha256, new.password(), b"salt", 4_096);
        Secrets {
            password: StoredPassword::of(&new, cost).unwrap(),
            keys: vec![keys],
            cram_md5: None,
        }
    }

    fn name(text: &str) -> UserName {
        text.parse().unwrap()
    }
}
