//! The text of the users file, taken apart and put together again. Pure: no file is touched here.
//!
//! Every line that is no user entry (a comment, a blank line, a line with a mistake) and every
//! field that this version does not know is kept byte for byte when the file is written again, so
//! that an older program never destroys what a newer one, or a person, wrote.

use std::{collections::HashMap, fmt, sync::Arc};

use crate::{
    Attempt, CramMd5Keys, Date, Denial, Identity, ScramHash, ScramKeys, UserName,
    secrets::argon2id::StoredPassword,
    store::{app_password::StoredAppPassword, app_secret::AppDigest, fields::Fields},
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
            for problem in line.entry().into_iter().flat_map(Entry::problems) {
                file.complain(at, problem);
            }
            file.append(line);
        }
        file
    }

    /// The entry of `name`.
    pub(super) fn get(&self, name: &UserName) -> Option<&Entry> {
        self.by_name.get(name).and_then(|&at| self.lines.get(at)).and_then(Line::entry)
    }

    /// The entry of `name`, to be changed.
    pub(super) fn get_mut(&mut self, name: &UserName) -> Option<&mut Entry> {
        match self.by_name.get(name).and_then(|&at| self.lines.get_mut(at)) {
            Some(Line::User(entry)) => Some(entry),
            Some(Line::Kept(_)) | None => None,
        }
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
    pub(super) fn add(&mut self, entry: Entry) {
        self.append(Line::User(entry));
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
    pub(super) fields: Fields,
}

impl Entry {
    /// A user without a password.
    pub(super) fn new(name: UserName) -> Self {
        Self { name, secret: Secret::Foreign("".into()), fields: Fields::default() }
    }

    /// Gives the user another password and leaves what does not follow from it alone.
    pub(super) fn set_password(&mut self, secrets: Secrets) {
        self.secret = Secret::Argon2id(Arc::new(secrets.password));
        self.fields.set_keys(secrets.keys, secrets.cram_md5, &self.secret.to_string());
    }

    /// Who it is that proves to be this user, if this user may log in at all. With roles that
    /// cannot be read it may not: without roles it would be a sender.
    pub(super) fn identity(&self) -> Result<Identity, Denial> {
        match (self.fields.is_disabled(), self.fields.roles()) {
            (true, _) => Err(Denial::Disabled),
            (false, Ok(roles)) => Ok(Identity::proven(self.name.clone()).with_roles(roles)),
            (false, Err(what)) => Err(Denial::UnreadableRoles(what)),
        }
    }

    /// Who it is, if what was presented is an app password of this user, and today it is good for
    /// this attempt.
    pub(super) fn by_app_password(
        &self,
        presented: &AppDigest,
        attempt: &Attempt,
        today: Date,
    ) -> Option<Result<Identity, Denial>> {
        let StoredAppPassword { app, .. } =
            self.fields.app_passwords().find(|known| known.is(presented))?;
        let admitted = self.identity().and_then(|user| app.admit(attempt, today).map(|()| user));
        Some(admitted.and_then(|user| app.lend(user)))
    }

    fn problems(&self) -> impl Iterator<Item = &'static str> {
        self.fields.problems()
    }

    /// The keys for a SCRAM mechanism.
    pub(super) fn keys(&self, hash: ScramHash) -> Option<&ScramKeys> {
        self.fields.keys(hash)
    }

    /// The keys for CRAM-MD5.
    pub(super) fn cram_md5(&self) -> Option<&CramMd5Keys> {
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
    /// A scheme of another version, or none: kept as it is; no password fits.
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
        write!(f, "{}:{}{}", self.name, self.secret, self.fields)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2id(hash) => write!(f, "{{{ARGON2ID}}}{}", hash.as_str()),
            Self::Foreign(text) => f.write_str(text),
        }
    }
}

