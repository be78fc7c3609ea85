//! The zip: entries in a fixed order with a fixed time and mode, so that the same inputs give the same octets.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Largest compressed size of a function for viewer events ("Quotas on Lambda@Edge": 1 MB, of which this is the smaller
/// reading). Functions for origin events may have 50 MB.
const MAX_OCTETS: usize = 1_000_000;
/// Beyond zlib's nine levels are Zopfli's, whose Deflate is some 4 % smaller; this is five of its rounds, and more of them
/// gain next to nothing.
const LEVEL: i64 = 14;
/// Whoever Lambda runs the function as must be able to read it.
const MODE: u32 = 0o644;

/// A zip and what takes how much of it.
#[derive(Debug)]
pub(super) struct Archive {
    octets: Vec<u8>,
    /// Each entry's name and its size in the zip.
    sizes: Vec<(String, u64)>,
}

impl Archive {
    /// Packs these, in their order.
    pub(super) fn of(entries: &[(&str, Vec<u8>)]) -> Result<Self> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            // The first that the format knows.
            .last_modified_time(DateTime::default())
            .unix_permissions(MODE);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, options).and_then(|()| writer.write_all(content).map_err(Into::into))?;
        }
        let octets = writer.finish().context("cannot pack")?.into_inner();
        let mut packed = ZipArchive::new(Cursor::new(octets.as_slice()))?;
        let mut sizes = Vec::new();
        for index in 0..packed.len() {
            let entry = packed.by_index(index)?;
            sizes.push((entry.name()?.into_owned(), entry.compressed_size()));
        }
        Ok(Self { octets, sizes })
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The size beside the limit, and what makes it.
    pub(super) fn report(&self) -> String {
        let size = self.octets.len();
        let share = size * 100 / MAX_OCTETS;
        let mut lines =
            vec![format!("{size} of {MAX_OCTETS} octets that a viewer-request function may have ({share} %)")];
        lines.extend(self.sizes.iter().map(|(name, size)| format!("  {size:>7}  {name}")));
        lines.join("\n")
    }

    /// Fails above the limit, with what is largest and how that is mended.
    pub(super) fn check_size(&self) -> Result<()> {
        let largest = self.sizes.iter().max_by_key(|(_, size)| *size);
        let mend = match largest {
            Some((name, _)) if name.ends_with(".json") => {
                "pack it without a shadow policy or key seeds, or give each part of the API a distribution and a policy \
                 of its own"
            }
            _ => {
                "attach the function to origin requests, for which it may have 50 MB, or leave out features of the edge"
            }
        };
        let name = largest.map_or("", |(name, _)| name);
        ensure!(
            self.octets.len() <= MAX_OCTETS,
            "the zip is too large, and `{name}` is the largest in it: {mend}\n{}",
            self.report()
        );
        Ok(())
    }

    /// Unpacks it into `folder`, which holds nothing else afterwards.
    pub(super) fn extract(&self, folder: &Path) -> Result<()> {
        let context = || format!("cannot unpack into `{}`", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(context)?;
        }
        fs::create_dir_all(folder).with_context(context)?;
        ZipArchive::new(Cursor::new(self.octets.as_slice()))?.extract(folder).with_context(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets that do not compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut octets = vec![0; length];
        getrandom::fill(&mut octets).expect("randomness");
        octets
    }

    #[test]
    fn the_same_entries_give_the_same_octets_and_come_out_as_they_went_in() {
        let entries = [("index.js", b"exports".to_vec()), ("a.wasm", noise(5_000))];
        let (archive, again) = (Archive::of(&entries).expect("a zip"), Archive::of(&entries).expect("a zip"));
        assert_eq!(archive.octets(), again.octets());
        // Date and time of the first entry's header: the first of January 1980, whatever the clock says.
        assert_eq!(archive.octets().get(10..14), Some([0, 0, 0x21, 0].as_slice()));

        let folder = std::env::temp_dir().join(format!("postern-archive-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("left-over.js"), "").expect("a file");
        archive.extract(&folder).expect("unpacked");
        for (name, content) in &entries {
            assert_eq!(&fs::read(folder.join(name)).expect("a file"), content);
        }
        assert!(!folder.join("left-over.js").exists());
        let _ = fs::remove_dir_all(folder);
    }

    #[test]
    fn a_zip_above_the_limit_fails_and_names_what_is_largest() {
        let with = |name: &'static str, length: usize| {
            Archive::of(&[("index.js", vec![b'a'; 100]), (name, noise(length))]).expect("a zip").check_size()
        };
        assert!(with("a.wasm", MAX_OCTETS - 1_000).is_ok());
        let told = |name| with(name, MAX_OCTETS).expect_err("too large").to_string();
        let (wasm, config) = (told("a.wasm"), told("config.json"));
        assert!(wasm.contains("`a.wasm` is the largest") && wasm.contains("origin requests"), "{wasm}");
        assert!(config.contains("`config.json` is the largest") && config.contains("shadow policy"), "{config}");
        assert!(wasm.contains("octets that a viewer-request function may have (100 %)"), "{wasm}");
    }
}
