use super::*;
use crate::workspace::config::workflows::Workflow;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn table(install: Install, from: &str) -> WorkflowsTable {
    let from = (!from.is_empty()).then(|| from.to_owned());
    WorkflowsTable { install: Some(install), from, ..WorkflowsTable::default() }
}

fn package(short: &str, tag: &str, index: &str) -> Package {
    Package { short: short.to_owned(), tag: tag.to_owned(), index: index.to_owned(), image: None }
}

fn stage(name: &str, after: Option<&str>) -> Stage {
    Stage { name: name.to_owned(), after: after.map(str::to_owned), secrets: BTreeSet::new() }
}

/// Two packages on an index that trusts the CI, two environments.
fn with<T>(table: &WorkflowsTable, then: impl Fn(Repository<'_>) -> T) -> T {
    let pins = Pins::known();
    then(Repository {
        table,
        packages: vec![
            package("core", "{name}-v{version}", "pypi"),
            package("mlops", "mlops/v{version}", "pypi"),
        ],
        indexes: BTreeMap::from([("pypi".to_owned(), Auth::Trusted)]),
        environments: vec![stage("staging", None), stage("production", Some("staging"))],
        first: Some("staging".to_owned()),
        branch: "main".to_owned(),
        github: Some(AtGitHub::default()),
        pins: &pins,
    })
}

fn written(table: &WorkflowsTable) -> BTreeMap<&'static str, String> {
    with(table, |repository| workflows(&repository).unwrap())
}

/// The lines of a job: from its name to the next one.
fn job<'t>(text: &'t str, name: &str) -> &'t str {
    let start = text.find(&format!("\n  {name}:\n")).unwrap();
    let rest = &text[start + 1..];
    let end = rest[1..].match_indices("\n  ").find(|(at, _)| !rest[at + 4..].starts_with([' ', '#', '\n']));
    end.map_or(rest, |(at, _)| &rest[..at + 1])
}

#[test]
fn every_file_says_who_wrote_it_and_allows_nothing_by_itself() {
    let all = written(&table(Install::Source, ""));
    let names: Vec<&str> = all.keys().copied().collect();
    let own = Workflow::ALL.into_iter().filter(|workflow| *workflow != Workflow::PullRequest);
    let expected: BTreeSet<&str> = own.map(Workflow::file).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected);
    for (name, text) in &all {
        assert!(text.starts_with(HEADER), "{name}");
        assert!(text.contains("\npermissions: {}\n") && text.contains("timeout-minutes: 120\n"), "{name}");
        assert!(text.contains("shell: bash --noprofile --norc -euo pipefail {0}\n"), "{name}");
        assert!(!text.contains("<{") && !text.contains("<%") && !text.contains("\n\n\n"), "{name}:\n{text}");
        assert!(text.ends_with('\n') && text.lines().all(|line| line == line.trim_end()), "{name}");
        let mut uses = text.lines().filter_map(|line| line.trim().strip_prefix("uses: "));
        assert!(uses.all(|action| action.contains('@') && action.contains(" # v")), "{name}");
        let checkouts = text.matches("uses: actions/checkout@").count();
        assert_eq!(text.matches("persist-credentials: false").count(), checkouts, "{name}");
    }
}

#[test]
fn no_expression_stands_in_a_script() {
    for (name, text) in written(&table(Install::Wheel, "release==1.2.3")) {
        let mut script: Option<usize> = None;
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            if script.is_some_and(|of| !line.is_empty() && indent <= of) {
                script = None;
            }
            if line.trim_start().starts_with("run: ") {
                script = Some(indent);
            }
            assert!(script.is_none() || !line.contains("${{"), "{name}: {line}");
        }
    }
}

#[test]
fn only_the_job_that_publishes_has_an_identity() {
    let all = written(&table(Install::Source, ""));
    let release = &all["release.yml"];
    assert_eq!(all.values().map(|text| text.matches("id-token: write").count()).sum::<usize>(), 1);
    assert!(job(release, "publish").contains("id-token: write"));
    assert!(job(release, "publish").contains("environment: \"pypi\""));
    assert!(job(release, "publish").contains("release ship --tag=\"$TAG\" --until announce --yes"));
    assert!(job(release, "deploy").contains("environment: \"staging\""));
    assert!(job(release, "deploy").contains("release ship --tag=\"$TAG\" --yes"));
    assert!(!all["release-plan.yml"].contains("contents: write"));
    assert!(all["release-plan.yml"].contains("run: release plan --comment \"$NUMBER\""));
    let silent = with(&table(Install::Source, ""), |mut repository| {
        repository.github = None;
        workflows(&repository).unwrap().remove("release-plan.yml").unwrap()
    });
    assert!(!silent.contains("pull-requests: write") && !silent.contains("--comment"), "{silent}");
}

