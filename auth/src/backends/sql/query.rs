//! The query as the administrator writes it, made into one that a database takes.
//!
//! `{user}` becomes a parameter of a prepared statement and never text. So whatever a client calls
//! itself, the query stays what it is; a mistake in the reading here could at worst make a query
//! that the database refuses.

use std::sync::Arc;

use crate::UserName;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `$1`, dollar quotes, nested comments.
    PostgreSql,
    /// `?`, backslashes in strings, backticks, `#` comments; MariaDB too.
    MySql,
}

/// A query with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    sql: Arc<str>,
    parameters: Vec<Placeholder>,
}

/// What stands for a part of the user's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    User,
    Local,
    Domain,
}

impl Query {
    /// Translates `text`.
    pub(super) fn parse(dialect: Dialect, text: &str) -> Result<Self, SqlQueryError> {
        let mut writer = Writer { dialect, sql: String::new(), parameters: Vec::new() };
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            at += match dialect.opaque(text, at)? {
                0 if c == '{' => writer.placeholder(&text[at..])?,
                0 if c == ';' => writer.end(&text[at..])?,
                0 if dialect.is_parameter(text, at) => return Err(SqlQueryError::RawParameter),
                0 => writer.copy(&text[at..at + c.len_utf8()]),
                length => writer.opaque(&text[at..at + length])?,
            };
        }
        let names_the_user = |part: &Placeholder| !matches!(part, Placeholder::Domain);
        match writer.parameters.iter().any(names_the_user) {
            true => Ok(Self { sql: writer.sql.trim().into(), parameters: writer.parameters }),
            false => Err(SqlQueryError::NoUser),
        }
    }

    /// The text with parameters.
    pub(super) fn sql(&self) -> Arc<str> {
        Arc::clone(&self.sql)
    }

    /// Whether it takes each name for another user: `{local}` does not stand there without
    /// `{domain}`, not even beside `{user}`, which may be an alternative.
    pub(super) fn tells_domains_apart(&self) -> bool {
        let has = |part| self.parameters.contains(&part);
        !has(Placeholder::Local) || has(Placeholder::Domain)
    }

    /// What the parameters are for this user, in their order.
    pub(super) fn values<'a>(&self, user: &'a UserName) -> Vec<&'a str> {
        let (local, domain) = user.as_str().rsplit_once('@').unwrap_or((user.as_str(), ""));
        let value = |part: &Placeholder| match part {
            Placeholder::User => user.as_str(),
            Placeholder::Local => local,
            Placeholder::Domain => domain,
        };
        self.parameters.iter().map(value).collect()
    }
}

/// Why a query cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlQueryError {
    /// A placeholder in a string, a quoted name or a comment.
    #[error(
        "`{0}` stands inside quotes or a comment; write it without quotes: it is passed as a \
         value, never put into the text"
    )]
    Quoted(&'static str),
    /// Braces around something else.
    #[error("`{0}` is no placeholder; there are {{user}}, {{local}} and {{domain}}")]
    Unknown(Box<str>),
    /// `$1` or `?`, for which there would be no value.
    #[error("`$1` and `?` have no value here; write {{user}}, {{local}} or {{domain}}")]
    RawParameter,
    /// Something follows a `;`.
    #[error("there is more than one statement; write a single SELECT")]
    SeveralStatements,
    /// A quote or a comment does not end.
    #[error("a quote or comment that begins with `{0}` is not closed")]
    Unclosed(Box<str>),
    /// It would answer the same for everybody.
    #[error("it does not ask for anybody; write {{user}}, or {{local}} and {{domain}}")]
    NoUser,
}

struct Writer {
    dialect: Dialect,
    sql: String,
    parameters: Vec<Placeholder>,
}

/// Each method takes what stands at the beginning of its text and says how many bytes that was.
impl Writer {
    fn copy(&mut self, text: &str) -> usize {
        self.sql.push_str(text);
        text.len()
    }

    fn opaque(&mut self, text: &str) -> Result<usize, SqlQueryError> {
        match Placeholder::ALL.into_iter().find(|part| text.contains(part.as_str())) {
            Some(part) => Err(SqlQueryError::Quoted(part.as_str())),
            None => Ok(self.copy(text)),
        }
    }

    fn placeholder(&mut self, text: &str) -> Result<usize, SqlQueryError> {
        let found = Placeholder::ALL.into_iter().find(|part| text.starts_with(part.as_str()));
        let Some(part) = found else {
            let end = text.find('}').map_or(text.len(), |end| end + 1);
            let shown: String = text[..end].chars().take(LONGEST_SHOWN).collect();
            return Err(SqlQueryError::Unknown(shown.into()));
        };
        match self.dialect {
            Dialect::MySql => {
                self.parameters.push(part);
                self.sql.push('?');
            }
            Dialect::PostgreSql => {
                let known = self.parameters.iter().position(|&other| other == part);
                let index = known.unwrap_or_else(|| {
                    self.parameters.push(part);
                    self.parameters.len() - 1
                });
                self.sql.push_str(&format!("${}", index + 1));
            }
        }
        Ok(part.as_str().len())
    }

