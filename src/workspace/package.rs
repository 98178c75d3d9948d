//! One package of the workspace.

use crate::version::number::Version;
use crate::workspace::manifest::Manifest;
use crate::workspace::name::PackageName;
use crate::workspace::path::RepoPath;
use crate::workspace::source::VersionSource;
use crate::workspace::tag::TagFormat;

/// A package: what its manifest says, where it stands, where its version stands, how its tags look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: PackageName,
    /// The distribution's name, as the manifest writes it.
    pub distribution: String,
    /// The name in tags, commands and reports.
    pub short: String,
    /// Its folder.
    pub path: RepoPath,
    pub manifest: Manifest,
    pub source: VersionSource,
    /// The version declared where `source` says; none where only tags hold it.
    pub version: Option<Version>,
    pub tag: TagFormat,
    /// Older formats that are read and not written.
    pub aliases: Vec<TagFormat>,
}

impl Package {
    /// The version text of a tag of this package, in its format or an older one.
    pub fn version_in<'t>(&self, tag: &'t str) -> Option<&'t str> {
        let names = [self.short.as_str(), self.name.as_str()];
        [&self.tag].into_iter().chain(&self.aliases).find_map(|format| format.matches(tag, &names))
    }

    /// The tag that names a version of it.
    pub fn tag_for(&self, version: &Version) -> String {
        self.tag.render(&self.short, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_knows_its_tags_under_every_format() {
        let text = "[project]\nname = \"Acme_Core\"\nversion = \"1.0\"\n";
        let manifest = Manifest::read(text, "core/pyproject.toml").unwrap();
        let format = |text: &str| TagFormat::parse(text).unwrap();
        let core = Package {
            name: PackageName::new(&manifest.name),
            distribution: manifest.name.clone(),
            short: "core".to_owned(),
            path: RepoPath::new("core").unwrap(),
            source: VersionSource::Static { in_project: true, in_poetry: false },
            version: Version::parse("1.0").ok(),
            tag: format("{name}-v{version}"),
            aliases: vec![format("{name}/{version}")],
            manifest,
        };
        assert_eq!(core.version_in("core-v1.0"), Some("1.0"));
        assert_eq!(core.version_in("acme.core/0.9"), Some("0.9"));
        assert_eq!(core.version_in("core-utils-v1.0"), None);
        assert_eq!(core.tag_for(&Version::parse("1.1").unwrap()), "core-v1.1");
    }
}
