//! Small wheels and source distributions for tests.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::check::record::Hasher;

/// What a sample says of itself.
#[derive(Clone)]
pub struct Sample {
    pub name: &'static str,
    pub version: &'static str,
    /// Further metadata lines.
    pub fields: &'static str,
    /// Further files of the wheel: path and text.
    pub files: Vec<(&'static str, &'static str)>,
}

impl Sample {
    pub fn new(name: &'static str, version: &'static str) -> Sample {
        Sample { name, version, fields: "", files: vec![("acme/__init__.py", "")] }
    }

    pub fn fields(mut self, fields: &'static str) -> Sample {
        self.fields = fields;
        self
    }

    pub fn file(mut self, path: &'static str, text: &'static str) -> Sample {
        self.files.push((path, text));
        self
    }

    pub fn wheel_name(&self) -> String {
        format!("{}-py3-none-any.whl", self.stem())
    }

    pub fn sdist_name(&self) -> String {
        format!("{}.tar.gz", self.stem())
    }

    pub fn wheel(&self) -> Vec<u8> {
        zip(&self.wheel_files())
    }

    /// The wheel's files, RECORD last.
    pub fn wheel_files(&self) -> Vec<(String, Vec<u8>)> {
        let info = format!("{}.dist-info", self.stem());
        let mut files: Vec<(String, Vec<u8>)> =
            self.files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        files.push((format!("{info}/METADATA"), self.metadata().into_bytes()));
        let wheel = "Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        files.push((format!("{info}/WHEEL"), wheel.as_bytes().to_vec()));
        let mut record: String = files.iter().map(|(path, bytes)| record_line(path, bytes)).collect();
        record.push_str(&format!("{info}/RECORD,,\n"));
        files.push((format!("{info}/RECORD"), record.into_bytes()));
        files
    }

    pub fn sdist(&self) -> Vec<u8> {
        tar_gz(&self.sdist_files())
    }

    pub fn sdist_files(&self) -> Vec<(String, Vec<u8>)> {
        let stem = self.stem();
        vec![
            (format!("{stem}/PKG-INFO"), self.metadata().into_bytes()),
            (format!("{stem}/pyproject.toml"), b"[project]\n".to_vec()),
        ]
    }

    pub fn metadata(&self) -> String {
        format!(
            "Metadata-Version: 2.4\nName: {}\nVersion: {}\n{}\n\nText.\n",
            self.name, self.version, self.fields
        )
    }

    fn stem(&self) -> String {
        format!("{}-{}", self.name.replace('-', "_"), self.version)
    }
}

pub fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, bytes) in files {
        writer.start_file(path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn tar_gz(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Written straight into the field: the builder would refuse the paths that tests need.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn record_line(path: &str, bytes: &[u8]) -> String {
    let mut hasher = Hasher::of("sha256=").unwrap();
    hasher.update(bytes);
    format!("{path},{},{}\n", hasher.finish(), bytes.len())
}