#[test]
fn what_is_told_and_shown_at_github_needs_its_permissions_and_nothing_else_does() {
    let asked = |github: AtGitHub, permission: &str| {
        let all = with(&table(Install::Source, ""), |mut repository| {
            repository.github = Some(github);
            workflows(&repository).unwrap()
        });
        let jobs = [
            ("release.yml", "publish"),
            ("release.yml", "deploy"),
            ("release-promote.yml", "to-production"),
            ("release-rollback.yml", "to-production"),
            ("release-tick.yml", "tick"),
        ];
        let asks = |(file, name): &(&str, &str)| job(&all[*file], name).contains(permission);
        jobs.iter().filter(|job| asks(job)).map(|(_, name)| *name).collect::<Vec<&str>>()
    };
    let none: [&str; 0] = [];
    for permission in ["issues: write", "pull-requests: write", "deployments: write"] {
        assert_eq!(asked(AtGitHub::default(), permission), none, "{permission}");
    }
    let tells = AtGitHub { tells: true, mirrors: false };
    assert_eq!(asked(tells, "issues: write # "), ["publish", "tick"]);
    assert_eq!(asked(tells, "pull-requests: write # "), ["publish", "tick"]);
    assert_eq!(asked(tells, "deployments: write"), none);
    let mirrors = AtGitHub { tells: false, mirrors: true };
    assert_eq!(asked(mirrors, "deployments: write # "), ["deploy", "to-production", "to-production", "tick"]);
    assert_eq!(asked(mirrors, "issues: write"), none);
}

