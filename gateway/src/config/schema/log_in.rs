//! Who may log in, and what binds those who do.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use mailweir_auth::{GroupRole, Scheme, SignatureAlgorithm};
use mailweir_mail::Network;

use crate::config::{
    choice::{BackendType, SenderPolicy, Unauthenticated, WrittenPasswordCheck, WrittenScope},
    section::section,
    words::{Label, Secret},
};

section! {
    /// Who may log in.
    pub(in crate::config) table "auth" AuthSection {
        /// The file of users that `mailweir user` writes. Absent: `users` in `data_dir`.
        users_file: Option<PathBuf>;
    }
}

section! {
    /// Who knows the users and their passwords. Several are asked in this order: who is denied by
    /// one is asked for at the next, and if nobody knows the password while one cannot be asked, the
    /// client hears "later" (454), not "wrong". Whom our own store has disabled is not asked for any
    /// further. Absent: the own user store alone.
    pub(in crate::config) tables "auth.backend" BackendSection {
        /// "users": our own user store, `auth.users_file`. "passwd-file": a file of lines
        /// `name:password`, as Dovecot's passwd-file, htpasswd and shadow(5) have them. "saslauthd":
        /// PAM, Kerberos and the like, by Cyrus SASL's daemon. "dovecot": whoever a Dovecot knows.
        /// "ldap": an LDAP server, or Active Directory. "sql": PostgreSQL, MySQL or MariaDB.
        /// "oauth": access tokens that an issuer has signed. "certificate": whoever has a
        /// certificate that the `client_ca_file` of the listener vouches for; it needs no list.
        kind as "type": BackendType, postfix "smtpd_sasl_type";
        /// The label in logs and metrics. Absent: the type.
        name: Option<Label>;
        /// How long it may take to answer. One that fails three times in a row is not waited for
        /// until a single attempt, first after a second, later after half a minute, finds it well.
        /// Absent: "10s"; for "dovecot" "30s", for it lets the answer to an address that has guessed
        /// wrong wait for up to 17 seconds.
        timeout: Option<Duration>;
        /// saslauthd, dovecot, ldap, sql: how long a password that it accepted is accepted again,
        /// from the same address at the same listener, without asking. A password that was changed,
        /// and a user who was shut out, there or in our own store, are good for so long. At most an hour. Absent: "1 min".
        cache_ttl: Option<Duration>;
        /// passwd-file: the file. It is read again when it has changed.
        file: Option<PathBuf>;
        /// passwd-file, ldap, sql: the scheme of passwords without `{SCHEME}`, such as "SSHA".
        /// Absent: they must be hashes of crypt(3), which begin with `$`.
        default_scheme: Option<Scheme>;
        /// passwd-file, ldap, sql: whether SCRAM is served; say "true" only if all passwords are
        /// kept as `{SCRAM-SHA-256}` keys or in clear. dovecot: whether Dovecot announces SCRAM; it
        /// then conducts those log-ins.
        scram: bool = false;
        /// saslauthd, dovecot: the socket, such as `/run/saslauthd/mux` or
        /// `/var/spool/postfix/private/auth`; for Dovecot also "host:port", where passwords go in clear.
        socket: Option<String>, postfix "smtpd_sasl_path";
        /// saslauthd, dovecot: the service that is named to it.
        service: String = "smtp", postfix "smtpd_sasl_service";
        /// saslauthd: the realm of users whose domain is not in `realms`.
        realm: Option<String>, postfix "smtpd_sasl_local_domain";
        /// saslauthd: domains that are cut off names and sent as the realm: `ann@example.org` is
        /// asked for as "ann" in the realm "example.org". Every other name is sent whole. `saslauthd
        /// -r` puts both together again, and realms are safe with it. Without `-r`, PAM and shadow
        /// pass the realm over: name one domain at most, that of the users of this machine, for with
        /// two of them a user could choose under which to log in.
        realms: Vec<String> = [];
        /// ldap: the server, such as "ldaps://ldap.example.org". sql: the database, such as
        /// "postgres://mailweir@db.example.org/mail" or "mysql://mailweir@localhost/mail".
        url: Option<String>;
        /// ldap, sql: the file that holds the password of our own account there, and nothing else.
        password_file: Option<PathBuf>;
        /// ldap, sql: that password, from the environment only:
        /// `MAILWEIR_AUTH__BACKEND__0__PASSWORD`.
        password: Option<Secret>;
        /// ldap, sql: the most connections to the server.
        connections: NonZeroU32 = 4;
        /// ldap: whether TLS begins with StartTLS. "ldaps://" has TLS from the start.
        starttls: bool = false;
        /// ldap, oauth: the authorities that may vouch for the server, in PEM. Absent: those of the
        /// Mozilla root programme.
        ca_file: Option<PathBuf>;
        /// ldap: our own account, which searches, compares and reads. Absent: nobody.
        bind_dn: Option<String>;
        /// ldap: what a user binds as, without a search: "uid={user},ou=people,dc=example,dc=org",
        /// or for Active Directory "{user}@corp.example". `{user}` is the whole name, `{local}` and
        /// `{domain}` its parts. `{local}` without `{domain}` needs `name_attribute`: a client could
        /// say any domain. The same holds for `filter`.
        user_dn: Option<String>;
        /// ldap: where the search for a user begins.
        base: Option<String>;
        /// ldap: how deep the search goes.
        scope: WrittenScope = "sub";
        /// ldap: what a user's entry is found by: "(&(objectClass=inetOrgPerson)(mail={user}))".
        filter: Option<String>;
        /// ldap: "bind": the user binds with the password. "compare": the server compares it with an
        /// attribute. "read": we read the attribute, and check the password ourselves.
        password_check: WrittenPasswordCheck = "bind";
        /// ldap: the attribute of "compare" and "read".
        password_attribute: String = "userPassword";
        /// ldap: the attribute that holds who the user is, such as "mail". Absent: the name that the
        /// client gave.
        name_attribute: Option<String>;
        /// ldap: the roles of the members of groups. Who is in none of them is a sender.
        group_roles: Vec<GroupRole> = [];
        /// ldap: the attribute of a user's entry that lists its groups.
        member_of: String = "memberOf";
        /// ldap: what the entry of a group is asked, if `member_of` does not say it: "(member={dn})".
        group_filter: Option<String>;
        /// sql: what finds a user: "SELECT password FROM users WHERE name = {user}". `{user}`,
        /// `{local}` and `{domain}` are values and stand without quotes. Columns: `password`,
        /// `scram_sha_256` and the like, `enabled`, `name`, `roles`. With `{local}` and without
        /// `{domain}`, `name` says who it is; else nobody logs in under a name with an "@".
        query: Option<String>;
        /// oauth: the issuer, as the claim `iss` of its tokens has it.
        issuer: Option<String>;
        /// oauth: the names by which the issuer knows this gateway; a token must be for one of them.
        audience: Vec<String> = [];
        /// oauth: the issuer's keys (JWK Set): a file, or an https URL.
        jwks: Option<String>;
        /// oauth: the claim that holds the user's name, or a JSON pointer such as "/act/sub".
        user_claim: String = "email";
        /// oauth: the claim that holds the user's roles.
        roles_claim: Option<String>;
        /// oauth: the scope that a token must have.
        required_scope: Option<String>;
        /// oauth: the algorithms that count.
        algorithms: Vec<SignatureAlgorithm> = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
        /// oauth: whether each token counts only once. Mail programs use theirs for an hour.
        one_use: bool = false;
    }
}