    fn end(&mut self, text: &str) -> Result<usize, SqlQueryError> {
        match text[1..].trim().is_empty() {
            true => Ok(text.len()),
            false => Err(SqlQueryError::SeveralStatements),
        }
    }
}

impl Placeholder {
    const ALL: [Self; 3] = [Self::User, Self::Local, Self::Domain];

    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "{user}",
            Self::Local => "{local}",
            Self::Domain => "{domain}",
        }
    }
}

impl Dialect {
    /// How long the string, quoted name or comment is that begins at `at`; 0 if none does.
    fn opaque(self, text: &str, at: usize) -> Result<usize, SqlQueryError> {
        let rest = &text[at..];
        let mut chars = rest.chars();
        let (first, second) = (chars.next(), chars.next());
        let (begin, length) = match (first, second) {
            (Some('\''), _) => ("'", quoted(rest, '\'', self.has_backslashes(text, at))),
            (Some('"'), _) => ("\"", quoted(rest, '"', self == Self::MySql)),
            (Some('`'), _) if self == Self::MySql => ("`", quoted(rest, '`', false)),
            (Some('/'), Some('*')) => ("/*", self.block_comment(rest)),
            (Some('-'), Some('-')) if self.is_line_comment(rest) => return Ok(line(rest)),
            (Some('#'), _) if self == Self::MySql => return Ok(line(rest)),
            (Some('$'), _) if self == Self::PostgreSql && !follows_a_word(text, at) => {
                let Some(tag) = dollar_tag(rest) else { return Ok(0) };
                let end = rest[tag.len()..].find(tag).map(|end| end + 2 * tag.len());
                (tag, end)
            }
            _ => return Ok(0),
        };
        length.ok_or_else(|| SqlQueryError::Unclosed(begin.into()))
    }

    /// In PostgreSQL only `E'...'` knows backslashes.
    fn has_backslashes(self, text: &str, at: usize) -> bool {
        let letter = text[..at].strip_suffix(['e', 'E']);
        self == Self::MySql || letter.is_some_and(|before| !follows_a_word(before, before.len()))
    }

    /// MySQL takes `--` for two signs unless a space follows.
    fn is_line_comment(self, rest: &str) -> bool {
        let after = rest[2..].chars().next();
        self == Self::PostgreSql || after.is_none_or(|c| c.is_whitespace() || c.is_control())
    }

    fn is_parameter(self, text: &str, at: usize) -> bool {
        let rest = &text[at..];
        match self {
            Self::MySql => rest.starts_with('?'),
            Self::PostgreSql => {
                let number = rest.strip_prefix('$').and_then(|rest| rest.chars().next());
                number.is_some_and(|c| c.is_ascii_digit()) && !follows_a_word(text, at)
            }
        }
    }

    /// PostgreSQL nests them.
    fn block_comment(self, rest: &str) -> Option<usize> {
        let (mut depth, mut at) = (1, 2);
        while depth > 0 {
            let (end, length) = (rest[at..].find("*/")?, 2);
            match rest[at..at + end].find("/*") {
                Some(begin) if self == Self::PostgreSql => {
                    depth += 1;
                    at += begin + length;
                }
                _ => {
                    depth -= 1;
                    at += end + length;
                }
            }
        }
        Some(at)
    }
}

/// How long a quoted text is; a doubled quote stands for one.
fn quoted(rest: &str, quote: char, backslashes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && backslashes {
            chars.next();
        } else if c == quote && chars.next_if(|&(_, next)| next == quote).is_none() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// `$$` or `$tag$`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let tag = &rest[1..end];
    let is_tag = !tag.starts_with(|c: char| c.is_ascii_digit()) && tag.chars().all(is_of_a_word);
    is_tag.then(|| &rest[..=end])
}

fn follows_a_word(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|c| is_of_a_word(c) || c == '$')
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

