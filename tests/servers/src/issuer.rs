//! An identity provider: makes keys, publishes them, and signs tokens. The keys and the signatures
//! are OpenSSL's, the HTTP server is Python's. Needs `openssl` and `python3`.

use std::{
    ffi::OsStr,
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tempfile::TempDir;

use crate::{Daemon, free_address};

/// An issuer of tokens. It publishes nothing until it is told to, and is down until it is started.
#[derive(Debug)]
pub struct Issuer {
    home: TempDir,
    address: SocketAddr,
    server: Option<Daemon>,
}

/// How an issuer's key signs. The names are those of RFC 7518 and RFC 8037.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Signing {
    Rs256,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

impl Issuer {
    /// A new issuer, without keys, and down.
    #[must_use]
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Self { home, address: free_address().expect("a port"), server: None }
    }

    /// Makes a key of this name for this kind of signature.
    pub fn make_key(&self, name: &str, signing: Signing) {
        let kind: &[&str] = match signing {
            Signing::Rs256 | Signing::Ps256 => &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            Signing::Es256 => &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Signing::Es384 => &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            Signing::EdDsa => &["ED25519"],
        };
        let file = self.key_file(name);
        openssl(["genpkey", "-quiet", "-out", text(&file), "-algorithm"].iter().chain(kind));
        fs::write(self.jwk_file(name), self.jwk(name, signing)).expect("a file");
    }

    /// The public half of a key in DER, as an administrator might have it in a file.
    #[must_use]
    pub fn public_key_file(&self, name: &str) -> PathBuf {
        self.home.path().join(format!("{name}.der"))
    }

    /// The public half of a key as a JWK, published or not.
    #[must_use]
    pub fn public_jwk(&self, name: &str) -> String {
        fs::read_to_string(self.jwk_file(name)).expect("a key")
    }

    /// Publishes these keys and no others, as a JWK Set, at once.
    pub fn publish(&self, names: &[&str]) {
        let keys: Vec<String> = names.iter().map(|name| self.public_jwk(name)).collect();
        self.publish_text(&format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    }

    /// Publishes any text where the keys should be.
    pub fn publish_text(&self, text: &str) {
        let new = self.home.path().join("keys.new");
        fs::write(&new, text).expect("a file");
        fs::rename(new, self.keys_file()).expect("a file");
    }

    /// Says for how long the keys may be kept, in the words of a `Cache-Control` header.
    pub fn let_keep(&self, cache_control: &str) {
        fs::write(self.home.path().join("cache-control"), cache_control).expect("a file");
    }

    /// The published keys as a file. It is not there before they are published.
    #[must_use]
    pub fn keys_file(&self) -> PathBuf {
        self.home.path().join("keys.json")
    }

    /// Where the keys are while the issuer is up.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/keys.json", self.address)
    }

    /// The same for an issuer that was started by [`Self::start_tls`].
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("https://{}/keys.json", self.address)
    }

    /// The certificate of an issuer that was started by [`Self::start_tls`]; it has signed it itself.
    #[must_use]
    pub fn certificate_file(&self) -> PathBuf {
        self.home.path().join("certificate.pem")
    }

    /// Starts the HTTP server.
    pub fn start(&mut self) {
        self.serve(&[]);
    }

    /// Starts the HTTP server, under TLS.
    pub fn start_tls(&mut self) {
        let (key, certificate) = (self.key_file("tls"), self.certificate_file());
        openssl([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=issuer",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            text(&key),
            "-out",
            text(&certificate),
        ]);
        self.serve(&[certificate, key]);
    }

    /// Stops the HTTP server.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }

    /// How often it was asked for its keys since it was started.
    #[must_use]
    pub fn times_asked(&self) -> usize {
        fs::read_to_string(self.log()).unwrap_or_default().matches("\"GET /keys.json ").count()
    }

    /// A token with this header and these claims, both JSON, signed by the key of this name.
    #[must_use]
    pub fn sign(&self, name: &str, signing: Signing, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(name, signing, &signed);
        format!("{signed}.{}", encode(signature))
    }

    /// A signature in the form of RFC 7518.
    fn signature(&self, name: &str, signing: Signing, signed: &str) -> Vec<u8> {
        let work = tempfile::tempdir_in(&self.home).expect("a directory");
        let (input, output) = (work.path().join("signed"), work.path().join("signature"));
        fs::write(&input, signed).expect("a file");
        let key = self.key_file(name);
        let digest = if signing == Signing::Es384 { "-sha384" } else { "-sha256" };
        let (key, input) = (text(&key), text(&input));
        let mut how = match signing {
            Signing::EdDsa => vec!["pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", input],
            _ => vec!["dgst", digest, "-sign", key],
        };
        how.extend(["-out", text(&output)]);
        if signing == Signing::Ps256 {
            how.extend(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]);
        }
        if signing != Signing::EdDsa {
            how.push(input);
        }
        openssl(how);
        let signature = fs::read(output).expect("a signature");
        match signing {
            Signing::Es256 => both_integers(&signature, 32),
            Signing::Es384 => both_integers(&signature, 48),
            Signing::Rs256 | Signing::Ps256 | Signing::EdDsa => signature,
        }
    }

    fn jwk(&self, name: &str, signing: Signing) -> String {
        let (key, public) = (self.key_file(name), self.public_key_file(name));
        openssl(["pkey", "-in", text(&key), "-pubout", "-outform", "DER", "-out", text(&public)]);
        let public = fs::read(public).expect("a public key");
        let end = |bytes: usize| &public[public.len() - bytes..];
        let point = |bytes: usize| {
            let (x, y) = end(2 * bytes).split_at(bytes);
            format!(r#""x":"{}","y":"{}""#, encode(x), encode(y))
        };
        let parameters = match signing {
            // At the end stand the modulus of 2048 bits and the exponent 65537, with its two bytes
            // of type and length.
            Signing::Rs256 | Signing::Ps256 => {
                format!(r#""kty":"RSA","e":"AQAB","n":"{}""#, encode(&end(5 + 256)[..256]))
            }
            Signing::Es256 => format!(r#""kty":"EC","crv":"P-256",{}"#, point(32)),
            Signing::Es384 => format!(r#""kty":"EC","crv":"P-384",{}"#, point(48)),
            Signing::EdDsa => {
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, encode(end(32)))
            }
        };
        format!(r#"{{"kid":"{name}","use":"sig",{parameters}}}"#)
    }

    fn serve(&mut self, certificate_and_key: &[PathBuf]) {
        assert!(self.server.is_none(), "the issuer is up already");
        let script = self.home.path().join("issuer.py");
        fs::write(&script, include_str!("issuer.py")).expect("a file");
        let address = self.address;
        let mut command = Command::new("python3");
        // Unbuffered, so that what was asked stands in the log at once.
        command.arg("-u").arg(script).arg(address.port().to_string()).arg(self.home.path());
        command.args(certificate_and_key);
        let ready = || TcpStream::connect(address).is_ok();
        self.server = Some(Daemon::start(&mut command, &self.log(), ready));
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn key_file(&self, name: &str) -> PathBuf {
        self.home.path().join(format!("{name}.key"))
    }

    fn jwk_file(&self, name: &str) -> PathBuf {
        self.home.path().join(format!("{name}.jwk"))
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}

/// Unpadded base64 for URLs (RFC 7515 section 2).
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn openssl(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    let output = Command::new("openssl").args(arguments).output().expect("openssl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl: {said}");
}

/// The two INTEGERs of a DER signature, each in so many bytes (RFC 7518 section 3.4).
fn both_integers(der: &[u8], bytes: usize) -> Vec<u8> {
    let integer = |at: usize| {
        let length = usize::from(der[at + 1]);
        let digits = &der[at + 2..at + 2 + length];
        let digits = &digits[length.saturating_sub(bytes)..];
        let mut integer = vec![0; bytes - digits.len()];
        integer.extend_from_slice(digits);
        (integer, at + 2 + length)
    };
    // Both curves give signatures whose length fits in one byte.
    let (mut both, next) = integer(2);
    both.extend(integer(next).0);
    both
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
