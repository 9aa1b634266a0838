//! Users of an LDAP server or Active Directory.
//!
//! Which entry is the user's is found by a search or made of the name; the password is checked by
//! a bind as the user, by a comparison, or by reading what the server keeps. `template` escapes
//! names, `server` keeps connections, `answer` says what result codes mean.

mod answer;
mod dn;
mod server;
mod settings;
mod template;
mod tls;

use std::{collections::HashMap, future::Future, sync::Arc};

use ldap3::{Scope, SearchEntry};
use tokio::{
    task::JoinSet,
    time::{Duration, timeout},
};
use url::Url;

use crate::{
    Answer, Attempt, Checks, CramMd5Keys, Credentials, Decoys, Denial, Directory, DirectoryError,
    HashLimits, Identity, KeySearch, KeyedIdentity, Mechanism, Password, Record, Roles, ScramHash,
    UserName, Verification, Verifier,
    backends::ldap::{
        answer::{
            COMPARE_FALSE, COMPARE_TRUE, INVALID_DN, INVALID_VALUE, NO_SUCH_ATTRIBUTE,
            NO_SUCH_OBJECT, SIZE_LIMIT, SUCCESS, Trouble, is_restricted,
        },
        server::{Operation, Purpose, Server, Session},
        template::{Kind, Subject, Template},
    },
};

pub use crate::backends::ldap::settings::{
    GroupRole, LdapScope, LdapSettings, LdapSettingsError, PasswordCheck, ServiceAccount,
    UserSearch,
};

/// The users of an LDAP server (RFC 4511), such as OpenLDAP, 389 Directory Server or Active
/// Directory.
///
/// Referrals are not followed. What the server cannot answer, or answers with a code that says
/// nothing about the user, is [`DirectoryError::Unavailable`], with a text that names the server.
///
/// Unknown users (`attacks.md` C1): where a search finds nobody, the bind or comparison is made
/// all the same, with a DN that cannot exist; where hashes are read, see [`Verifier`]. What a server takes longer for a DN that exists, with a
/// slow hash say, shows nevertheless: only the server could hide it.
///
/// The server is trusted: it says who may log in. What it sends is not bounded in size, but in
/// time.
#[derive(Debug)]
pub struct Ldap {
    directory: Arc<Users>,
    turns: Checks,
    timeout: Duration,
}

impl Ldap {
    /// The users at the server of `settings`; hashes that are read are checked in `checks`, and `decoys` give
    /// SCRAM keys of passwords in clear their salts. Reads
    /// the file of authorities, and does not connect yet.
    ///
    /// # Errors
    /// [`LdapSettingsError`] says what does not fit together.
    pub fn new(
        settings: LdapSettings,
        checks: Arc<Checks>,
        decoys: Decoys,
    ) -> Result<Self, LdapSettingsError> {
        let limits = HashLimits { at_once: settings.connections, waiting: settings.waiting };
        let timeout = settings.timeout;
        let directory = Arc::new(Users::new(settings, Verifier::new(checks, decoys))?);
        Ok(Self { directory, turns: Checks::new(limits), timeout })
    }

    /// Carries out a conversation when its turn comes, in a task of its own: it ends with this
    /// future, and what the library cannot read ends it alone.
    async fn converse<T: Send + 'static>(
        &self,
        conversation: impl Future<Output = Result<T, DirectoryError>> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let mut task = JoinSet::new();
        let answer = timeout(self.timeout, async {
            let _turn = self.turns.turn().await?;
            task.spawn(conversation);
            Ok(task.join_next().await)
        });
        let trouble = match answer.await {
            Ok(Ok(Some(Ok(answer)))) => return answer,
            Ok(Err(busy)) => return Err(busy),
            Ok(Ok(_)) => "its answer cannot be read; is it an LDAP server?".into(),
            Err(_) => format!("no answer within {:?}; look at its load", self.timeout),
        };
        Err(self.directory.server.fault(&Trouble::Answer(trouble)))
    }
}

