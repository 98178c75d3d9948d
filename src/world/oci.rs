//! An image on disk as the OCI image layout has it: blobs named by their digests, an index that names the root.
//!
//! What is written here is the same for the same layers and configuration, byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::world::sha256;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// One blob, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    /// `sha256:…`
    pub digest: String,
    /// In bytes.
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    pub architecture: String,
    pub os: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    pub media_type: String,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

/// The images of several platforms under one digest; also the layout's own list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    pub media_type: String,
    pub manifests: Vec<Descriptor>,
}

/// An image that is wholly there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    folder: PathBuf,
    /// What the image is known by: its manifest, or the index of several.
    pub root: Descriptor,
    /// The manifests below an index.
    pub parts: Vec<Descriptor>,
    /// Configurations and layers, each once.
    pub blobs: Vec<Descriptor>,
}

/// Why a layout can not be used.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    #[error("failed to use `{}`", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the image in `{}` is damaged: {reason}", folder.display())]
    Damaged { folder: PathBuf, reason: String },
}

impl Layout {
    /// Reads a layout: manifests are read and checked against their digests, the presence and size of all blobs too.
    ///
    /// # Errors
    /// Where something is missing or another.
    pub fn open(folder: &Path) -> Result<Layout, LayoutError> {
        let list: Index = parsed(folder, &read(&folder.join("index.json"))?)?;
        let [root] = list.manifests.as_slice() else {
            return Err(damaged(folder, "it does not hold one image"));
        };
        let parts = match root.media_type.as_str() {
            INDEX => parsed::<Index>(folder, &verified(folder, root)?)?.manifests,
            _ => Vec::new(),
        };
        let manifests = if parts.is_empty() { std::slice::from_ref(root) } else { &parts };
        let (mut seen, mut blobs) = (BTreeSet::new(), Vec::new());
        for manifest in manifests {
            let manifest: Manifest = parsed(folder, &verified(folder, manifest)?)?;
            for blob in std::iter::once(manifest.config).chain(manifest.layers) {
                if seen.insert(blob.digest.clone()) {
                    blobs.push(blob);
                }
            }
        }
        let layout = Layout { folder: folder.to_owned(), root: root.clone(), parts, blobs };
        layout.require_blobs()?;
        Ok(layout)
    }

    fn require_blobs(&self) -> Result<(), LayoutError> {
        for blob in &self.blobs {
            let path = self.path(blob)?;
            let size = fs::metadata(&path).map_err(|source| LayoutError::File { path, source })?.len();
            if size != blob.size {
                let reason = format!("{} has {size} bytes, not {}", blob.digest, blob.size);
                return Err(damaged(&self.folder, &reason));
            }
        }
        Ok(())
    }

    /// The file of a blob.
    ///
    /// # Errors
    /// Where its digest is none.
    pub fn path(&self, blob: &Descriptor) -> Result<PathBuf, LayoutError> {
        path_of(&self.folder, &blob.digest)
    }

    /// A manifest's bytes, which are those of its digest.
    ///
    /// # Errors
    /// Where they are not.
    pub fn manifest(&self, manifest: &Descriptor) -> Result<Vec<u8>, LayoutError> {
        verified(&self.folder, manifest)
    }
}

/// Puts bytes into a layout under their digest.
///
/// # Errors
/// Where the folder can not be written.
pub fn put(folder: &Path, media_type: &str, bytes: &[u8]) -> Result<Descriptor, LayoutError> {
    let digest = format!("sha256:{}", sha256::of(bytes));
    let path = path_of(folder, &digest)?;
    let written = fs::create_dir_all(path.parent().unwrap_or(folder)).and_then(|()| fs::write(&path, bytes));
    written.map_err(|source| LayoutError::File { path, source })?;
    Ok(Descriptor { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, platform: None })
}

/// Writes the manifest of one image.
///
/// # Errors
/// Where the folder can not be written.
pub fn put_manifest(
    folder: &Path,
    config: Descriptor,
    layers: Vec<Descriptor>,
) -> Result<Descriptor, LayoutError> {
    let manifest = Manifest { schema_version: 2, media_type: MANIFEST.to_owned(), config, layers };
    put(folder, MANIFEST, &text_of(&manifest))
}

