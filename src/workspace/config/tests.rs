//! Whole configurations: what is read, what is refused, and how it is said.

use super::*;
use crate::workspace::config::environment::{CheckKind, Target};
use crate::workspace::config::settings::{Dependents, FloorRule, ReleaseAs, Size};
use crate::workspace::config::text::Span;
use crate::workspace::name::PackageName;
use crate::workspace::path::RepoPath;

const EXAMPLE: &str = include_str!("example.toml");

fn read(text: &str) -> Config {
    Config::read(text, "release.toml", ConfigPlace::File)
        .unwrap_or_else(|problems| panic!("{}", problems.render("release.toml", text, 100, false)))
}

/// Reads a faulty text and compares what is told about it.
fn check(text: &str, expected: &str) {
    let problems = Config::read(text, "release.toml", ConfigPlace::File).expect_err("the text has problems");
    let rendered = problems.render("release.toml", text, 100, false);
    assert_eq!(rendered.trim(), expected.trim(), "\n{rendered}");
}

/// The messages alone, each with its help.
fn messages(text: &str) -> Vec<String> {
    match Config::read(text, "release.toml", ConfigPlace::File) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .list
            .iter()
            .map(|problem| match &problem.help {
                Some(help) => format!("{} – {help}", problem.message),
                None => problem.message.clone(),
            })
            .collect(),
    }
}