/// A line of a users file, or a part of it, that does not count, and why. Never quotes the line.
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
            fields: Fields::parse(fields, secret)?,
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
    use crate::{HashCost, NewPassword, Role, Roles};

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
        file.get_mut(&name("ann")).unwrap().set_password(fresh());
        assert!(file.get_mut(&name("bob")).is_none());
        let text = file.to_string();
        assert!(text.contains(":role=moderator;scram-sha-256=4096,c2FsdA==,"), "{text}");
        assert!(text.ends_with("\n# end\n") && !text.contains(HASH), "{text}");
    }

    #[test]
    fn users_come_and_go_and_the_others_stay_in_place() {
        let mut file = UsersFile::parse(&format!("ann:{HASH}\n# note\nbob:{HASH}\n"));
        file.add(Entry::new(name("carl")));
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

    #[test]
    fn who_has_roles_that_cannot_be_read_to_the_last_word_does_not_log_in() {
        for (field, roles) in [
            ("", Ok("")),
            (":role=moderator,auditor", Ok("moderator,auditor")),
            (":x;role= Help-Desk ;y=z", Ok("help-desk")),
            (":role=", Ok("")),
            (":role=moderator,root", Err(())),
            (":role=sender,", Err(())),
            (":role=moderator;role=auditor", Err(())),
            (":role=sender; role=sender", Err(())),
            (":role=root;role=auditor", Err(())),
            (":role=root;disabled", Err(())),
        ] {
            let text = format!("ann:{HASH}{field}\n");
            let file = UsersFile::parse(&text);
            let entry = file.get(&name("ann")).unwrap();
            let found = entry.identity();
            let is_odd = matches!(&found, Err(Denial::UnreadableRoles(_) | Denial::Disabled));
            assert_eq!(is_odd, roles.is_err(), "{field}");
            let found = found.map_err(drop).map(|ann| ann.roles().to_string());
            assert_eq!(found, roles.map(str::to_owned), "{field}");
            let is_named = file.problems().iter().any(|it| it.what.contains("log in by nothing"));
            assert_eq!(is_named, roles.is_err(), "{field}");
            assert_eq!(file.to_string(), text);
        }
    }

    #[test]
    fn what_is_changed_stays_in_its_place_and_the_rest_as_it_was() {
        let text = format!("ann:{HASH}:;new=a:b;role=auditor;disabled;role=x;last\n");
        let mut file = UsersFile::parse(&text);
        let fields = &mut file.get_mut(&name("ann")).unwrap().fields;
        fields.set_roles([Role::Moderator, Role::Sender].into_iter().collect());
        assert_eq!(fields.to_string(), ":new=a:b;role=sender,moderator;disabled;last");
        fields.set_disabled(false);
        fields.set_roles(Roles::EMPTY);
        assert_eq!(fields.to_string(), ":new=a:b;last");
        fields.set_disabled(true);
        assert_eq!(fields.to_string(), ":new=a:b;last;disabled");
    }

    #[test]
    fn any_mark_of_being_disabled_counts() {
        for field in ["disabled", "disabled=2026-07-24", "x;disabled=no"] {
            let file = UsersFile::parse(&format!("ann:{HASH}:{field}\n"));
            assert_eq!(file.get(&name("ann")).unwrap().identity(), Err(Denial::Disabled));
        }
        let file = UsersFile::parse(&format!("ann:{HASH}:was-disabled\n"));
        assert!(file.get(&name("ann")).unwrap().identity().is_ok());
    }

    #[test]
    fn a_key_counts_with_spaces_around_it_and_they_are_written_back() {
        let text = format!("ann:{HASH}:role=sender; disabled\nbob:{HASH}: role = auditor ;x\n");
        let mut file = UsersFile::parse(&text);
        assert_eq!(file.get(&name("ann")).unwrap().identity(), Err(Denial::Disabled));
        assert_eq!(file.get(&name("bob")).unwrap().fields.roles(), Ok(Role::Auditor.into()));
        assert_eq!((file.problems(), file.to_string()), (&[][..], text));
        file.get_mut(&name("ann")).unwrap().fields.set_disabled(false);
        assert_eq!(file.get(&name("ann")).unwrap().fields.to_string(), ":role=sender");

        let digest = "{SHA256}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let text = format!("ann::role=sender;\tapp = tv {digest} ; app=hall {digest}\n");
        let mut file = UsersFile::parse(&text);
        let fields = &mut file.get_mut(&name("ann")).unwrap().fields;
        assert_eq!(fields.app_passwords().count(), 2);
        assert!(fields.delete_app_password(&"tv".parse().unwrap()));
        assert_eq!(fields.to_string(), format!(":role=sender; app=hall {digest}"));
        let mut keyed = Entry::new(name("ann"));
        keyed.set_password(fresh());
        let spaced = keyed.to_string().replace(';', " ; ").replace("256=", "256 = ") + " \n";
        let file = UsersFile::parse(&spaced);
        assert!(file.get(&name("ann")).is_some_and(|ann| ann.keys(ScramHash::Sha256).is_some()));
        assert_eq!(file.to_string(), spaced);
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
            "(;|x|=|role=[a-z]{0,2}|disabled|app=[a ={}]{0,9}){0,4}"
                .prop_map(|it| format!("ann:{HASH}:{it}")),
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
