//! OpenLDAP's server.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::{Daemon, free_address, tools};

/// A person in the directory of a [`Slapd`]: an `inetOrgPerson` below [`Slapd::PEOPLE`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Person<'a> {
    /// The `uid`, which names the entry.
    pub uid: &'a str,
    /// `userPassword` as it is kept, in clear or as [`Slapd::hashed`] makes it. Empty: none.
    pub password: &'a str,
    /// The address of the `mail` attribute. Empty: none.
    pub mail: &'a str,
    /// More lines of LDIF, such as `carLicense: ABC`.
    pub also: &'a str,
}

/// A private `slapd` with people, on loopback and on a socket; TLS with an authority of its own.
/// Needs the commands of [`Slapd::NEEDS`].
///
/// Everybody may read everything but `userPassword`, which [`Slapd::READER`] may read too. The
/// overlay `memberof` lists the groups of a person.
#[derive(Debug)]
pub struct Slapd {
    home: TempDir,
    plain: SocketAddr,
    tls: SocketAddr,
    running: Option<Daemon>,
}

impl Slapd {
    /// What [`tools::require`] is asked for.
    pub const NEEDS: [&'static str; 3] = ["slapd", "ldapadd", "slappasswd"];
    /// The DN that everything is below.
    pub const BASE: &'static str = "dc=example,dc=org";
    /// The DN that the people are right below.
    pub const PEOPLE: &'static str = "ou=people,dc=example,dc=org";
    /// The DN of a service account that may read passwords.
    pub const READER: &'static str = "cn=reader,dc=example,dc=org";
    /// Its password.
    pub const READERS_PASSWORD: &'static str = "reader's secret";

    /// Starts a server that knows these people.
    ///
    /// # Panics
    /// If it does not start or does not take the people.
    #[must_use]
    pub fn with_people(people: &[Person<'_>]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let [plain, tls] = [free_address(), free_address()].map(|free| free.expect("a free port"));
        let mut slapd = Self { home, plain, tls, running: None };
        slapd.make_certificates();
        fs::create_dir(slapd.path("data")).expect("a directory for the data");
        fs::write(slapd.path("slapd.conf"), slapd.configuration()).expect("slapd.conf");
        slapd.start();
        slapd.add(SKELETON);
        for person in people {
            slapd.add(&entry(person));
        }
        slapd
    }

    /// Adds a group (`groupOfNames`) of people, and gives its DN.
    ///
    /// # Panics
    /// If the server does not take it.
    pub fn add_group(&self, name: &str, members: &[&str]) -> String {
        let dn = format!("cn={name},ou=groups,{}", Self::BASE);
        let mut ldif = format!("dn: {dn}\nobjectClass: groupOfNames\ncn: {name}\n");
        for uid in members {
            ldif += &format!("member: {}\n", Self::dn(uid));
        }
        self.add(&ldif);
        dn
    }

    /// Adds entries, in LDIF.
    ///
    /// # Panics
    /// If the server does not take them.
    pub fn add(&self, ldif: &str) {
        let mut command = tool("ldapadd");
        let command =
            command.args(["-x", "-H", &self.socket_url(), "-D", ROOT, "-w", ROOTS_SECRET]);
        feed(command, ldif);
    }

    /// The DN of a person.
    #[must_use]
    pub fn dn(uid: &str) -> String {
        let escaped =
            |c: char| if "\"+,;<=>\\".contains(c) { format!("\\{c}") } else { c.to_string() };
        let uid: String = uid.chars().map(escaped).collect();
        format!("uid={uid},{}", Self::PEOPLE)
    }

    /// What `slappasswd` makes of a password in this scheme, such as `{SSHA}`.
    ///
    /// # Panics
    /// If `slappasswd` does not know the scheme.
    #[must_use]
    pub fn hashed(scheme: &str, password: &str) -> String {
        feed(tool("slappasswd").args(["-n", "-h", scheme, "-T", "/dev/stdin"]), password)
    }

    /// `ldap://localhost`, without TLS, where StartTLS may follow.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://{HOST}:{}", self.plain.port())
    }

    /// `ldaps://localhost`; the certificate is for that name and no other.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("ldaps://{HOST}:{}", self.tls.port())
    }

