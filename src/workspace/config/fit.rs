//! Whether a configuration fits the packages that were found.

use std::collections::BTreeMap;

use crate::workspace::config::Config;
use crate::workspace::config::github::Latest;
use crate::workspace::config::nearest::nearest;
use crate::workspace::config::problem::Problem;
use crate::workspace::config::settings::ReleaseAs;
use crate::workspace::config::spanned::Place;
use crate::workspace::config::walk::key_as_written;
use crate::workspace::name::{PackageName, normalize};
use crate::workspace::path::RepoPath;

/// A package as the configuration knows it: full name, short name, folder.
pub type Known = (PackageName, String, RepoPath);

impl Config {
    /// Everything in which the configuration and the packages do not fit together.
    pub fn misfits(&self, packages: &[Known]) -> Vec<Problem> {
        let mut problems = self.unused_packages(packages);
        problems.extend(self.equal_short_names(packages));
        problems.extend(self.unknown_sharers(packages));
        problems.extend(self.tags_without_names(packages));
        problems.extend(self.one_version_for_all(packages));
        problems.extend(self.unknown_latest(packages));
        problems
    }

    /// `[package.NAME]` tables that match no package.
    pub fn unused_packages(&self, packages: &[Known]) -> Vec<Problem> {
        let used: Vec<&str> = packages
            .iter()
            .filter_map(|(name, _, folder)| self.package_table(name, folder).map(|(key, _)| key))
            .collect();
        let names = || packages.iter().flat_map(|(name, short, _)| [name.as_str(), short.as_str()]);
        self.tables
            .package
            .keys()
            .filter(|key| !used.contains(&key.as_str()))
            .map(|key| {
                let place = self.document.place_of(&["package", key]);
                let same = packages
                    .iter()
                    .find(|(name, short, folder)| is_called(key, name, short, folder))
                    .and_then(|(name, _, folder)| self.package_table(name, folder));
                let written = key_as_written(key);
                match same {
                    Some((other, _)) => {
                        let other = key_as_written(other);
                        Problem::new(
                            place,
                            format!("`[package.{written}]` and `[package.{other}]` are the same package"),
                        )
                        .with_help("join the two tables")
                    }
                    None => Problem::new(place, format!("`[package.{written}]` matches no package"))
                        .with_help(self.proposal(key, names())),
                }
            })
            .collect()
    }

