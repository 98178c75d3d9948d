//! How layers and defaults become the settings of one package.

use super::*;
use crate::workspace::config::ConfigPlace;

fn settings(text: &str, name: &str, folder: &str) -> PackageSettings {
    config(text).package(&PackageName::new(name), &RepoPath::new(folder).unwrap(), false)
}

fn config(text: &str) -> Config {
    Config::read(text, "release.toml", ConfigPlace::File)
        .unwrap_or_else(|problems| panic!("{}", problems.render("release.toml", text, 100, false)))
}

#[test]
fn without_a_file_the_defaults_hold() {
    let several = settings("", "acme-core", "src/core");
    assert_eq!(several.tag, "{name}-v{version}");
    assert_eq!(several.short, "acme-core");
    assert_eq!(several.index, "local");
    assert_eq!(several.versioning, Versioning::default());
    assert_eq!(several.versioning.types["feat"], Size::Minor);
    assert_eq!(several.versioning.types["revert"], Size::Patch);
    assert_eq!(several.versioning.zero, ZeroRule { major: Some(Size::Minor), minor: None });
    assert_eq!(several.notes.changelog.as_deref(), Some("CHANGELOG.md"));
    let titles: Vec<&str> = several.notes.sections.iter().map(|section| section.title.as_str()).collect();
    assert_eq!(
        titles,
        ["Breaking changes", "Features", "Bug fixes", "Performance", "Reverts", "Dependencies"]
    );
    assert!(several.notes.sections[0].breaking && !several.notes.sections[1].breaking);
    let single = Config::default().package(&PackageName::new("acme"), &RepoPath::root(), true);
    assert_eq!(single.tag, "v{version}");
}

#[test]
fn a_package_is_found_by_full_name_short_name_or_folder() {
    let text =
        |key: &str| format!("workspace.strip = \"acme-\"\n[package.\"{key}\"]\ntag = \"own-{{version}}\"\n");
    for key in ["acme-core", "Acme_Core", "core", "src/core", "./src/core/"] {
        assert_eq!(settings(&text(key), "acme.core", "src/core").tag, "own-{version}", "{key}");
    }
    assert_eq!(settings(&text("core-utils"), "acme-core", "src/core").tag, "{name}-v{version}");
    let root = "[package.\".\"]\nowns = \"all\"\n";
    assert!(settings(root, "acme", ".").owns_all);
    assert!(!settings(root, "acme-core", "core").owns_all);
}

#[test]
fn short_names_leave_the_prefix_out() {
    let short = |text: &str, name: &str| settings(text, name, "x").short;
    assert_eq!(short("workspace.strip = \"acme-\"", "acme-core"), "core");
    assert_eq!(short("workspace.strip = \"acme_\"", "acme.core"), "core");
    assert_eq!(short("workspace.strip = \"acme\"", "acme-core"), "core");
    assert_eq!(short("workspace.strip = \"acme-\"", "other"), "other");
    assert_eq!(short("workspace.strip = \"acme\"", "acme"), "acme");
    assert_eq!(short("[package.acme-core]\nname = \"kernel\"", "acme-core"), "kernel");
}

#[test]
fn types_are_merged_and_the_rest_is_replaced() {
    let text = "[versioning]\ntypes = { docs = \"patch\", perf = \"none\" }\nignore = [\"a/**\"]\nfloor = \"always\"\n\
                [package.core]\ntypes = { Feat = \"patch\" }\n[package.core.versioning]\nignore = []\nzero = {}\n\
                [package.mlops.versioning]\ntypes = { docs = \"none\" }\nrelease-as = \"3.0.0\"\nzero = \"cargo\"\n";
    let core = settings(text, "core", "core").versioning;
    let sizes: Vec<(&str, Size)> = core.types.iter().map(|(kind, size)| (kind.as_str(), *size)).collect();
    assert_eq!(
        sizes,
        [
            ("docs", Size::Patch),
            ("feat", Size::Patch),
            ("fix", Size::Patch),
            ("perf", Size::None),
            ("revert", Size::Patch)
        ]
    );
    assert_eq!(core.ignore, [""; 0]);
    assert_eq!(core.floor, FloorRule::Always);
    assert_eq!(core.zero, ZeroRule::default());
    let mlops = settings(text, "mlops", "mlops").versioning;
    assert_eq!(mlops.types["docs"], Size::None);
    assert_eq!(mlops.ignore, ["a/**"]);
    assert_eq!(mlops.release_as, ReleaseAs::Version("3.0.0".to_owned()));
    assert_eq!(mlops.zero, ZeroRule { major: Some(Size::Minor), minor: Some(Size::Patch) });
}

#[test]
fn notes_are_replaced_key_by_key() {
    let text = "[notes]\nchangelog = false\ntemplate = \"a.j2\"\n[package.core.notes]\nchangelog = \"NEWS.md\"\n\
                sections = [{ title = \"All\", types = [\"Feat\", \"fix\"] }]\n";
    let core = settings(text, "core", "core").notes;
    assert_eq!(core.changelog.as_deref(), Some("NEWS.md"));
    assert_eq!(core.template.as_deref(), Some("a.j2"));
    assert_eq!(
        core.sections,
        [Section {
            title: "All".to_owned(),
            breaking: false,
            types: vec!["feat".to_owned(), "fix".to_owned()]
        }]
    );
    assert_eq!(settings(text, "other", "other").notes.changelog, None);
}

#[test]
fn aliases_of_the_package_come_before_those_of_the_workspace() {
    let text =
        "workspace.aliases = [\"{name}@{version}\"]\n[package.core]\ntag-aliases = [\"core{version}\"]\n";
    assert_eq!(settings(text, "core", "core").tag_aliases, ["core{version}", "{name}@{version}"]);
    assert_eq!(settings(text, "other", "other").tag_aliases, ["{name}@{version}"]);
}

#[test]
fn an_image_stands_in_its_registry_under_the_short_name() {
    let text = "workspace.strip = \"acme-\"\n[registry.main]\nrepository = \"ghcr.io/acme/\"\n[package.core]\nimage.registry = \"main\"\n";
    assert_eq!(
        settings(text, "acme-core", "core").image,
        Some(Image {
            context: String::new(),
            dockerfile: "Dockerfile".to_owned(),
            repository: "ghcr.io/acme/core".to_owned(),
            platforms: vec!["linux/amd64".to_owned()],
            args: BTreeMap::new(),
            tags: vec!["{version}".to_owned(), "latest".to_owned()],
        })
    );
    assert_eq!(settings(text, "acme-mlops", "mlops").image, None);
}

#[test]
fn the_context_of_an_image_is_a_folder_of_the_package_with_the_dockerfile_in_it() {
    let check = |image: &str, context: &str, dockerfile: &str| {
        let text = format!("[package.core.image]\nrepository = \"r/core\"\n{image}");
        let image = settings(&text, "core", "core").image.unwrap();
        assert_eq!((image.context.as_str(), image.dockerfile.as_str()), (context, dockerfile));
    };
    check("", "", "Dockerfile");
    check("context = \"docker\"", "docker", "Dockerfile");
    check("context = \"docker\"\ndockerfile = \"docker/prod/Dockerfile\"", "docker", "prod/Dockerfile");
}