    /// `ldapi://`.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("ldapi://{}", self.path("socket").display().to_string().replace('/', "%2F"))
    }

    /// The authority that vouches for the server, in PEM.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.crt")
    }

    /// An authority that does not, in PEM.
    #[must_use]
    pub fn other_ca_file(&self) -> PathBuf {
        self.path("other.crt")
    }

    /// Ends the server.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Starts the server again, with the same addresses and data.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&mut self) {
        self.stop();
        let urls = format!("ldap://{} ldaps://{} {}", self.plain, self.tls, self.socket_url());
        // slapd sets memory aside for as many connections as it may have open files.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n 1024; exec \"$@\"", "sh"]).arg(found("slapd"));
        command.args(["-d", "stats", "-h", &urls, "-f"]).arg(self.path("slapd.conf"));
        let ready = || {
            UnixStream::connect(self.path("socket")).is_ok()
                && TcpStream::connect(self.plain).is_ok()
                && TcpStream::connect(self.tls).is_ok()
        };
        self.running = Some(Daemon::start(&mut command, &self.path("log"), ready));
    }

    /// What the server has logged since it was started: connections and operations.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn make_certificates(&self) {
        let [ours, other] = [(); 2].map(|()| authority());
        let key = KeyPair::generate().expect("a key");
        let wanted = CertificateParams::new([HOST.to_owned()]).expect("a name");
        let certificate = wanted.signed_by(&key, &ours).expect("a certificate");
        for (name, pem) in [
            ("ca.crt", ours.pem()),
            ("other.crt", other.pem()),
            ("server.crt", certificate.pem()),
            ("server.key", key.serialize_pem()),
        ] {
            fs::write(self.path(name), pem).expect("a file");
        }
    }

    fn configuration(&self) -> String {
        let home = self.home.path().display();
        let reader = Self::READER;
        let base = Self::BASE;
        format!(
            "include {SCHEMAS}/core.schema\n\
             include {SCHEMAS}/cosine.schema\n\
             include {SCHEMAS}/inetorgperson.schema\n\
             modulepath /usr/lib/ldap\n\
             moduleload back_mdb\n\
             moduleload memberof\n\
             pidfile {home}/pid\n\
             TLSCACertificateFile {home}/ca.crt\n\
             TLSCertificateFile {home}/server.crt\n\
             TLSCertificateKeyFile {home}/server.key\n\
             database mdb\n\
             suffix {base}\n\
             rootdn {ROOT}\n\
             rootpw {ROOTS_SECRET}\n\
             directory {home}/data\n\
             overlay memberof\n\
             access to attrs=userPassword by dn.exact=\"{reader}\" read by anonymous auth\n\
             access to * by * read\n"
        )
    }
}

fn entry(person: &Person<'_>) -> String {
    let Person { uid, password, mail, also } = person;
    let dn = Slapd::dn(uid);
    let mut ldif =
        format!("dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n");
    for (attribute, value) in [("userPassword", password), ("mail", mail)] {
        if !value.is_empty() {
            ldif += &format!("{attribute}: {value}\n");
        }
    }
    ldif + also + "\n"
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut wanted = CertificateParams::new(Vec::new()).expect("no names");
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(wanted, key).expect("an authority")
}

fn tool(name: &str) -> Command {
    Command::new(found(name))
}

fn found(name: &str) -> PathBuf {
    tools::find(name).unwrap_or_else(|| Path::new(name).to_owned())
}

/// Runs a command with this input; what it says.
fn feed(command: &mut Command, input: &str) -> String {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let ended = child.wait_with_output().expect("its end");
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?} with {input:?}: {complaint}");
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

const HOST: &str = "localhost";
const SCHEMAS: &str = "/etc/ldap/schema";
const ROOT: &str = "cn=root,dc=example,dc=org";
const ROOTS_SECRET: &str = "root";
const SKELETON: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader's secret
";