const LONGEST_SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    use Dialect::{MySql, PostgreSql};

    #[test]
    fn placeholders_become_parameters() {
        for (text, postgresql, mysql) in [
            ("SELECT p FROM u WHERE n = {user}", "SELECT p FROM u WHERE n = $1", "n = ?"),
            ("SELECT p FROM u WHERE {user} = n ;\n", "SELECT p FROM u WHERE $1 = n", "? = n"),
            (
                "n={local} AND d={domain} OR n={local}",
                "n=$1 AND d=$2 OR n=$1",
                "n=? AND d=? OR n=?",
            ),
            ("lower({user}::text)", "lower($1::text)", "lower(?::text)"),
            ("'{SSHA}' || hash, n = {user}", "'{SSHA}' || hash, n = $1", "'{SSHA}' || hash, n = ?"),
            ("'it''s' {user}", "'it''s' $1", "'it''s' ?"),
            ("\u{e4}rzte.n = {user}", "\u{e4}rzte.n = $1", "\u{e4}rzte.n = ?"),
        ] {
            let sql = |dialect| Query::parse(dialect, text).unwrap().sql();
            assert_eq!(&*sql(PostgreSql), postgresql, "{text}");
            assert!(sql(MySql).ends_with(mysql), "{text}: {}", sql(MySql));
        }
    }

    #[test]
    fn parameters_have_the_parts_of_the_name_in_the_order_of_the_query() {
        let text = "{domain} {local} {user} {local}";
        let ann = "ann@home@example.org".parse().unwrap();
        let values = |dialect, name| Query::parse(dialect, text).unwrap().values(name).join(" ");
        assert_eq!(values(MySql, &ann), "example.org ann@home ann@home@example.org ann@home");
        assert_eq!(values(PostgreSql, &ann), "example.org ann@home ann@home@example.org");
        assert_eq!(values(PostgreSql, &"bob".parse().unwrap()), " bob bob");
    }

    #[test]
    fn a_query_for_the_local_part_alone_does_not_tell_domains_apart() {
        for (text, tells) in [
            ("{user}", true),
            ("{local} {domain}", true),
            ("{local}", false),
            ("n = {local} OR n = {user}", false),
        ] {
            for dialect in [PostgreSql, MySql] {
                let query = Query::parse(dialect, text).unwrap();
                assert_eq!(query.tells_domains_apart(), tells, "{text}");
            }
        }
    }

    #[test]
    fn a_placeholder_in_quotes_or_a_comment_is_a_mistake() {
        for text in [
            "n = '{user}'",
            "n = 'a''{user}'",
            "n = \"{user}\"",
            "n = {user} -- {user}",
            "n = {user} /* {user} */",
        ] {
            for dialect in [PostgreSql, MySql] {
                let refused = Query::parse(dialect, text);
                assert_eq!(refused, Err(SqlQueryError::Quoted("{user}")), "{dialect:?}: {text}");
            }
        }
        for (dialect, text) in [
            (PostgreSql, "n = $${user}$$"),
            (PostgreSql, "n = $a_1$ $$ {user}$a_1$"),
            (PostgreSql, "n = E'\\'{user}'"),
            (PostgreSql, "{local} /* /* */ {user} */"),
            (MySql, "n = '\\'{user}'"),
            (MySql, "`{user}`"),
            (MySql, "{local} # {user}"),
        ] {
            let refused = Query::parse(dialect, text);
            assert_eq!(refused, Err(SqlQueryError::Quoted("{user}")), "{dialect:?}: {text}");
        }
    }

    #[test]
    fn what_only_looks_like_quotes_hides_no_placeholder() {
        for (dialect, text, sql) in [
            (PostgreSql, "'\\' {user}", "'\\' $1"),
            (PostgreSql, "name'\\' {user}", "name'\\' $1"),
            (PostgreSql, "a$b$ {user}", "a$b$ $1"),
            (PostgreSql, "/* /* */ */ {user}", "/* /* */ */ $1"),
            (PostgreSql, "j ? 'k' AND {user}", "j ? 'k' AND $1"),
            (PostgreSql, "a # {user}", "a # $1"),
            (MySql, "/* /* */ {user}", "/* /* */ ?"),
            (MySql, "1 --{user}", "1 --?"),
            (MySql, "1 -- x\n{user}", "1 -- x\n?"),
            (MySql, "a $b$ {user} $b$", "a $b$ ? $b$"),
        ] {
            assert_eq!(&*Query::parse(dialect, text).unwrap().sql(), sql, "{dialect:?}: {text}");
        }
    }

    #[test]
    fn other_mistakes_are_named() {
        let unclosed = |text: &str| SqlQueryError::Unclosed(text.into());
        let unknown = |text: &str| SqlQueryError::Unknown(text.into());
        for (dialect, text, error) in [
            (MySql, "n = {name}", unknown("{name}")),
            (MySql, "n = {User}", unknown("{User}")),
            (MySql, "n = {user", unknown("{user")),
            (MySql, "n = ? OR {user}", SqlQueryError::RawParameter),
            (PostgreSql, "n = $1 OR {user}", SqlQueryError::RawParameter),
            (MySql, "SELECT {user}; DELETE FROM u", SqlQueryError::SeveralStatements),
            (PostgreSql, "SELECT {user}; --", SqlQueryError::SeveralStatements),
            (PostgreSql, "{user} 'a", unclosed("'")),
            (PostgreSql, "{user} \"a", unclosed("\"")),
            (PostgreSql, "{user} $a$ $b$", unclosed("$a$")),
            (MySql, "{user} 'a\\'", unclosed("'")),
            (MySql, "{user} `a", unclosed("`")),
            (MySql, "{user} /* ", unclosed("/*")),
            (MySql, "/*/ {user}", unclosed("/*")),
            (MySql, "", SqlQueryError::NoUser),
            (MySql, "SELECT password FROM users", SqlQueryError::NoUser),
            (MySql, "SELECT password FROM users WHERE d = {domain}", SqlQueryError::NoUser),
        ] {
            assert_eq!(Query::parse(dialect, text), Err(error), "{dialect:?}: {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[-'\"`$#/*;?e{}\\\\ a1\u{e4}\n]{0,30}(\\{user\\})?[-'\"`$*/ ]{0,5}") {
            let _ = (Query::parse(MySql, &text), Query::parse(PostgreSql, &text));
        }
    }
}