impl Directory for Ldap {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Plain | Mechanism::Login => true,
            Mechanism::External | Mechanism::OAuthBearer | Mechanism::XOAuth2 => false,
            Mechanism::ScramPlus(_) | Mechanism::Scram(_) => {
                matches!(self.directory.password, PasswordCheck::Read { scram: true, .. })
            }
            // Who has no keys for it is denied; it is served where the administrator names it.
            Mechanism::CramMd5 => matches!(self.directory.password, PasswordCheck::Read { .. }),
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(async {
            let password = credentials.password().ok_or(Denial::OtherProof)?.clone();
            let (directory, user) = (Arc::clone(&self.directory), credentials.user().clone());
            self.converse(async move { directory.verify(user, &password).await }).await
        })
    }

    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a> {
        Box::pin(async move {
            let (directory, user) = (Arc::clone(&self.directory), user.clone());
            self.converse(async move { directory.keys(user, hash).await }).await
        })
    }

    fn cram_md5<'a>(&'a self, user: &'a UserName) -> Answer<'a, KeyedIdentity<CramMd5Keys>> {
        Box::pin(async move {
            let (directory, user) = (Arc::clone(&self.directory), user.clone());
            self.converse(async move { directory.cram_md5(user).await }).await
        })
    }
}

/// The settings, made ready.
#[derive(Debug)]
struct Users {
    server: Server,
    verifier: Verifier,
    password: PasswordCheck,
    user_dn: Option<Template>,
    search: Option<Search>,
    name_attribute: Option<Box<str>>,
    groups: Vec<GroupRole>,
    member_of: Option<Box<str>>,
    group_filter: Option<Template>,
    /// A DN that no entry has.
    nobody: Box<str>,
}

#[derive(Debug)]
struct Search {
    base: Box<str>,
    scope: Scope,
    filter: Template,
}

impl Users {
    fn new(settings: LdapSettings, verifier: Verifier) -> Result<Self, LdapSettingsError> {
        let url = url(&settings)?;
        let tls = tls::config(settings.ca_file.as_deref())?;
        let account = settings.account;
        if account
            .as_ref()
            .is_some_and(|account| account.dn.is_empty() || account.password.is_empty())
        {
            return Err(LdapSettingsError::EmptyAccount);
        }
        let group_filter = settings.group_filter.as_deref();
        let group_filter = group_filter.map(|text| Template::filter(text, Kind::GroupFilter));
        let base = settings.search.as_ref().map(|search| search.base.clone());
        let users = Self {
            server: Server::new(url, settings.starttls, tls, account),
            verifier,
            password: settings.password,
            user_dn: settings.user_dn.as_deref().map(Template::user_dn).transpose()?,
            search: settings.search.map(Search::new).transpose()?,
            name_attribute: settings.name_attribute,
            groups: settings.groups,
            member_of: settings.member_of,
            group_filter: group_filter.transpose()?,
            nobody: nobody(&base.unwrap_or_default())?,
        };
        users.fit_together()?;
        Ok(users)
    }

    fn fit_together(&self) -> Result<(), LdapSettingsError> {
        match (&self.user_dn, &self.search) {
            (None, None) => Err(LdapSettingsError::NoUsers),
            (Some(user_dn), None) if !user_dn.is_dn() && self.needs_entry() => {
                Err(LdapSettingsError::NoEntry)
            }
            (Some(_), _) | (None, Some(_)) if self.tells_domains_apart() => Ok(()),
            (Some(_), _) | (None, Some(_)) => Err(LdapSettingsError::AnyDomain),
        }
    }

    /// Whether who it is stands in the directory, or the client cannot say what it likes: one of
    /// the templates by which a log-in is proven takes each name for another user.
    fn tells_domains_apart(&self) -> bool {
        let binds_directly = matches!(self.password, PasswordCheck::Bind) && self.user_dn.is_some();
        let searches = !binds_directly || self.needs_entry_after_bind();
        let filter = self.search.as_ref().filter(|_| searches).map(|search| &search.filter);
        let user_dn = self.user_dn.as_ref().filter(|_| binds_directly || filter.is_none());
        let mut templates = filter.into_iter().chain(user_dn);
        self.name_attribute.is_some() || templates.any(Template::tells_domains_apart)
    }

    fn needs_entry(&self) -> bool {
        !matches!(self.password, PasswordCheck::Bind) || self.needs_entry_after_bind()
    }

    fn needs_entry_after_bind(&self) -> bool {
        self.name_attribute.is_some() || !self.groups.is_empty()
    }

    async fn verify(
        &self,
        user: UserName,
        password: &Password,
    ) -> Result<Identity, DirectoryError> {
        match (&self.password, &self.user_dn) {
            (PasswordCheck::Bind, Some(user_dn)) => {
                self.bind_directly(user_dn, user, password).await
            }
            (PasswordCheck::Bind, None) => self.search_and_bind(user, password).await,
            (PasswordCheck::Compare { attribute }, _) => {
                self.compare(attribute, user, password).await
            }
            (PasswordCheck::Read { attribute, .. }, _) => {
                self.read_and_check(attribute, user, password).await
            }
        }
    }