section! {
    /// The brake on guessing passwords. It cannot be switched off. Whoever has failed too often has
    /// to wait, and is refused with 454 until then, even with the right password. The pause doubles
    /// with each further failure. An account has counts of its own wherever it has logged in during
    /// the last 30 days, so that strangers who guess at it lock nobody out.
    pub(in crate::config) table "auth.throttle" ThrottleSection {
        /// So many failures of one IPv4 address or IPv6 /64 have no consequence. At least 1.
        failures_per_address: u32 = 20, postfix "smtpd_client_auth_rate_limit";
        /// So many failures for one account have no consequence. At least 1.
        failures_per_account: u32 = 20;
        /// The pause after the first failure that has a consequence.
        first_pause: Duration = "30s";
        /// The longest pause of an address.
        longest_pause_address: Duration = "1h";
        /// The longest pause of an account.
        longest_pause_account: Duration = "15 min";
        /// After this time without a failure all of them are forgotten. At most 30 days.
        forget_after: Duration = "4h";
        /// Addresses that failures are not counted for, such as that of a webmail server, whose
        /// users all come from one address. The limit of accounts holds there as everywhere.
        exempt: Vec<Network> = [], postfix "smtpd_client_event_limit_exceptions";
    }
}

section! {
    /// Which sender addresses those who logged in may use. A back end may bind a single credential
    /// to some addresses; it is held to those whatever stands here.
    pub(in crate::config) table "auth.senders" SendersSection {
        /// "any": all of them. "own": the login itself if it is an address, with any `+extension`,
        /// and what `login_maps_file` gives it. "maps": only what the file gives it. "any" is what
        /// Postfix does without restrictions, and the default since logins need not be addresses;
        /// where they are, "own" is better. The null sender is for everybody.
        policy: SenderPolicy = "any", postfix "smtpd_sender_restrictions";
        /// Who owns which address, as a Postfix table in text: `user@domain  login1, login2` or
        /// `@domain  login` per line. An address that has a line is for its owners alone, unless
        /// the policy is "any". Read again within a second of a change.
        login_maps_file: Option<PathBuf>, postfix "smtpd_sender_login_maps";
        /// What clients hear that are neither logged in nor in `networks` and use an address that
        /// the file names. "reject": `553 5.7.1 not logged in`. "accept" is the default, since
        /// mail of ours that others forward comes back with our addresses.
        unauthenticated: Unauthenticated = "accept", postfix "smtpd_sender_restrictions";
        /// Whether every address in the From header must be allowed as well: it is what people see.
        /// A header that can be read in more than one way is refused. Of no effect under "any".
        header_from: bool = true;
    }
}

section! {
    /// How much one login may send. What goes over a soft limit is accepted and held until somebody
    /// releases it; what goes over a hard limit is put off with 450. What was accepted counts; a
    /// restart forgets it. Absent: no limit. Clients that did not log in have none.
    pub(in crate::config) table "auth.limits" QuotasSection {
        /// Mails in an hour, beyond which mail is held.
        messages_per_hour_soft: Option<NonZeroU32>;
        /// Mails in an hour, beyond which mail is put off.
        messages_per_hour_hard: Option<NonZeroU32>;
        /// Mails in a day, beyond which mail is held.
        messages_per_day_soft: Option<NonZeroU32>;
        /// Mails in a day, beyond which mail is put off.
        messages_per_day_hard: Option<NonZeroU32>;
        /// Recipients of all mails in an hour, beyond which mail is held.
        recipients_per_hour_soft: Option<NonZeroU32>;
        /// Recipients of all mails in an hour, beyond which each further one is put off.
        recipients_per_hour_hard: Option<NonZeroU32>;
        /// Recipients of all mails in a day, beyond which mail is held.
        recipients_per_day_soft: Option<NonZeroU32>;
        /// Recipients of all mails in a day, beyond which each further one is put off.
        recipients_per_day_hard: Option<NonZeroU32>;
    }
}
