//! The keys of `[versioning]`, for the workspace and for one package.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::workspace::config::settings::{
    Dependents, EmptyCommits, EntriesRule, FloorRule, ReleaseAs, Size, ZeroRule,
};
use crate::workspace::config::text;

/// How commits become versions. Each key also stands per package: `[package.NAME.versioning]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct VersioningTable {
    /// The size of each type of commit: none, patch, minor or major. Breaking is always major. What is not named
    /// keeps its default: feat = minor; fix, perf, revert = patch.
    pub types: Option<BTreeMap<String, Size>>,
    /// The size of any other commit of the package: none (default) or patch.
    pub other: Option<OtherSize>,
    /// What a size becomes on 0.y.z: a table, or a word for one: "minor" is { major = "minor" } (default), "cargo" is
    /// { major = "minor", minor = "patch" }, "major" is {}.
    pub zero: Option<Zero>,
    /// How many entries a message holds: auto (default), subject, paragraphs, bullets or lines.
    pub entries: Option<EntriesRule>,
    /// What commits without files count for: named (default), all or none.
    pub empty_commits: Option<EmptyCommits>,
    /// Whether a `Release-As:` footer sets the version (default: true); a version here sets it for the package.
    pub release_as: Option<ReleaseAs>,
    /// Who is released with a dependency: never, out-of-range (default) or always.
    pub dependents: Option<Dependents>,
    /// When `>=` floors of internal dependencies rise: never, minor (default) or always.
    pub floor: Option<FloorRule>,
    /// Paths in the package whose changes release nothing, as patterns: ["tests/**"].
    #[schemars(with = "Option<Vec<text::Glob>>")]
    pub ignore: Option<Vec<String>>,
    /// Whether a step to X.0.0 needs no `--allow-major`.
    pub allow_major: Option<bool>,
}

/// The size of a commit whose type is not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OtherSize {
    /// Releases nothing.
    None,
    /// Releases a patch.
    Patch,
}

impl OtherSize {
    pub fn size(self) -> Size {
        match self {
            OtherSize::None => Size::None,
            OtherSize::Patch => Size::Patch,
        }
    }
}

/// What a size becomes on 0.y.z, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    Word(ZeroWord),
    Table(ZeroTable),
}

impl Zero {
    pub fn rule(self) -> ZeroRule {
        match self {
            Zero::Word(ZeroWord::Major) => ZeroRule::default(),
            Zero::Word(ZeroWord::Minor) => ZeroRule { major: Some(Size::Minor), minor: None },
            Zero::Word(ZeroWord::Cargo) => ZeroRule { major: Some(Size::Minor), minor: Some(Size::Patch) },
            Zero::Table(table) => ZeroRule { major: table.major, minor: table.minor },
        }
    }
}

/// A word for a rule of 0.y.z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroWord {
    /// Breaking changes are major also on 0.y.z.
    Major,
    /// Breaking changes are minor on 0.y.z.
    Minor,
    /// As cargo counts: breaking changes are minor, features are patches.
    Cargo,
}

/// What each size becomes on 0.y.z; what is not named stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ZeroTable {
    /// What a breaking change becomes.
    pub major: Option<Size>,
    /// What a feature becomes.
    pub minor: Option<Size>,
}

impl<'de> Deserialize<'de> for Zero {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Zero, D::Error> {
        deserializer.deserialize_any(ZeroVisitor)
    }
}

struct ZeroVisitor;

impl<'de> Visitor<'de> for ZeroVisitor {
    type Value = Zero;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of sizes, or `major`, `minor`, `cargo`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Zero, E> {
        ZeroWord::deserialize(serde::de::value::StrDeserializer::new(text)).map(Zero::Word)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Zero, A::Error> {
        ZeroTable::deserialize(MapAccessDeserializer::new(map)).map(Zero::Table)
    }
}

impl JsonSchema for Zero {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Zero".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<ZeroWord>();
        let table = generator.subschema_for::<ZeroTable>();
        json_schema!({ "anyOf": [word, table] })
    }
}

impl<'de> Deserialize<'de> for ReleaseAs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ReleaseAs, D::Error> {
        deserializer.deserialize_any(ReleaseAsVisitor)
    }
}

struct ReleaseAsVisitor;

impl Visitor<'_> for ReleaseAsVisitor {
    type Value = ReleaseAs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false or a version")
    }

    fn visit_bool<E: Error>(self, followed: bool) -> Result<ReleaseAs, E> {
        Ok(ReleaseAs::Footers(followed))
    }

    fn visit_str<E: Error>(self, version: &str) -> Result<ReleaseAs, E> {
        Ok(ReleaseAs::Version(version.to_owned()))
    }
}

impl JsonSchema for ReleaseAs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ReleaseAs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let version = generator.subschema_for::<text::VersionText>();
        json_schema!({ "anyOf": [{ "type": "boolean" }, version] })
    }
}
