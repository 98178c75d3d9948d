use pep508_rs::MarkerEnvironmentBuilder;

use crate::check::samples::Sample;

use super::*;

fn environment() -> MarkerEnvironment {
    MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.7",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "6.1",
        platform_system: "Linux",
        platform_version: "1",
        python_full_version: "3.11.7",
        python_version: "3.11",
        sys_platform: "linux",
    }
    .try_into()
    .unwrap()
}

/// Publishes samples and asks for the set of `acme-app` 1.0; what is internal is at the version given.
fn set(samples: &[Sample], internal: &[(&str, &str)]) -> Result<(Vec<String>, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    for sample in samples {
        let (name, bytes) = (PackageName::new(sample.name), sample.wheel());
        index::publish(folder.path(), &name, &sample.wheel_name(), &bytes, &Digest::of(&bytes)).unwrap();
    }
    let internal: BTreeMap<PackageName, Version> = internal
        .iter()
        .map(|(name, version)| (PackageName::new(name), Version::parse(version).unwrap()))
        .collect();
    let version = Version::parse("1.0").unwrap();
    let set = install_set(folder.path(), &PackageName::new("acme-app"), &version, &internal, &environment());
    let set =
        set.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "INDEX"))?;
    Ok((set.pins.iter().map(|pin| format!("{}=={}", pin.name, pin.version)).collect(), set.external))
}

fn app(fields: &'static str) -> Sample {
    Sample::new("acme-app", "1.0").fields(fields)
}

#[test]
fn internal_packages_are_pinned_through_and_others_are_collected() {
    let samples = [
        app("Requires-Dist: Acme_Core>=1\nRequires-Dist: requests>=2"),
        Sample::new("acme-core", "1.5").fields("Requires-Dist: acme-base\nRequires-Dist: attrs"),
        Sample::new("acme-base", "0.1").fields("Requires-Dist: acme-core"),
    ];
    let (pins, external) = set(&samples, &[("acme-core", "1.5"), ("acme-base", "0.1")]).unwrap();
    assert_eq!(pins, ["acme-app==1.0", "acme-base==0.1", "acme-core==1.5"]);
    assert_eq!(external, ["attrs", "requests>=2"]);
}

#[test]
fn markers_decide_and_extras_open_what_they_name() {
    let samples = [
        app(
            "Requires-Dist: acme-core[cli]\nRequires-Dist: colorama; sys_platform == 'win32'\nRequires-Dist: \
             tomli; python_version < '3.12'\nRequires-Dist: pytest; extra == 'dev'",
        ),
        Sample::new("acme-core", "1.5")
            .fields("Requires-Dist: click; extra == 'cli'\nRequires-Dist: x; extra == 'y'"),
    ];
    let (_, external) = set(&samples, &[("acme-core", "1.5")]).unwrap();
    assert_eq!(external, ["click", "tomli"]);
}

#[test]
fn an_extra_asked_for_later_still_counts() {
    let samples = [
        app("Requires-Dist: acme-core\nRequires-Dist: acme-tool"),
        Sample::new("acme-core", "1.5")
            .fields("Requires-Dist: click; extra == 'cli'\nRequires-Dist: acme-core[cli]; extra == 'all'"),
        Sample::new("acme-tool", "2.0").fields("Requires-Dist: acme-core[all]"),
    ];
    let (_, external) = set(&samples, &[("acme-core", "1.5"), ("acme-tool", "2.0")]).unwrap();
    assert_eq!(external, ["click"]);
}

#[test]
fn the_planned_version_is_taken_where_it_fits_else_the_highest_that_does() {
    let index = |requires| {
        let versions = ["1.0", "1.5", "2.0", "2.1rc1"];
        let cores = versions.map(|version| Sample::new("acme-core", version));
        let mut samples = vec![app(requires)];
        samples.extend(cores);
        samples
    };
    let core =
        |requires, planned| set(&index(requires), &[("acme-core", planned)]).map(|(pins, _)| pins[1].clone());
    assert_eq!(core("Requires-Dist: acme-core", "1.5").unwrap(), "acme-core==1.5");
    assert_eq!(core("Requires-Dist: acme-core", "9.0").unwrap(), "acme-core==2.0");
    assert_eq!(core("Requires-Dist: acme-core<2", "2.0").unwrap(), "acme-core==1.5");
    assert_eq!(core("Requires-Dist: acme-core>=2.1rc1", "2.0").unwrap(), "acme-core==2.1rc1");
    let error = core("Requires-Dist: acme-core>=3", "2.0").unwrap_err();
    assert_eq!(error, "`acme-app` requires `acme-core>=3`, and the index has only 1.0, 1.5, 2.0, 2.1rc1");
}

#[test]
fn an_internal_package_that_is_not_in_the_index_is_named() {
    let error = set(&[app("Requires-Dist: acme-core")], &[("acme-core", "1.5")]).unwrap_err();
    assert_eq!(
        error,
        "`acme-app` requires `acme-core` of this repository, which is not in the index `INDEX`"
    );
    let error = set(&[], &[]).unwrap_err();
    assert_eq!(error, "`acme-app` 1.0 has no wheel in the index `INDEX`");
}

#[test]
fn a_requirement_by_url_is_not_followed() {
    let error = set(&[app("Requires-Dist: x @ https://example.org/${HOME}/x.whl")], &[]).unwrap_err();
    assert!(error.ends_with("it names a URL, which package indexes refuse"), "{error}");
}
