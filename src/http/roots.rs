//! Who vouches for a server: the roots of Mozilla, and those that the user adds. None is ever taken away, and no switch
//! turns verification off.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::foreign::quote_path;

/// Certificates of authorities beside the bundled ones.
#[derive(Clone, Default)]
pub struct Roots {
    added: Vec<CertificateDer<'static>>,
}

/// A file that adds no root.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}", quote_path(path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error("{} holds no certificate", quote_path(path))]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// One of its certificates is none.
    #[error("certificate {number} in {} cannot be read", quote_path(path))]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        number: usize,
    },
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "name a file that exists and that this user may read",
            Self::NoCertificate { .. } | Self::Malformed { .. } => {
                "name a file with the certificates of authorities in PEM: blocks that begin with `-----BEGIN CERTIFICATE-----`"
            }
        }
    }
}

impl Roots {
    /// Reads a bundle in PEM, or one certificate in DER.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, holds no certificate, or one that is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let path = || path.to_owned();
        let bytes = std::fs::read(path()).map_err(|source| Error::Unreadable { path: path(), source })?;
        // What begins as a sequence of DER does is no PEM.
        let added = if matches!(bytes[..], [0x30, 0x81..=0x83, ..]) {
            vec![CertificateDer::from(bytes)]
        } else {
            // Editors of Windows begin a file with this.
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            let blocks = CertificateDer::pem_slice_iter(text).enumerate();
            let read = blocks.map(|(at, block)| block.map_err(|_| Error::Malformed { path: path(), number: at + 1 }));
            read.collect::<Result<_, _>>()?
        };
        if added.is_empty() {
            return Err(Error::NoCertificate { path: path() });
        }
        // The bundle of a system may hold old ones that are no roots to rustls; one root is enough to be meant.
        if !added.iter().any(|root| RootCertStore::empty().add(root.clone()).is_ok()) {
            return Err(Error::Malformed { path: path(), number: 1 });
        }
        Ok(Self { added })
    }

    /// These, for a test.
    #[cfg(test)]
    pub(super) fn of(added: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self { added: added.into_iter().collect() }
    }

    /// Those that the user added, as they were given.
    pub(super) fn added(&self) -> &[CertificateDer<'static>] {
        &self.added
    }

    /// All of them. The bundled ones are parsed ahead, so that starting costs nothing.
    pub(super) fn store(&self) -> RootCertStore {
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        store.add_parsable_certificates(self.added.iter().cloned());
        store
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::issuing::authority;

    #[test]
    fn what_is_given_is_added_to_what_is_bundled() {
        let bundled = Roots::default().store().len();
        assert!(bundled > 100, "{bundled}");
        let ours = ["a", "b"].map(|name| authority(name).der().clone());
        assert_eq!(Roots::of(ours).store().len(), bundled + 2);
    }
}
