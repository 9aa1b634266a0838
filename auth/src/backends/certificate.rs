//! Everybody who holds a certificate: the authority that issued it decides who may log in.

use std::future::ready;

use crate::{
    Attempt, Credentials, Denial, Directory, Identity, KeySearch, Mechanism, Proof, ScramHash,
    UserName, Verification,
};

/// A directory without a list: whoever has proven by a certificate who it is, is a user.
///
/// It serves EXTERNAL only; which authorities are trusted is decided where TLS is
/// (`client_ca_file` of a listener). To shut somebody out takes a list, such as the own user store,
/// or another authority.
#[derive(Clone, Copy, Debug, Default)]
pub struct CertificateHolders;

impl Directory for CertificateHolders {
    fn serves(&self, mechanism: Mechanism) -> bool {
        mechanism == Mechanism::External
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(ready(match credentials.proof() {
            Proof::Certificate => Ok(Identity::proven(credentials.user().clone())),
            Proof::Password(_) | Proof::Token(_) => Err(Denial::OtherProof.into()),
        }))
    }

    fn keys<'a>(&'a self, _user: &'a UserName, _hash: ScramHash) -> KeySearch<'a> {
        Box::pin(ready(Err(Denial::OtherProof.into())))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{Password, Token};

    #[tokio::test]
    async fn who_holds_a_certificate_is_who_it_says_and_nothing_else_is_a_proof() {
        let attempt = Attempt {
            client: Ipv4Addr::LOCALHOST.into(),
            listener: "submission".into(),
            tls: true,
            now: std::time::Instant::now(),
        };
        let ann: UserName = "ann@example.org".parse().unwrap();
        let verified = async |mechanism, proof| {
            let credentials = Credentials::new(mechanism, ann.clone(), proof);
            CertificateHolders.verify(&credentials, &attempt).await
        };
        let identity = verified(Mechanism::External, Proof::Certificate).await;
        assert_eq!(identity, Ok(Identity::proven(ann.clone())));
        for proof in [
            Proof::Password(Password::new("correct horse").unwrap()),
            Proof::Token(Token::new("correct.horse").unwrap()),
        ] {
            let denied = verified(Mechanism::Plain, proof).await;
            assert_eq!(denied, Err(Denial::OtherProof.into()));
        }
        for mechanism in Mechanism::ALL {
            let serves = CertificateHolders.serves(mechanism);
            assert_eq!(serves, mechanism == Mechanism::External, "{mechanism}");
        }
        let keys = CertificateHolders.keys(&ann, ScramHash::Sha256).await;
        assert_eq!(keys, Err(Denial::OtherProof.into()));
    }
}
