//! Directories other than the own user store: one module for each kind.

mod certificate;

pub use certificate::CertificateHolders;
