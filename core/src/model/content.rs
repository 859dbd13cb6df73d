//! What a model consists of on disk, and the hash that tells it from every other.

use std::fmt::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::onnx::ExternalFile;

/// A model's file and the files of its external data, mapped. Contracts are no part of it.
#[derive(Debug, Default)]
pub struct Content {
    file: Bytes,
    external: Vec<ExternalFile>,
    hashes: OnceLock<Hashes>,
}

#[derive(Debug)]
struct Hashes {
    content: String,
    /// Of the file, then of each external one.
    files: Vec<String>,
}

/// One file of a model.
#[derive(Debug, Clone, Copy)]
pub struct ContentFile<'a> {
    /// Where the model expects it, relative to its own folder; `None` for the model's file.
    pub location: Option<&'a str>,
    pub bytes: &'a [u8],
    pub sha256: &'a str,
}

impl Content {
    /// `external` in the order of the locations.
    pub fn new(file: Bytes, external: Vec<ExternalFile>) -> Self {
        Self { file, external, hashes: OnceLock::new() }
    }

    /// The hash of a model, 64 hexadecimal digits: the SHA-256 of its file, as `sha256sum` prints it. Where the model has external data, the
    /// SHA-256 of a list with one line for each file, `<sha256 of the file>  <location>\n`: the model's own first, with an empty location,
    /// the others in the order of their locations' bytes.
    pub fn sha256(&self) -> &str {
        &self.hashes().content
    }

    /// The model's file, then its external data in the order of the locations.
    pub fn files(&self) -> impl Iterator<Item = ContentFile<'_>> {
        let own = std::iter::once((None, &self.file));
        let external = self.external.iter().map(|file| (Some(file.location.as_str()), &file.bytes));
        own.chain(external).zip(&self.hashes().files).map(|((location, bytes), sha256)| ContentFile { location, bytes, sha256 })
    }

    pub fn n_bytes(&self) -> u64 {
        let external: u64 = self.external.iter().map(|file| file.bytes.len() as u64).sum();
        self.file.len() as u64 + external
    }

    fn hashes(&self) -> &Hashes {
        self.hashes.get_or_init(|| {
            let files: Vec<String> =
                std::iter::once(&self.file).chain(self.external.iter().map(|file| &file.bytes)).map(|bytes| sha256(bytes)).collect();
            let locations = std::iter::once("").chain(self.external.iter().map(|file| file.location.as_str()));
            Hashes { content: of_files(files.iter().map(String::as_str).zip(locations)), files }
        })
    }
}

/// The hash of a model from the hashes and locations of its files, its own first.
fn of_files<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let files: Vec<_> = files.collect();
    if let [(own, _)] = files.as_slice() {
        return (*own).to_owned();
    }
    let lines = files.iter().fold(String::new(), |mut lines, (hash, location)| {
        let _ = writeln!(lines, "{hash}  {location}");
        lines
    });
    sha256(lines.as_bytes())
}

/// The SHA-256 of some bytes, as 64 hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external(location: &str, bytes: &'static [u8]) -> ExternalFile {
        ExternalFile { location: location.to_owned(), path: location.into(), bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn a_file_alone_hashes_as_sha256sum_says() {
        // `printf abc | sha256sum`
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Content::new(Bytes::from_static(b"abc"), Vec::new()).sha256(), abc);
    }

    #[test]
    fn external_data_are_part_of_the_hash_with_their_places() {
        // Each from `printf '%s  %s\n' "$(printf abc | sha256sum | cut -c-64)" '' "$(printf weights | sha256sum | cut -c-64)" w.bin | sha256sum`.
        let content = Content::new(Bytes::from_static(b"abc"), vec![external("w.bin", b"weights")]);
        assert_eq!(content.sha256(), "196e5cffd89cfa8229d9dda6cf2f52937beff836da87a47b3b1348a3ff2365c6");
        let elsewhere = Content::new(Bytes::from_static(b"abc"), vec![external("v.bin", b"weights")]);
        assert_ne!(elsewhere.sha256(), content.sha256());
        let files: Vec<_> = content.files().map(|file| (file.location, file.bytes.len())).collect();
        assert_eq!(files, [(None, 3), (Some("w.bin"), 7)]);
        assert_eq!(content.n_bytes(), 10);
    }
}