    async fn bind_directly(
        &self,
        user_dn: &Template,
        user: UserName,
        password: &Password,
    ) -> Result<Identity, DirectoryError> {
        let dn = user_dn.render(Subject { user: user.as_str(), dn: "" });
        let dn = dn.ok_or(Denial::UnknownUser)?;
        let mut session = self.server.session(Purpose::Binds).await?;
        session.bind(&dn, password.reveal()).await?;
        if !self.needs_entry_after_bind() {
            return Ok(Identity::proven(user));
        }
        if self.server.has_account() {
            drop(session);
            session = self.server.session(Purpose::Lookups).await?;
        }
        // Who can bind and does not pass the filter is none of the users that are meant.
        let entry = self.find(&mut session, &user).await?.ok_or(Denial::UnknownUser)?;
        if !dn::is_same(&dn, &entry.dn) {
            self.prove(&mut session, &entry, password).await?;
        }
        self.identity(&mut session, user, &entry).await
    }

    /// That the password is also that of an entry which is found under another DN than the one that
    /// was bound: nothing but the administrator's templates says that both are one person.
    async fn prove(
        &self,
        session: &mut Session<'_>,
        entry: &SearchEntry,
        password: &Password,
    ) -> Result<(), DirectoryError> {
        let bound = match session.is_users() {
            true => session.bind(&entry.dn, password.reveal()).await,
            false => {
                self.server.session(Purpose::Binds).await?.bind(&entry.dn, password.reveal()).await
            }
        };
        match bound {
            Err(DirectoryError::Denied(_)) => Err(Denial::UnknownUser.into()),
            bound => bound,
        }
    }

    async fn search_and_bind(
        &self,
        user: UserName,
        password: &Password,
    ) -> Result<Identity, DirectoryError> {
        let mut lookups = self.server.session(Purpose::Lookups).await?;
        let found = self.find(&mut lookups, &user).await?;
        let dn = found.as_ref().map_or(&*self.nobody, |entry| &*entry.dn);
        let bound = self.server.session(Purpose::Binds).await?.bind(dn, password.reveal()).await;
        match (found, bound) {
            (Some(entry), Ok(())) => self.identity(&mut lookups, user, &entry).await,
            (None, Ok(()) | Err(DirectoryError::Denied(_))) => Err(Denial::UnknownUser.into()),
            (_, Err(error)) => Err(error),
        }
    }

    async fn compare(
        &self,
        attribute: &str,
        user: UserName,
        password: &Password,
    ) -> Result<Identity, DirectoryError> {
        let mut session = self.server.session(Purpose::Lookups).await?;
        let found = self.find(&mut session, &user).await?;
        let dn = found.as_ref().map_or(&*self.nobody, |entry| &*entry.dn);
        let value = password.reveal();
        let reply = session.ask(&Operation::Compare { dn, attribute, value }).await?;
        let Some(entry) = found else { return Err(Denial::UnknownUser.into()) };
        match reply.result.rc {
            COMPARE_TRUE => self.identity(&mut session, user, &entry).await,
            COMPARE_FALSE | INVALID_VALUE => Err(Denial::WrongPassword.into()),
            NO_SUCH_ATTRIBUTE => Err(Denial::NoPassword.into()),
            _ => Err(self.server.fault(&Trouble::lookup("comparing the password", &reply.result))),
        }
    }

    async fn read_and_check(
        &self,
        attribute: &str,
        user: UserName,
        password: &Password,
    ) -> Result<Identity, DirectoryError> {
        let mut session = self.server.session(Purpose::Lookups).await?;
        let found = self.find(&mut session, &user).await?;
        let record = found.as_ref().map(|entry| self.record(attribute, entry));
        self.verifier.verify(record.as_ref(), password).await?;
        let entry = found.ok_or(Denial::UnknownUser)?;
        self.identity(&mut session, user, &entry).await
    }

    async fn keys(&self, user: UserName, hash: ScramHash) -> Result<KeyedIdentity, DirectoryError> {
        let PasswordCheck::Read { attribute, scram: true, .. } = &self.password else {
            return Err(Denial::NoKeys.into());
        };
        let (record, identity) = self.look_up(attribute, &user).await?;
        let keys = self.verifier.keys(record.as_ref(), &user, hash).await?;
        Ok(KeyedIdentity { identity: identity?, keys })
    }