#[test]
fn the_documented_example_is_read() {
    let config = read(EXAMPLE);
    let tables = &config.tables;
    assert_eq!(tables.workspace.packages.as_deref(), Some(&["src/packages/*/*".to_owned()][..]));
    assert_eq!(config.branch(), Some("main"));
    assert_eq!(tables.workspace.shared["libs/schema/**"], ["mlops", "interfaces"]);
    assert_eq!(tables.versioning.dependents, Some(Dependents::OutOfRange));
    assert_eq!(config.groups()["platform"], GroupMode::Linked);
    let staging = &tables.environment["staging"];
    assert_eq!(staging.soak, Some(Span { seconds: 600 }));
    assert_eq!(staging.validate[0].kind, CheckKind::Http);
    assert_eq!(tables.environment["development"].target, Some(Target::Container));
    assert_eq!(tables.environment["production"].windows[0].zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(
        config.index("pypi"),
        Some(Index::Remote {
            upload: "https://index.example/legacy/".to_owned(),
            simple: None,
            auth: Auth::Trusted,
            attestations: false,
            insecure: false,
            visible_within: std::time::Duration::from_secs(1800),
        })
    );
}

#[test]
fn an_empty_file_means_the_defaults() {
    let config = read("");
    assert_eq!(config, Config::default());
    assert_eq!(config.index("local"), Some(Index::Directory("dist/index".to_owned())));
    assert_eq!(config.index_names(), ["local"]);
    assert_eq!(config.frontend(), Frontend::Uv);
    assert!(config.has_shared_builds());
    assert!(!read("[build]\nshared = false\n").has_shared_builds());
}

#[test]
fn a_short_form_of_every_rule_is_read() {
    let config = read(
        "[workspace]\npackages = [\".\", \"sub\"]\nbranch = \"main\"\n\n[versioning]\nzero = \"minor\"\n\
         types = { feat = \"minor\", fix = \"patch\" }\ndependents = \"never\"\nfloor = \"never\"\nallow-major = true\n\
         ignore = [\"docs\", \"docs/**\"]\n\n[package.\"My.Package\"]\ntag = \"my-package-v{version}\"\n\
         types = { deps = \"patch\" }\n",
    );
    let settings = config.package(&PackageName::new("my_package"), &RepoPath::new("sub").unwrap(), false);
    assert_eq!(settings.tag, "my-package-v{version}");
    assert_eq!(settings.versioning.types["deps"], Size::Patch);
    assert_eq!(settings.versioning.floor, FloorRule::Never);
    assert_eq!(settings.versioning.ignore, ["docs", "docs/**"]);
    assert!(settings.versioning.allow_major);
    assert_eq!(
        read("versioning.release-as = \"2.0.0rc1\"").tables.versioning.release_as,
        Some(ReleaseAs::Version("2.0.0rc1".to_owned()))
    );
    assert_eq!(
        read("versioning.release-as = false").tables.versioning.release_as,
        Some(ReleaseAs::Footers(false))
    );
}

#[test]
fn every_problem_is_told_at_once_with_its_line_underlined() {
    check(
        "[workspace]\npakages = [\"src/*\"]\ntag = \"{nmae}-v{version}\"\n\n[versioning]\ndependents = \"out_of_range\"\n\
         allow-major = \"yes\"\n\n[package.core]\nindex = \"pipy\"\n\n[index.pypi]\nupload = \"https://index.example/legacy/\"\n",
        r#"
error: unknown key `pakages` in `[workspace]`
 --> release.toml:2:1
  |
2 | pakages = ["src/*"]
  | ^^^^^^^
  |
help: did you mean `packages`?

error: tag format `{nmae}-v{version}` has an unknown placeholder `{nmae}`
 --> release.toml:3:7
  |
3 | tag = "{nmae}-v{version}"
  |       ^^^^^^^^^^^^^^^^^^^
  |
help: the placeholders are `{name}` and `{version}`

error: `dependents` can not be "out_of_range"
 --> release.toml:6:14
  |
6 | dependents = "out_of_range"
  |              ^^^^^^^^^^^^^^
  |
help: did you mean "out-of-range"?

error: `allow-major` must be true or false, not a text
 --> release.toml:7:15
  |
7 | allow-major = "yes"
  |               ^^^^^

error: no index is called "pipy"
  --> release.toml:10:9
   |
10 | index = "pipy"
   |         ^^^^^^
   |
help: did you mean "pypi"?
"#,
    );
}

#[test]
fn a_file_of_cargo_release_is_recognised() {
    check(
        "shared-version = true\npush = false\ntag-prefix = \"x\"\n",
        r#"
error: this is cargo-release's file: `shared-version`, `push`, `tag-prefix` are its own
 --> release.toml:1:1
  |
1 | shared-version = true
  | ^^^^^^^^^^^^^^
  |
help: leave it to cargo-release and put this tool's settings into `.config/release.toml`, or under `[tool.release]` in `pyproject.toml`
"#,
    );
    for line in
        ["release = true", "registry = \"x\"", "tag = false", "pre-release-replacements = []", "target = []"]
    {
        let told = messages(line);
        assert!(told[0].starts_with("this is cargo-release's file: "), "{told:?}");
        assert_eq!(told.len(), 1);
    }
    assert_eq!(messages("[registry.main]\nrepository = \"ghcr.io/acme\"\n"), [""; 0]);
    let mixed = messages("sign-tag = true\n[workspace]\nbranhc = \"main\"\n");
    assert_eq!(mixed.len(), 2);
    assert_eq!(mixed[1], "unknown key `branhc` in `[workspace]` – did you mean `branch`?");
}

#[test]
fn places_in_a_pyproject_are_places_of_the_pyproject() {
    let text = "[project]\nname = \"acme\"\nunknown = 1\n\n[tool.release.workspace]\nbranch = 1\n";
    let problems = Config::read(text, "pyproject.toml", ConfigPlace::Pyproject).unwrap_err();
    assert_eq!(
        problems.render("pyproject.toml", text, 100, false),
        "error: `branch` must be a text, not a whole number\n --> pyproject.toml:6:10\n  |\n6 | branch = 1\n  |          ^"
    );
    assert!(Config::stands_in_pyproject(text));
    assert!(!Config::stands_in_pyproject("[project]\nname = \"acme\"\n"));
    assert_eq!(
        Config::read("[project]\n", "pyproject.toml", ConfigPlace::Pyproject).unwrap(),
        Config::default()
    );
}

#[test]
fn a_byte_order_mark_and_foreign_line_ends_do_no_harm() {
    assert_eq!(read("\u{feff}[workspace]\r\nbranch = \"main\"\r\n").branch(), Some("main"));
    let text = "\u{feff}[workspace]\r\nbranhc = \"main\"\r\n";
    let problems = Config::read(text, "release.toml", ConfigPlace::File).unwrap_err();
    assert_eq!(&text[problems.list[0].span.clone().unwrap()], "branhc");
    assert!(problems.render("release.toml", text, 100, false).contains("\n2 | branhc = \"main\"\n"));
}

#[test]
fn a_text_that_is_no_toml_is_one_problem_with_a_place() {
    let text = "[workspace]\nbranch = \"main\n[notes]\n";
    let problems = Config::read(text, "release.toml", ConfigPlace::File).unwrap_err();
    assert_eq!(problems.list.len(), 1);
    let rendered = problems.render("release.toml", text, 100, false);
    assert!(rendered.starts_with("error: no TOML: "), "{rendered}");
    assert!(rendered.contains("2 | branch = \"main\n"), "{rendered}");
}

#[test]
fn references_lead_somewhere() {
    assert_eq!(
        messages(
            "[package.core]\nindex = \"main\"\ngroup = \"platfrom\"\nimage.registry = \"ghcr\"\n[group.platform]\nmode = \"fixed\"\n"
        ),
        [
            "no index is called \"main\" – define it as `[index.main]`",
            "no group is called \"platfrom\" – did you mean \"platform\"?",
            "no registry is called \"ghcr\" – define it as `[registry.ghcr]`",
        ]
    );
    assert_eq!(
        messages("[environment.b]\nafter = \"a\"\n"),
        ["no environment is called \"a\" – define it as `[environment.a]`"]
    );
    assert_eq!(messages("[package.core]\nindex = \"local\"\n"), [""; 0]);
    // a definition with a fault of its own is still a definition
    assert_eq!(
        messages("[package.core]\ngroup = \"g\"\n[group.g]\nmode = \"tied\"\n"),
        ["`mode` can not be \"tied\" – did you mean \"fixed\"?"]
    );
}

#[test]
fn environments_follow_one_another_without_a_ring() {
    assert_eq!(
        messages(
            "[environment.a]\nafter = \"c\"\n[environment.b]\nafter = \"a\"\n[environment.c]\nafter = \"b\"\n[environment.d]\nafter = \"c\"\n"
        ),
        ["environments come after one another in a ring: a after c after b after a – take one `after` out"]
    );
    assert_eq!(
        messages("[environment.a]\nafter = \"a\"\n"),
        ["environments come after one another in a ring: a after a – take one `after` out"]
    );
    assert_eq!(
        messages("[environment.a]\nsoak = \"10m\"\n"),
        [
            "environment `a` soaks after nothing – name the environment before it with `after`, or take `soak` out"
        ]
    );
}

#[test]
fn checks_hold_what_their_kind_needs() {
    let told = messages(
        "[[environment.a.validate]]\nkind = \"http\"\nquery = \"up\"\n[[environment.a.validate]]\nkind = \"install\"\n\
         [[environment.a.validate]]\nkind = \"ping\"\n[[environment.a.validate]]\ninterval = \"1x\"\n",
    );
    assert_eq!(
        told,
        [
            "check of environment `a` lacks `url` – checks of kind \"http\" need `url`",
            "`query` means nothing for checks of kind \"http\" – take it out, or choose another `kind`",
            "`kind` can not be \"ping\" – it can be \"http\", \"command\", \"container\", \"install\", \"metrics\" or \"version\"",
            "`kind` is missing in `[environment.a.validate]`",
            "`1x` is no span of time – write hours, minutes and seconds: `90s`, `10m`, `1h30m`, `2d`",
        ]
    );
}

#[test]
fn values_out_of_their_form_are_told() {
    let cases = [
        (
            "versioning.release-as = \"two\"",
            "`two` is not a PEP 440 version – write it as `2.0.0` or `2.0.0rc1`",
        ),
        ("versioning.release-as = 2", "`release-as` must be true or false or a text, not a whole number"),
        (
            "versioning.zero = 1",
            "`zero` must be \"major\", \"minor\" or \"cargo\" or a table, not a whole number",
        ),
        ("versioning.zero = \"mayor\"", "`zero` can not be \"mayor\" – did you mean \"major\"?"),
        (
            "versioning.zero = { minor = \"major\" }",
            "on 0.y.z `minor` can not become larger – name a smaller size, or leave it out",
        ),
        (
            "versioning.zero = { major = \"none\" }",
            "on 0.y.z `major` can not become \"none\" – what releases nothing is said in `types`",
        ),
        (
            "versioning.zero = { mayor = \"minor\" }",
            "unknown key `mayor` in `[versioning.zero]` – did you mean `major`?",
        ),
        (
            "versioning.types.feat = \"big\"",
            "`feat` can not be \"big\" – it can be \"none\", \"patch\", \"minor\" or \"major\"",
        ),
        ("versioning.other = \"minor\"", "`other` can not be \"minor\" – it can be \"none\" or \"patch\""),
        ("notes.changelog = true", "`changelog` must be a text or false, not true"),
        (
            "notes.changelog = \"../C.md\"",
            "`../C.md` leads out of the repository – write a path relative to the repository or the package, with `/`",
        ),
        ("notes.sections = [{ types = [\"a\"] }]", "`title` is missing in `[notes.sections]`"),
        ("versioning.ignore = \"tests\"", "`ignore` must be a list, not a text"),
        ("build.frontend = \"pip\"", "`frontend` can not be \"pip\" – it can be \"uv\" or \"build\""),
        ("environment.a.approvals = -1", "`approvals` must be at least 0"),
        (
            "environment.a.windows = [{ allow = \"always\" }]",
            "`always` is no window of the week – write days and hours: `Mon-Thu 09:00-16:00`, `Sat,Sun 06:00-24:00`, or over midnight `Fri 22:00-06:00`",
        ),
        ("workspace.branch = 2026-11-24", "`branch` must be a text, not a date"),
        (
            "packages = [\"src/*\"]",
            "unknown key `packages` at the top level – `packages` belongs in `[workspace]`",
        ),
        ("aliases = []", "unknown key `aliases` at the top level – `aliases` belongs in `[workspace]`"),
        (
            "package.core.entries = \"auto\"",
            "unknown key `entries` in `[package.core]` – `entries` belongs in `[package.core.versioning]`",
        ),
        (
            "package.\"a b\".zebra = 1",
            "unknown key `zebra` in `[package.\"a b\"]` – the keys here are `name`, `tag`, `tag-aliases`, `scopes`, `owns`, `index`, `image`, `group`, `version-files`, `types`, `versioning`, `notes`",
        ),
        ("index.\"a b\".directory = \"x\"", "`a b` is no name – letters, digits, and `-`, `_`, `.` inside"),
        ("index.a = {}", "index `a` says not where it is – name a `directory`, or an address with `upload`"),
        (
            "index.a = { directory = \"x\", auth = \"none\" }",
            "`auth` means nothing for a folder – it goes with `upload`",
        ),
        (
            "index.a = { directory = \"x\", visible-within = \"5m\" }",
            "`visible-within` means nothing for a folder – it goes with `upload`",
        ),
        (
            "index.a = { upload = \"https://h/\", auth = \"token\", attestations = true }",
            "`attestations` name the CI that publishes – they go with `auth = \"trusted\"`",
        ),
        (
            "index.a = { directory = \"x\", upload = \"https://h/\" }",
            "index `a` is a folder and an address at once – keep `directory` or `upload`",
        ),
        (
            "index.a.upload = \"https://u:p@h/\"",
            "the address holds credentials – take them out of the file; they are read from the environment when they are needed",
        ),
        (
            "registry.a = {}",
            "registry `a` says not where it is – for example `repository = \"ghcr.io/acme\"`",
        ),
        (
            "package.a.image = {}",
            "the image of `a` has no place – name its `repository`, or a `registry` that is configured",
        ),
        (
            "package = { a_b = {}, a-b = {} }",
            "`[package.a_b]` and `[package.a-b]` are the same package – join the two tables",
        ),
        (
            "workspace.shared = { \"a/[\" = [] }",
            "`a/[` is no pattern: unclosed character class; missing ']' – `*` stands for one folder or file name, `**` for any depth; put `\\` before a literal `[` or `{`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(messages(text), [expected], "{text}");
    }
}

#[test]
fn a_type_is_shown_in_one_section() {
    assert_eq!(
        messages(
            "[[notes.sections]]\ntitle = \"A\"\ntypes = [\"feat\"]\n[[notes.sections]]\ntitle = \"B\"\ntypes = [\"Feat\"]\n[[notes.sections]]\ntitle = \"C\"\n"
        ),
        [
            "type \"feat\" stands in section \"A\" already – an entry is shown once; name each type in one section",
            "section \"C\" must hold either the breaking changes or some types – write `breaking = true`, or `types = [\"feat\"]`",
        ]
    );
}

#[test]
fn the_schema_is_of_2020_12_and_describes_every_key() {
    let schema = Config::schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "release.toml");
    let mut undescribed = Vec::new();
    describe(&schema, "", &mut undescribed);
    assert_eq!(undescribed, [""; 0]);
    assert!(!schema.to_string().contains("null"), "TOML has no null");
}

#[test]
fn the_written_schema_is_the_one_of_the_types() {
    let hint = "run `release schema config > docs/config.schema.json`";
    let written: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/config.schema.json")).unwrap();
    assert!(written == Config::schema(), "docs/config.schema.json is old: {hint}");
    assert_eq!(written_schema().root()["$schema"], written["$schema"]);
}

fn describe(schema: &serde_json::Value, trail: &str, undescribed: &mut Vec<String>) {
    let Some(object) = schema.as_object() else { return };
    for (name, property) in object.get("properties").and_then(|p| p.as_object()).into_iter().flatten() {
        if property.get("description").is_none() {
            undescribed.push(format!("{trail}.{name}"));
        }
    }
    for (name, value) in object.get("$defs").and_then(|p| p.as_object()).into_iter().flatten() {
        describe(value, name, undescribed);
    }
}

#[test]
fn every_documented_key_is_in_the_schema() {
    let schema = Config::schema();
    let document = Node::read(EXAMPLE).unwrap();
    let (fitting, problems) = walk::walk(written_schema(), &document);
    assert_eq!(problems, []);
    assert_eq!(fitting["environment"]["staging"]["soak"], "10m");
    for (table, keys) in [
        ("WorkspaceTable", &["packages", "tag", "aliases", "strip", "branch", "shared"][..]),
        (
            "PackageTable",
            &[
                "name",
                "tag",
                "tag-aliases",
                "scopes",
                "owns",
                "index",
                "image",
                "group",
                "version-files",
                "types",
            ],
        ),
        (
            "EnvironmentTable",
            &["target", "after", "soak", "validate", "approvals", "windows", "rollback-floor"],
        ),
        (
            "CheckTable",
            &[
                "interval",
                "initial-delay",
                "consecutive-success",
                "failure-limit",
                "error-limit",
                "deadline",
                "mode",
            ],
        ),
        (
            "IndexTable",
            &["directory", "upload", "simple", "auth", "attestations", "insecure", "visible-within"],
        ),
        ("GroupTable", &["mode"]),
    ] {
        for key in keys {
            assert!(schema["$defs"][table]["properties"].get(key).is_some(), "{table} lacks {key}");
        }
    }
}

#[test]
fn control_characters_are_not_printed() {
    let text = "\"\\u001b[31mred\" = 1\n";
    let problems = Config::read(text, "release.toml", ConfigPlace::File).unwrap_err();
    assert!(!problems.render("release.toml", text, 100, false).contains('\u{1b}'));
    assert!(problems.render("release.toml", text, 100, true).contains('\u{1b}'), "colors are wanted here");
}

proptest::proptest! {
    /// Whatever is cut out of the example or put into it, problems are told and no place leads out of the text.
    #[test]
    fn a_damaged_file_is_told_about(from in 0..EXAMPLE.len(), length in 0_usize..40, insert in "[\\[\\]\"={}#a-z0-9µ\n]{0,6}") {
        let boundary = |at: usize| (at..).find(|at| EXAMPLE.is_char_boundary(*at)).unwrap_or(EXAMPLE.len());
        let (start, end) = (boundary(from), boundary((from + length).min(EXAMPLE.len())));
        let text = format!("{}{insert}{}", &EXAMPLE[..start], &EXAMPLE[end..]);
        if let Err(problems) = Config::read(&text, "release.toml", ConfigPlace::File) {
            proptest::prop_assert!(!problems.list.is_empty());
            for problem in &problems.list {
                let span = problem.span.clone().unwrap_or(0..0);
                proptest::prop_assert!(text.get(span).is_some(), "{:?}", problem);
            }
            proptest::prop_assert!(!problems.render("release.toml", &text, 80, true).is_empty());
        }
    }
}

#[test]
fn what_checks_say_is_read_before_anything_is_deployed() {
    let told = |check: &str| messages(&format!("[environment.a]\nvalidate = [{{ {check} }}]"));
    let http = |more: &str| told(&format!("kind = \"http\", url = \"https://a.example/\", {more}"));
    assert_eq!(
        http("success = \"stauts == 200\""),
        ["`success` knows no `stauts` here – did you mean `status`?"]
    );
    assert_eq!(http("success = \"status ==\"")[0].split(": ").next().unwrap(), "`success` is no expression",);
    assert_eq!(
        http("expect = { text = \"{verison}\" }"),
        ["there is no placeholder `{verison}` – did you mean `{version}`?"]
    );
    assert_eq!(http("expect = { matches = '^{version}\\b[a-f]{3}$' }"), [""; 0]);
    assert!(http("expect = { matches = '(' }")[0].starts_with("no regular expression: "));
    assert_eq!(
        http("expect = { max = 1.0 }"),
        [
            "`max` is not what this kind of check can expect – it can expect status, json, text, matches, headers"
        ]
    );
    assert_eq!(http("interval = \"0s\""), ["`interval` is no time at all – write at least `1s`"]);
    assert_eq!(
        http("consecutive-success = 60"),
        [
            "the check can not pass: its tries take 295 s, and its deadline is 180 s – give it a longer `deadline`, or fewer or closer tries"
        ]
    );
    assert_eq!(
        told("kind = \"command\", command = []"),
        [
            "`command` names no program – write the program and its arguments: `[\"curl\", \"-fsS\", \"http://…\"]`"
        ]
    );
    assert_eq!(
        messages("[environment.a]\nwindows = [{ allow = \"Fri-Mon 22:00-06:00\", zone = \"Europe/Berln\" }]"),
        ["`Europe/Berln` is no time zone – did you mean \"Europe/Berlin\"?"]
    );
    assert_eq!(
        messages(
            "[environment.staging]\n[[hook]]\non = [\"paused\"]\ncommand = [\"tell\"]\nenvironments = [\"stagin\"]"
        ),
        ["no environment is called \"stagin\" – did you mean \"staging\"?"]
    );
}
