//! What stands in a release's folder: which release it is, who brought it, what is installed there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::apply::supply::Wanted;
use crate::apply::target::Mark;
use crate::plan::deployment::Placed;

/// The format number that is written and read.
const FORMAT: u32 = 1;

/// The record, written when all else is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    pub package: String,
    pub distribution: String,
    pub version: String,
    pub digest: String,
    pub deployment: String,
    pub epoch: u64,
    /// The repository's own packages in it.
    pub installed: Installed,
}

/// Distributions by name.
pub type Installed = BTreeMap<String, Found>;

/// One installed distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub version: String,
    /// SHA-256 of its RECORD, which holds the sums of its files.
    pub record: String,
    /// Files that are not as RECORD says; the first few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<String>,
}

impl Record {
    pub fn new(wanted: &Placed, files: &Wanted, mark: &Mark, installed: Installed) -> Record {
        Record {
            format: FORMAT,
            package: wanted.package.clone(),
            distribution: files.package.to_string(),
            version: wanted.version.clone(),
            digest: wanted.digest().to_string(),
            deployment: mark.deployment.to_string(),
            epoch: mark.epoch,
            installed,
        }
    }

    /// Reads what was written; none where it is another format or no record at all.
    pub fn parse(bytes: &[u8]) -> Option<Record> {
        serde_json::from_slice::<Record>(bytes).ok().filter(|record| record.format == FORMAT)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    pub fn is_of(&self, wanted: &Placed) -> bool {
        self.digest == wanted.digest().as_str() && self.version == wanted.version
    }

    /// The same release, brought by this deployment.
    pub fn marked(mut self, mark: &Mark) -> Record {
        self.deployment = mark.deployment.to_string();
        self.epoch = mark.epoch;
        self
    }

    /// The names of the distributions that it holds.
    pub fn names(&self) -> Vec<String> {
        self.installed.keys().cloned().collect()
    }
}
