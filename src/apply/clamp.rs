//! Makes a source distribution the same however often it is built: times, owners and compression that show the moment
//! or the machine are taken out.
//!
//! An archive whose times all lie at or before `SOURCE_DATE_EPOCH` is left to the byte: its backend minded the epoch.
//! The others are written anew, every time set to the epoch: those of files that stood in the checkout tell when it was
//! made (reproducible-builds.org, "SOURCE_DATE_EPOCH specification").

use std::io::{Read, Write};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, Entry, EntryType, Header};

/// How much an archive may unpack to.
const UNPACKED: u64 = 4 * 1024 * 1024 * 1024;
/// PAX records that tell of the moment or the machine (POSIX pax, "pax Extended Header Keywords").
const TELLING: [&str; 7] = ["mtime", "atime", "ctime", "uid", "gid", "uname", "gname"];

/// The archive with every time at `epoch` (seconds since 1970); `None` where none lies after it already.
///
/// # Errors
/// Where it is no gzipped tar archive.
pub fn clamp(bytes: &[u8], epoch: i64) -> std::io::Result<Option<Vec<u8>>> {
    let epoch = u64::try_from(epoch).unwrap_or(0);
    if !is_later(bytes, epoch)? {
        return Ok(None);
    }
    let mut out = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut archive = Archive::new(GzDecoder::new(bytes).take(UNPACKED));
    let mut builder = Builder::new(&mut out);
    for entry in archive.entries()? {
        write_entry(&mut builder, entry?, epoch)?;
    }
    builder.finish()?;
    drop(builder);
    out.flush()?;
    out.finish().map(Some)
}

/// Whether the archive, or anything in it, is younger than the epoch.
fn is_later(bytes: &[u8], epoch: u64) -> std::io::Result<bool> {
    let decoder = GzDecoder::new(bytes);
    if decoder.header().is_some_and(|header| u64::from(header.mtime()) > epoch) {
        return Ok(true);
    }
    let mut archive = Archive::new(decoder.take(UNPACKED));
    for entry in archive.entries()? {
        if entry?.header().mtime()? > epoch {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write_entry(
    builder: &mut Builder<impl Write>,
    mut entry: Entry<'_, impl Read>,
    epoch: u64,
) -> std::io::Result<()> {
    let kept = kept_records(&mut entry)?;
    builder.append_pax_extensions(kept.iter().map(|(key, value)| (key.as_str(), value.as_slice())))?;
    let mut header: Header = entry.header().clone();
    header.set_mtime(epoch);
    header.set_uid(0);
    header.set_gid(0);
    // Old archives (V7) have no names of owners to take away.
    if let Some(ustar) = header.as_ustar_mut() {
        (ustar.uname, ustar.gname) = ([0; 32], [0; 32]);
    }
    if let Some(gnu) = header.as_gnu_mut() {
        (gnu.uname, gnu.gname) = ([0; 32], [0; 32]);
    }
    // Names of any length: GNU archives carry them in an entry before, PAX ones in a record kept above.
    if kept.iter().all(|(key, _)| key != "path") && entry.path_bytes().len() > 100 {
        let path = entry.path()?.into_owned();
        if header.entry_type() == EntryType::Regular {
            return builder.append_data(&mut header, path, &mut entry);
        }
        header.set_path(&path)?;
    }
    header.set_cksum();
    builder.append(&header, &mut entry)
}

/// An entry's PAX records but those that tell.
fn kept_records(entry: &mut Entry<'_, impl Read>) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut kept = Vec::new();
    let Some(records) = entry.pax_extensions()? else { return Ok(kept) };
    for record in records {
        let record = record?;
        let key = String::from_utf8_lossy(record.key_bytes()).into_owned();
        if !TELLING.contains(&key.as_str()) {
            kept.push((key, record.value_bytes().to_vec()));
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: i64 = 1_700_000_000;

    /// An archive with a long name, PAX records and owners.
    fn archive(time: u64, record: &str, owner: &str) -> Vec<u8> {
        let mut out =
            GzBuilder::new().mtime(u32::try_from(time).unwrap()).write(Vec::new(), Compression::fast());
        let mut builder = Builder::new(&mut out);
        let long = format!("a-1.0/{}/file.py", "deep/".repeat(30));
        for (path, text) in [("a-1.0/PKG-INFO", "Name: a\n"), (long.as_str(), "x = 1\n")] {
            let mut records = vec![("mtime", record.as_bytes()), ("comment", b"kept".as_slice())];
            let mut header = Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(time);
            header.set_username(owner).unwrap();
            match path.len() {
                101.. => records.push(("path", path.as_bytes())),
                _ => header.set_path(path).unwrap(),
            }
            builder.append_pax_extensions(records).unwrap();
            header.set_cksum();
            builder.append(&header, text.as_bytes()).unwrap();
        }
        builder.finish().unwrap();
        drop(builder);
        out.finish().unwrap()
    }

    fn contents(bytes: &[u8]) -> Vec<(String, String)> {
        let mut archive = Archive::new(GzDecoder::new(bytes));
        let read = |entry: std::io::Result<Entry<'_, _>>| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), text)
        };
        archive.entries().unwrap().map(read).collect()
    }

    #[test]
    fn two_moments_and_owners_give_the_same_bytes() {
        let monday = archive(1_800_000_000, "1800000000.25", "ada");
        let tuesday = archive(1_800_086_400, "1800086400.75", "bob");
        let clamped = clamp(&monday, EPOCH).unwrap().unwrap();
        assert_eq!(clamp(&tuesday, EPOCH).unwrap().unwrap(), clamped);
        assert_eq!(contents(&clamped), contents(&monday));
        assert_eq!(clamp(&clamped, EPOCH).unwrap(), None, "nothing is left to clamp");
    }

    #[test]
    fn an_archive_that_minds_the_epoch_is_left_as_it_is() {
        assert_eq!(clamp(&archive(1_700_000_000, "1700000000", "ada"), EPOCH).unwrap(), None);
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        assert!(clamp(b"no archive", EPOCH).is_err());
    }
}
