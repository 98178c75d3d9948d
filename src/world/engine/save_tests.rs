//! Both forms of `docker save`, whole and broken.

use super::*;
use crate::world::oci::{Layout, finish};
use crate::world::sha256;

/// An archive of files and links.
fn archive(files: &[(&str, Vec<u8>)], links: &[(&str, &str)]) -> File {
    let mut builder = tar::Builder::new(tempfile::tempfile().unwrap());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    for (name, to) in links {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, name, to).unwrap();
    }
    builder.into_inner().unwrap()
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diffs: Vec<String> = layers.iter().map(|layer| format!("sha256:{}", sha256::of(layer))).collect();
    serde_json::json!({"architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diffs}})
        .to_string()
        .into_bytes()
}

fn manifest(config: &str, layers: &[&str]) -> Vec<u8> {
    serde_json::json!([{"Config": config, "RepoTags": null, "Layers": layers}]).to_string().into_bytes()
}

fn unpacked(archive: &File) -> Result<(Descriptor, Layout), EngineError> {
    let folder = tempfile::tempdir().unwrap();
    let manifest = unpack(archive, folder.path())?;
    let layout = finish(folder.path(), vec![manifest.clone()]).unwrap();
    Ok((manifest, layout))
}

#[test]
fn both_forms_give_the_same_image() {
    let (one, two) = (b"first layer".to_vec(), b"second layer".to_vec());
    let config = config(&[&one, &two, &one]);
    let old = archive(
        &[
            ("c.json", config.clone()),
            ("1/layer.tar", one.clone()),
            ("2/layer.tar", two.clone()),
            ("manifest.json", manifest("c.json", &["1/layer.tar", "2/layer.tar", "3/layer.tar"])),
        ],
        &[("3/layer.tar", "../1/layer.tar")],
    );
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", sha256::of(bytes));
    let (config_at, first, second) = (blob(&config), blob(&one), blob(&two));
    let new = archive(
        &[
            (&config_at, config.clone()),
            (&first, one.clone()),
            (&second, two.clone()),
            ("index.json", b"{}".to_vec()),
            ("manifest.json", manifest(&config_at, &[&first, &second, &first])),
        ],
        &[],
    );
    let (from_old, layout) = unpacked(&old).unwrap();
    assert_eq!(from_old, unpacked(&new).unwrap().0);
    assert_eq!(layout.blobs.len(), 3, "a layer that comes twice is one blob");
}

#[test]
fn a_layer_that_comes_packed_stays_as_it_is() {
    let plain = b"a layer".to_vec();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&plain).unwrap();
    let bytes = gzip.finish().unwrap();
    let files = [("c", config(&[&plain])), ("l", bytes.clone()), ("manifest.json", manifest("c", &["l"]))];
    let (_, layout) = unpacked(&archive(&files, &[])).unwrap();
    assert_eq!(layout.blobs[1].digest, format!("sha256:{}", sha256::of(&bytes)));
}

#[test]
fn what_is_not_whole_or_not_true_is_refused() {
    let check = |files: &[(&str, Vec<u8>)], words: &str| {
        let error = unpacked(&archive(files, &[])).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let good = config(&[b"a"]);
    let named = || ("manifest.json", manifest("c", &["l"]));
    check(&[("c", good.clone()), ("l", b"b".to_vec()), named()], "and should be");
    check(&[("c", good.clone()), named()], "not whole");
    check(&[("c", config(&[])), ("l", b"a".to_vec()), named()], "other layers");
    check(&[("c", b"{".to_vec()), ("l", b"a".to_vec()), named()], "does not read");
    check(&[("c", good), ("l", b"a".to_vec())], "not whole");
}
