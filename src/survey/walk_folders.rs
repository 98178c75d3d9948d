//! The folders of packages and the folders on the way to them, as a tree.

use std::collections::HashMap;

use crate::history::commit::PackageSet;

/// The number of a folder on the way to a package; the root is 0.
pub type FolderId = usize;

pub const ROOT: FolderId = 0;

/// All folders that are a package's or lead to one.
pub struct Folders {
    folders: Vec<Folder>,
}

#[derive(Default)]
struct Folder {
    children: HashMap<Vec<u8>, FolderId>,
    owner: Option<usize>,
    /// The packages whose folders are this one or stand below.
    packages: Vec<usize>,
}

impl Folders {
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Folders {
        let mut folders = Folders { folders: vec![Folder::default()] };
        for (package, path) in paths.into_iter().enumerate() {
            folders.give(path.as_bytes(), package);
        }
        folders
    }

    /// Makes a package the owner of a folder.
    pub fn give(&mut self, path: &[u8], package: usize) {
        let mut folder = ROOT;
        self.folders[folder].packages.push(package);
        for part in path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            folder = match self.folders[folder].children.get(part) {
                Some(child) => *child,
                None => self.add_child(folder, part),
            };
            self.folders[folder].packages.push(package);
        }
        self.folders[folder].owner = Some(package);
    }

    pub fn child(&self, folder: FolderId, name: &[u8]) -> Option<FolderId> {
        self.folders[folder].children.get(name).copied()
    }

    /// The package whose folder it is.
    pub fn owner(&self, folder: FolderId) -> Option<usize> {
        self.folders[folder].owner
    }

    /// Whether the folder of one of these packages is this one or stands below.
    pub fn lead_to(&self, folder: FolderId, packages: &PackageSet) -> bool {
        self.folders[folder].packages.iter().any(|package| packages.contains(*package))
    }

    fn add_child(&mut self, folder: FolderId, name: &[u8]) -> FolderId {
        let child = self.folders.len();
        self.folders.push(Folder::default());
        self.folders[folder].children.insert(name.to_vec(), child);
        child
    }
}
