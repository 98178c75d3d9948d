//! Tiny wheels and source distributions, made in memory.

use std::io::{Cursor, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A distribution to be made; `module` changes its bytes, not its name.
#[derive(Debug, Clone)]
pub struct Distribution {
    pub name: String,
    pub version: String,
    pub module: String,
    /// Further lines of metadata.
    pub fields: String,
}

impl Distribution {
    pub fn new(name: &str, version: &str) -> Distribution {
        let (name, version) = (name.to_owned(), version.to_owned());
        Distribution { name, version, module: String::new(), fields: String::new() }
    }

    pub fn module(mut self, text: &str) -> Distribution {
        self.module = text.to_owned();
        self
    }

    pub fn fields(mut self, lines: &str) -> Distribution {
        self.fields = lines.to_owned();
        self
    }

    pub fn wheel(&self) -> (String, Vec<u8>) {
        let stem = self.stem();
        let info = format!("{stem}.dist-info");
        let wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let mut files = vec![
            (format!("{}/__init__.py", self.name.replace('-', "_")), self.module.clone()),
            (format!("{info}/METADATA"), self.metadata()),
            (format!("{info}/WHEEL"), wheel.to_owned()),
        ];
        let mut record: String = files.iter().map(|(path, text)| record_line(path, text)).collect();
        record.push_str(&format!("{info}/RECORD,,\n"));
        files.push((format!("{info}/RECORD"), record));
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, text) in &files {
            writer.start_file(path, SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        (format!("{stem}-py3-none-any.whl"), writer.finish().unwrap().into_inner())
    }

    pub fn sdist(&self) -> (String, Vec<u8>) {
        let stem = self.stem();
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), Default::default()));
        for (path, text) in [
            ("PKG-INFO", self.metadata()),
            ("pyproject.toml", "[project]\n".to_owned()),
            ("module.py", self.module.clone()),
        ] {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, format!("{stem}/{path}"), text.as_bytes()).unwrap();
        }
        (format!("{stem}.tar.gz"), builder.into_inner().unwrap().finish().unwrap())
    }

    fn metadata(&self) -> String {
        let Distribution { name, version, fields, .. } = self;
        format!(
            "Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: a tiny package\n\
             Requires-Python: >=3.9\nDescription-Content-Type: text/markdown\n{fields}\n# Tiny\n\nNothing to see.\n"
        )
    }

    fn stem(&self) -> String {
        format!("{}-{}", self.name.replace('-', "_"), self.version)
    }
}

fn record_line(path: &str, text: &str) -> String {
    let sum = URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()));
    format!("{path},sha256={sum},{}\n", text.len())
}