    async fn cram_md5(&self, user: UserName) -> Result<KeyedIdentity<CramMd5Keys>, DirectoryError> {
        let PasswordCheck::Read { attribute, .. } = &self.password else {
            return Err(Denial::NoCramMd5Keys.into());
        };
        let (record, identity) = self.look_up(attribute, &user).await?;
        let keys = record.ok_or(Denial::UnknownUser)?.cram_md5()?;
        Ok(KeyedIdentity { identity: identity?, keys })
    }

    /// What is kept of the password of `user`, if there is one, and who that is.
    async fn look_up(
        &self,
        attribute: &str,
        user: &UserName,
    ) -> Result<(Option<Record>, Result<Identity, DirectoryError>), DirectoryError> {
        let mut session = self.server.session(Purpose::Lookups).await?;
        let found = self.find(&mut session, user).await?;
        let record = found.as_ref().map(|entry| self.record(attribute, entry));
        // Before the proof, all that is asked about somebody is asked about nobody too.
        let entry = found.unwrap_or_else(|| self.nobodys_entry());
        match self.identity(&mut session, user.clone(), &entry).await {
            Err(fault @ (DirectoryError::Unavailable(_) | DirectoryError::Busy)) => Err(fault),
            identity => Ok((record, identity)),
        }
    }

    fn nobodys_entry(&self) -> SearchEntry {
        let (attrs, bin_attrs) = (HashMap::new(), HashMap::new());
        SearchEntry { dn: self.nobody.to_string(), attrs, bin_attrs }
    }

    /// The entry of `user`, if there is one.
    async fn find(
        &self,
        session: &mut Session<'_>,
        user: &UserName,
    ) -> Result<Option<SearchEntry>, DirectoryError> {
        let Some((base, scope, filter)) = self.place(user) else { return Ok(None) };
        let attributes = self.attributes();
        let (base, filter) = (base.as_str(), filter.as_str());
        let search = Operation::Search { base, scope, filter, attributes: &attributes, limit: 2 };
        let mut reply = session.ask(&search).await?;
        match (reply.result.rc, reply.entries.len()) {
            (SUCCESS | SIZE_LIMIT, 2..) => Err(Denial::SeveralUsers.into()),
            (SUCCESS, _) => Ok(reply.entries.pop()),
            (NO_SUCH_OBJECT | INVALID_DN, _) if self.search.is_none() => Ok(None),
            _ if session.is_users() && is_restricted(&reply.result) => {
                Err(Denial::Suspended.into())
            }
            _ => Err(self.server.fault(&Trouble::lookup("the search for the user", &reply.result))),
        }
    }

    /// Where the entry of `user` is: base, scope and filter of a search.
    fn place(&self, user: &UserName) -> Option<(String, Scope, String)> {
        let subject = Subject { user: user.as_str(), dn: "" };
        match (&self.search, &self.user_dn) {
            (Some(search), _) => {
                Some((search.base.to_string(), search.scope, search.filter.render(subject)?))
            }
            (None, Some(user_dn)) => {
                Some((user_dn.render(subject)?, Scope::Base, ANY_ENTRY.into()))
            }
            (None, None) => None,
        }
    }

    /// What is wanted of a user's entry.
    fn attributes(&self) -> Vec<&str> {
        let password = match &self.password {
            PasswordCheck::Read { attribute, .. } => Some(&**attribute),
            PasswordCheck::Bind | PasswordCheck::Compare { .. } => None,
        };
        let member_of = self.member_of.as_deref().filter(|_| !self.groups.is_empty());
        let wanted = [password, self.name_attribute.as_deref(), member_of];
        let wanted: Vec<&str> = wanted.into_iter().flatten().collect();
        if wanted.is_empty() { vec![NO_ATTRIBUTES] } else { wanted }
    }

    /// Who the user of this entry is, now that the password has proven right.
    async fn identity(
        &self,
        session: &mut Session<'_>,
        claimed: UserName,
        entry: &SearchEntry,
    ) -> Result<Identity, DirectoryError> {
        let roles = self.roles(session, &claimed, entry).await?;
        let user = match self.name_attribute.as_deref() {
            None => claimed,
            Some(attribute) => name(values(entry, attribute), claimed)?,
        };
        Ok(Identity::proven(user).with_roles(roles))
    }