/// Names the root of a layout: the only manifest, or an index over several, which is written. The layout is whole then.
///
/// # Errors
/// Where the folder can not be written.
pub fn finish(folder: &Path, mut manifests: Vec<Descriptor>) -> Result<Layout, LayoutError> {
    let list = |manifests| Index { schema_version: 2, media_type: INDEX.to_owned(), manifests };
    let root = match manifests.len() {
        1 => manifests.remove(0),
        _ => put(folder, INDEX, &text_of(&list(manifests)))?,
    };
    let root = Descriptor { platform: None, ..root };
    for (name, bytes) in [
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json", text_of(&list(vec![root]))),
    ] {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|source| LayoutError::File { path, source })?;
    }
    Layout::open(folder)
}

/// Where a layout keeps a blob.
///
/// # Errors
/// Where the digest is none of SHA-256.
pub fn path_of(folder: &Path, digest: &str) -> Result<PathBuf, LayoutError> {
    match digest.strip_prefix("sha256:") {
        Some(hex) if is_hex(hex) => Ok(folder.join("blobs/sha256").join(hex)),
        _ => Err(damaged(folder, "it names a blob by no digest")),
    }
}

/// Whether a text is 64 hexadecimal digits in lower case.
pub fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn verified(folder: &Path, blob: &Descriptor) -> Result<Vec<u8>, LayoutError> {
    let bytes = read(&path_of(folder, &blob.digest)?)?;
    if format!("sha256:{}", sha256::of(&bytes)) != blob.digest {
        return Err(damaged(folder, &format!("{} holds other bytes", blob.digest)));
    }
    Ok(bytes)
}

fn read(path: &Path) -> Result<Vec<u8>, LayoutError> {
    fs::read(path).map_err(|source| LayoutError::File { path: path.to_owned(), source })
}

fn parsed<'t, T: Deserialize<'t>>(folder: &Path, text: &'t [u8]) -> Result<T, LayoutError> {
    serde_json::from_slice(text).map_err(|error| damaged(folder, &error.to_string()))
}

fn text_of(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("names and numbers are JSON")
}

fn damaged(folder: &Path, reason: &str) -> LayoutError {
    LayoutError::Damaged { folder: folder.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(folder: &Path, layer: &[u8]) -> Descriptor {
        let config = put(folder, CONFIG, b"{}").unwrap();
        let layer = put(folder, LAYER, layer).unwrap();
        put_manifest(folder, config, vec![layer]).unwrap()
    }

    #[test]
    fn one_image_is_known_by_its_manifest_and_several_by_their_index() {
        let folder = tempfile::tempdir().unwrap();
        let one = image(folder.path(), b"a");
        let layout = finish(folder.path(), vec![one.clone()]).unwrap();
        assert_eq!((layout.root.digest.as_str(), layout.parts.len()), (one.digest.as_str(), 0));
        assert_eq!(layout.blobs.len(), 2);
        let platform = |architecture: &str| {
            Some(Platform { architecture: architecture.to_owned(), os: "linux".to_owned(), variant: None })
        };
        let amd64 = Descriptor { platform: platform("amd64"), ..one };
        let arm64 = Descriptor { platform: platform("arm64"), ..image(folder.path(), b"b") };
        let layout = finish(folder.path(), vec![amd64.clone(), arm64.clone()]).unwrap();
        assert_eq!(layout.root.media_type, INDEX);
        assert_eq!(layout.parts, [amd64, arm64]);
        assert_eq!(layout.blobs.len(), 3, "the configuration they share counts once");
        assert_eq!(Layout::open(folder.path()).unwrap(), layout);
    }

    #[test]
    fn a_damaged_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = image(folder.path(), b"layer");
        let layout = finish(folder.path(), vec![manifest]).unwrap();
        let layer = layout.path(&layout.blobs[1]).unwrap();
        fs::write(&layer, b"lay").unwrap();
        assert!(Layout::open(folder.path()).unwrap_err().to_string().contains("has 3 bytes, not 5"));
        fs::remove_file(&layer).unwrap();
        assert!(matches!(Layout::open(folder.path()), Err(LayoutError::File { .. })));
        fs::write(layout.path(&layout.root).unwrap(), b"{}").unwrap();
        assert!(Layout::open(folder.path()).unwrap_err().to_string().contains("other bytes"));
        assert!(path_of(folder.path(), "sha256:../../etc").is_err());
    }
}