    fn proposal<'n>(&self, key: &str, names: impl Iterator<Item = &'n str> + Clone) -> String {
        if let Some(near) = nearest(key, names.clone()) {
            return format!("did you mean `{near}`?");
        }
        let mut known: Vec<&str> = names.collect();
        known.sort_unstable();
        known.dedup();
        if known.is_empty() {
            return "no package was found; see `packages` in `[workspace]`".to_owned();
        }
        format!(
            "the packages are {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )
    }

    /// Packages that would share a name in tags, commands and reports.
    fn equal_short_names(&self, packages: &[Known]) -> Vec<Problem> {
        let mut seen: BTreeMap<String, &PackageName> = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, short, folder) in packages {
            let Some(other) = seen.insert(normalize(short), name) else { continue };
            let own = self.package_table(name, folder).map(|(key, _)| key);
            let place = own
                .and_then(|key| self.document.place_of(&["package", key, "name"]))
                .or_else(|| self.document.place_of(&["workspace", "strip"]));
            problems.push(
                Problem::new(place, format!("`{other}` and `{name}` have the same short name `{short}`"))
                    .with_help(format!(
                        "give one of them another: `[package.{}]` with `name = \"…\"`",
                        name.as_str()
                    )),
            );
        }
        problems
    }

    fn unknown_sharers(&self, packages: &[Known]) -> Vec<Problem> {
        let shared = self.document.at(&["workspace", "shared"]);
        let mut problems = Vec::new();
        for entry in shared.map(|table| table.entries()).unwrap_or_default() {
            for item in entry.node.items() {
                let Some(wanted) = item.as_text() else { continue };
                if packages.iter().any(|(name, short, folder)| is_called(wanted, name, short, folder)) {
                    continue;
                }
                let names = packages.iter().map(|(_, short, _)| short.as_str());
                problems.push(
                    Problem::new(item.place.clone(), format!("no package is called `{wanted}`"))
                        .with_help(self.proposal(wanted, names)),
                );
            }
        }
        problems
    }

    /// `github.latest` that names no package.
    fn unknown_latest(&self, packages: &[Known]) -> Option<Problem> {
        let Some(Latest::Package(wanted)) = &self.github()?.latest else { return None };
        self.latest_of(packages).is_none().then(|| {
            let names = packages.iter().map(|(_, short, _)| short.as_str());
            let place = self.document.place_of(&["github", "latest"]);
            Problem::new(place, format!("no package is called `{wanted}`"))
                .with_help(self.proposal(wanted, names))
        })
    }

    /// The package whose releases are GitHub's "latest": the one that is named, else the only one.
    pub fn latest_of(&self, packages: &[Known]) -> Option<usize> {
        match &self.github()?.latest {
            Some(Latest::None) => None,
            Some(Latest::Package(wanted)) => {
                packages.iter().position(|(name, short, folder)| is_called(wanted, name, short, folder))
            }
            None => (packages.len() == 1).then_some(0),
        }
    }

    /// Formats without `{name}` that several packages would share.
    fn tags_without_names(&self, packages: &[Known]) -> Vec<Problem> {
        let mut users: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, short, folder) in packages {
            let is_single = packages.len() == 1 && folder.is_root();
            let own = self.package_table(name, folder).map(|(_, table)| table);
            let tag = self.tag_of(own, is_single).to_owned();
            users.entry(tag).or_default().push(short);
        }
        users
            .into_iter()
            .filter(|(tag, users)| !tag.contains("{name}") && users.len() > 1)
            .map(|(tag, users)| {
                let place = self.document.place_of(&["workspace", "tag"]).or_else(|| self.place_of_tag(&tag));
                Problem::new(place, format!("tags `{tag}` would be shared by {}", users.join(", ")))
                    .with_help("put `{name}` into the format, for example `{name}-v{version}`")
            })
            .collect()
    }

    /// Where a package's own table sets this format.
    fn place_of_tag(&self, tag: &str) -> Place {
        let (key, _) = self.tables.package.iter().find(|(_, table)| table.tag.as_deref() == Some(tag))?;
        self.document.place_of(&["package", key, "tag"])
    }

    /// A version in the workspace's `release-as` would be given to every package.
    fn one_version_for_all(&self, packages: &[Known]) -> Option<Problem> {
        let Some(ReleaseAs::Version(version)) = &self.tables.versioning.release_as else { return None };
        (packages.len() > 1).then(|| {
            let place = self.document.place_of(&["versioning", "release-as"]);
            Problem::new(
                place,
                format!("`release-as` would set {version} for all {} packages", packages.len()),
            )
            .with_help("put it into `[package.NAME.versioning]` of the package that is meant")
        })
    }
}