    async fn roles(
        &self,
        session: &mut Session<'_>,
        user: &UserName,
        entry: &SearchEntry,
    ) -> Result<Roles, DirectoryError> {
        let listed = self.member_of.as_deref().map_or(&[][..], |name| values(entry, name));
        let mut roles = Roles::EMPTY;
        for GroupRole { group, role } in &self.groups {
            if listed.iter().any(|dn| dn::is_same(dn, group))
                || self.group_has(session, group, user, &entry.dn).await?
            {
                roles.insert(*role);
            }
        }
        Ok(roles)
    }

    /// Whether the entry of the group passes the filter. A group that is not there has no members.
    async fn group_has(
        &self,
        session: &mut Session<'_>,
        group: &str,
        user: &UserName,
        dn: &str,
    ) -> Result<bool, DirectoryError> {
        let filter = self.group_filter.as_ref();
        let filter = filter.and_then(|filter| filter.render(Subject { user: user.as_str(), dn }));
        let Some(filter) = filter else { return Ok(false) };
        let (scope, filter, attributes) = (Scope::Base, filter.as_str(), &[NO_ATTRIBUTES]);
        let search = Operation::Search { base: group, scope, filter, attributes, limit: 1 };
        let reply = session.ask(&search).await?;
        match reply.result.rc {
            SUCCESS => Ok(!reply.entries.is_empty()),
            NO_SUCH_OBJECT => Ok(false),
            _ => Err(self.server.fault(&Trouble::lookup("the search for a group", &reply.result))),
        }
    }

    /// What the entry holds of the password. A value that cannot be read harms no other.
    fn record(&self, attribute: &str, entry: &SearchEntry) -> Record {
        let PasswordCheck::Read { default_scheme, .. } = self.password else {
            return Record::default();
        };
        let parse = |texts: &[&str]| Record::parse(texts.iter().copied(), default_scheme);
        let texts = values(entry, attribute).iter().map(String::as_str);
        let readable: Vec<&str> = texts.filter(|text| parse(&[text]).is_ok()).collect();
        let record = parse(&readable).unwrap_or_default();
        self.verifier.learn(&record);
        record
    }
}

impl Search {
    fn new(search: UserSearch) -> Result<Self, LdapSettingsError> {
        let scope = match search.scope {
            LdapScope::Base => Scope::Base,
            LdapScope::OneLevel => Scope::OneLevel,
            LdapScope::Subtree => Scope::Subtree,
        };
        let filter = Template::filter(&search.filter, Kind::Filter)?;
        Ok(Self { base: search.base, scope, filter })
    }
}

/// Who it is by the values of the attribute for names: the one, or the one that was claimed.
fn name(values: &[String], claimed: UserName) -> Result<UserName, Denial> {
    let mut names: Vec<UserName> = values.iter().filter_map(|text| text.parse().ok()).collect();
    match names.pop() {
        Some(name) if names.is_empty() => Ok(name),
        Some(name) if name == claimed || names.contains(&claimed) => Ok(claimed),
        Some(_) | None => Err(Denial::NoName),
    }
}

/// The values of an attribute, whose name the server may write in another case.
fn values<'a>(entry: &'a SearchEntry, attribute: &str) -> &'a [String] {
    let found = entry.attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
    found.map_or(&[], |(_, values)| values)
}

fn url(settings: &LdapSettings) -> Result<Url, LdapSettingsError> {
    let wrong = || LdapSettingsError::Url(settings.url.clone());
    let url = Url::parse(&settings.url).map_err(|_| wrong())?;
    let known = matches!(url.scheme(), "ldap" | "ldaps" | "ldapi");
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    if !known || !bare || !has_host || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(wrong());
    }
    match settings.starttls && url.scheme() != "ldap" {
        true => Err(LdapSettingsError::StartTls),
        false => Ok(url),
    }
}

/// A DN below `base` that nobody can have made an entry for.
fn nobody(base: &str) -> Result<Box<str>, LdapSettingsError> {
    let random =
        getrandom::u64().map_err(|error| LdapSettingsError::Setup(error.to_string().into()))?;
    let comma = if base.is_empty() { "" } else { "," };
    Ok(format!("cn=nobody-{random:016x}{comma}{base}").into())
}

const ANY_ENTRY: &str = "(objectClass=*)";
/// RFC 4511 section 4.5.1.8.
const NO_ATTRIBUTES: &str = "1.1";