#[test]
fn tags_are_those_of_the_packages_and_never_patterns_of_others() {
    let tags = |tag: &str| {
        let table = table(Install::Source, "");
        with(&table, |mut repository| {
            repository.packages = vec![package("core", tag, "local")];
            let text = workflows(&repository).unwrap().remove("release.yml").unwrap();
            text.lines().find_map(|line| line.strip_prefix("      - \"").map(str::to_owned)).unwrap()
        })
    };
    assert_eq!(tags("{name}-v{version}"), "core-v[0-9]*\"");
    assert_eq!(tags("v{version}"), "v[0-9]*\"");
    assert_eq!(tags("!{name}+{version}]x"), r#"\\!core\\+[0-9]*\\]x""#);
    assert_eq!(tags("{name}'$(rm)\"#{version}"), "core'$(rm)\\\"#[0-9]*\"");
    let table = table(Install::Source, "");
    let refused = with(&table, |mut repository| {
        repository.packages = vec![package("core", "${{github.token}}{version}", "local")];
        workflows(&repository).unwrap_err().to_string()
    });
    assert!(refused.contains("would be read as an expression"), "{refused}");
}

#[test]
fn a_text_is_one_yaml_string_whatever_it_holds() {
    let check = |text: &str, expected: &str| assert_eq!(yaml(text).unwrap(), expected);
    check("a: b # c", r#""a: b # c""#);
    check("no", r#""no""#);
    check("\"\\\n\u{7f}\u{85}\u{2028}", r#""\"\\\n\u007f\u0085\u2028""#);
    check("ü", r#""ü""#);
    assert!(yaml("x${{ github.token }}").is_err());
    assert_eq!(
        labels(vec!["self-hosted".to_owned(), "big box".to_owned()]).unwrap(),
        r#"["self-hosted", "big box"]"#
    );
}

#[test]
fn what_the_index_and_the_services_need_is_handed_on_by_name() {
    let mut table = table(Install::Action, &format!("acme/release@{SHA}"));
    table.secrets = vec!["DEPLOY_KEY".to_owned()];
    table.runner_of =
        BTreeMap::from([("production".to_owned(), vec!["self-hosted".to_owned(), "prod".to_owned()])]);
    table.schedule = Some("5 6 * * *".to_owned());
    let all = with(&table, |mut repository| {
        repository.indexes.insert("in-house".to_owned(), Auth::Token);
        repository.packages.push(package("app", "{name}-v{version}", "in-house"));
        repository.packages[0].image = Some("ghcr.io/acme/core".to_owned());
        repository.environments[1].secrets.insert("DATABASE".to_owned());
        workflows(&repository).unwrap()
    });
    let release = &all["release.yml"];
    assert!(
        job(release, "publish").contains("RELEASE_TOKEN_IN_HOUSE: ${{ secrets.RELEASE_TOKEN_IN_HOUSE }}")
    );
    assert!(job(release, "publish").contains("environment: \"release\""), "two indexes, one job");
    assert!(
        job(release, "publish").contains("packages: write")
            && job(release, "deploy").contains("packages: read")
    );
    assert!(
        job(release, "publish")
            .contains("docker login --username \"$GITHUB_ACTOR\" --password-stdin ghcr.io")
    );
    assert!(!job(release, "deploy").contains("RELEASE_TOKEN_IN_HOUSE"));
    let promote = &all["release-promote.yml"];
    assert!(
        promote.contains("runs-on: [\"self-hosted\", \"prod\"]")
            && promote.contains("if: inputs.environment == 'production'")
    );
    for name in ["DATABASE", "DEPLOY_KEY"] {
        assert!(promote.contains(&format!("          {name}: ${{{{ secrets.{name} }}}}\n")), "{name}");
    }
    assert!(!promote.contains("to-staging"), "nothing comes before it");
    assert!(all["release-rollback.yml"].contains("  to-staging:"));
    assert!(all["release-tick.yml"].contains("- cron: \"5 6 * * *\""));
    assert!(release.contains(&format!("        uses: acme/release@{SHA}\n")));
}

#[test]
fn what_is_written_follows_what_there_is() {
    let names = |table: &WorkflowsTable, stages: Vec<Stage>| {
        with(table, |mut repository| {
            repository.environments = stages.clone();
            repository.first = None;
            workflows(&repository).unwrap().into_keys().collect::<Vec<_>>()
        })
    };
    let mut table = table(Install::Source, "");
    assert_eq!(names(&table, Vec::new()), ["release-plan.yml", "release.yml"]);
    let one = ["release-plan.yml", "release-rollback.yml", "release-tick.yml", "release.yml"];
    assert_eq!(names(&table, vec![stage("only", None)]), one);
    table.write = Some(vec![Workflow::Tick, Workflow::Promote]);
    assert_eq!(names(&table, Vec::new()), ["release-tick.yml"], "there is nothing to choose from");
    assert_eq!(with(&WorkflowsTable::default(), |it| workflows(&it).unwrap_err()), WorkflowError::NoInstall);
}

#[test]
fn nobody_ticks_at_the_full_hour() {
    let minute = |short: &str| {
        let table = table(Install::Source, "");
        with(&table, |mut repository| {
            repository.packages[0].short = short.to_owned();
            hourly(&repository)
        })
    };
    assert_eq!(minute("core"), minute("core"));
    assert_ne!(minute("core"), minute("other"));
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let cron = minute(name);
        let first: u32 = cron.split(' ').next().unwrap().parse().unwrap();
        assert!((1..60).contains(&first), "{cron}");
    }
}

#[test]
fn jobs_of_environments_that_look_alike_are_two() {
    let table = table(Install::Source, "");
    let text = with(&table, |mut repository| {
        repository.environments = vec![stage("a.b", None), stage("a_b", None), stage("A_B", None)];
        repository.first = None;
        workflows(&repository).unwrap().remove("release-rollback.yml").unwrap()
    });
    for name in ["  to-a_b:\n", "  to-a_b_:\n", "  to-A_B__:\n"] {
        assert!(text.contains(name), "{name}\n{text}");
    }
}

#[test]
fn each_package_may_have_a_job_of_its_own() {
    let table = WorkflowsTable { publish: Some(Publishing::Package), ..table(Install::Source, "") };
    let release = &written(&table)["release.yml"];
    assert!(job(release, "plan").contains("release plan --tag=\"$TAG\" --output github"));
    assert!(!job(release, "plan").contains(": write"));
    assert!(job(release, "publish").contains("matrix: ${{ fromJSON(needs.plan.outputs.matrix) }}"));
    assert!(job(release, "publish").contains("release ship --tag=\"$TAG\" --package=\"$PACKAGE\" --yes"));
    assert!(job(release, "publish").contains("fail-fast: false"));
    assert!(job(release, "deploy").contains("needs: [plan, publish]"));
    assert!(job(release, "deploy").contains("release ship --tag=\"$TAG\" --yes"));
    let alone = with(&table, |mut repository| {
        repository.first = None;
        workflows(&repository).unwrap().remove("release.yml").unwrap()
    });
    assert!(job(&alone, "finish").contains("release ship --tag=\"$TAG\" --yes"));
}

#[test]
fn the_pull_request_is_kept_on_the_branch_that_releases_are_made_from() {
    let table = WorkflowsTable { write: Some(vec![Workflow::PullRequest]), ..table(Install::Source, "") };
    let text = with(&table, |mut repository| {
        repository.branch = "re*lease's".to_owned();
        workflows(&repository).unwrap().remove("release-pr.yml").unwrap()
    });
    assert!(text.contains("      - \"re\\\\*lease's\"\n"), "{text}");
    assert!(text.contains("run: release ship --until claim --yes\n") && text.contains("run: release pr\n"));
    assert!(!text.contains("id-token"));
}