/// Whether a word of the configuration names the package.
fn is_called(word: &str, name: &PackageName, short: &str, folder: &RepoPath) -> bool {
    let normal = normalize(word);
    normal == name.as_str() || normal == normalize(short) || RepoPath::new(word).as_ref() == Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::config::ConfigPlace;

    /// Packages as `name folder`, short names as the configuration says.
    fn check(text: &str, packages: &[(&str, &str)], expected: &[&str]) {
        let config = Config::read(text, "release.toml", ConfigPlace::File).unwrap();
        let known: Vec<Known> = packages
            .iter()
            .map(|(name, folder)| {
                let (name, folder) = (PackageName::new(name), RepoPath::new(folder).unwrap());
                let short = config.short_name(&name, &folder);
                (name, short, folder)
            })
            .collect();
        let told: Vec<String> = config
            .misfits(&known)
            .into_iter()
            .map(|problem| format!("{} – {}", problem.message, problem.help.unwrap_or_default()))
            .collect();
        assert_eq!(told, expected, "{text}");
    }

    const TWO: [(&str, &str); 2] = [("acme-core", "src/core"), ("acme-mlops", "src/mlops")];

    #[test]
    fn a_table_that_matches_no_package_is_told_with_the_nearest_name() {
        check("", &TWO, &[]);
        check("[package.acme_core]\n[package.\"src/mlops\"]\n", &TWO, &[]);
        check(
            "[package.acme-cor]\n",
            &TWO,
            &["`[package.acme-cor]` matches no package – did you mean `acme-core`?"],
        );
        check(
            "[package.\"zebra x\"]\n",
            &TWO,
            &["`[package.\"zebra x\"]` matches no package – the packages are `acme-core`, `acme-mlops`"],
        );
        check(
            "[package.acme-core]\n[package.\"src/core\"]\n",
            &TWO,
            &[
                "`[package.\"src/core\"]` and `[package.acme-core]` are the same package – join the two tables",
            ],
        );
        check(
            "[package.x]\n",
            &[],
            &["`[package.x]` matches no package – no package was found; see `packages` in `[workspace]`"],
        );
    }

    #[test]
    fn two_packages_with_one_short_name_are_a_problem() {
        check(
            "[package.acme-core]\nname = \"acme_mlops\"\n",
            &TWO,
            &[
                "`acme-core` and `acme-mlops` have the same short name `acme-mlops` – give one of them another: \
               `[package.acme-mlops]` with `name = \"…\"`",
            ],
        );
    }

    #[test]
    fn a_format_without_names_serves_one_package() {
        let shared = "tags `v{version}` would be shared by acme-core, acme-mlops – put `{name}` into the format, for \
                      example `{name}-v{version}`";
        check("workspace.tag = \"v{version}\"\n", &TWO, &[shared]);
        check("workspace.tag = \"v{version}\"\n", &TWO[..1], &[]);
        check("workspace.tag = \"v{version}\"\n[package.acme-core]\ntag = \"core-{version}\"\n", &TWO, &[]);
    }

    #[test]
    fn shared_files_belong_to_packages_that_exist() {
        check("workspace.shared = { \"a/**\" = [\"acme-core\", \"src/mlops\"] }\n", &TWO, &[]);
        check(
            "workspace.shared = { \"a/**\" = [\"acme-mlop\"] }\n",
            &TWO,
            &["no package is called `acme-mlop` – did you mean `acme-mlops`?"],
        );
    }

    #[test]
    fn githubs_latest_is_a_package_that_exists_or_the_only_one() {
        let latest = |text: &str, count: usize| {
            let config = Config::read(text, "release.toml", ConfigPlace::File).unwrap();
            let known = TWO[..count].iter().map(|(name, folder)| {
                let (name, folder) = (PackageName::new(name), RepoPath::new(folder).unwrap());
                (name.clone(), config.short_name(&name, &folder), folder)
            });
            config.latest_of(&known.collect::<Vec<_>>())
        };
        assert_eq!(latest("[github]", 1), Some(0));
        assert_eq!(latest("[github]", 2), None);
        assert_eq!(latest("[github]\nlatest = \"src/mlops\"", 2), Some(1));
        assert_eq!(latest("[github]\nlatest = false", 1), None);
        assert_eq!(latest("", 1), None);
        check(
            "[github]\nlatest = \"acme-cor\"",
            &TWO,
            &["no package is called `acme-cor` – did you mean `acme-core`?"],
        );
    }

    #[test]
    fn one_version_is_not_set_for_all() {
        check("versioning.release-as = \"2.0.0\"\n", &TWO[..1], &[]);
        check(
            "versioning.release-as = \"2.0.0\"\n",
            &TWO,
            &[
                "`release-as` would set 2.0.0 for all 2 packages – put it into `[package.NAME.versioning]` of the \
               package that is meant",
            ],
        );
    }
}
