use super::*;
use crate::report::samples::hostile;

fn report() -> StatusReport {
    let package = |package: &str, released: Option<&str>, unreleased: Option<Unreleased>| PackageStatus {
        package: package.to_owned(),
        released: released.map(str::to_owned),
        unreleased,
        environments: BTreeMap::new(),
    };
    let mut core = package("core", Some("2.0.3"), Some(Unreleased { changes: 3, next: "2.1.0".to_owned() }));
    let production = EnvironmentStatus {
        version: "2.0.2".to_owned(),
        digest: "sha256:1".to_owned(),
        verified: true,
        held: true,
        since: 1_795_484_405,
        holds: vec!["2.0.2: it crashed".to_owned()],
        found: Some("2.0.1 (000000000000) runs, changed by hand".to_owned()),
    };
    core.environments.insert("production".to_owned(), production);
    StatusReport {
        packages: vec![core, package("mlops", Some("1.4.0"), None), package("fresh", None, None)],
        halts: vec![Halt {
            scope: "all".to_owned(),
            reason: hostile()[..30].to_owned(),
            who: "Ada".to_owned(),
            since: 0,
        }],
        in_flight: vec![InFlight {
            plan: format!("sha256:{}", "7".repeat(64)),
            who: "Ada <ada@example.org>".to_owned(),
            began: 1_795_484_405,
            releases: vec!["core 2.1.0".to_owned()],
            environment: None,
            claimed: true,
            done: 5,
            waiting: vec!["publish:core failed: the disk is full".to_owned()],
        }],
        waiting: vec!["core 2.1.0 shall come to production: `release tick`".to_owned()],
        order: vec!["production".to_owned()],
    }
}

#[test]
fn halts_come_first_and_ships_under_way_last() {
    let expected = "\
halted: all: fix: eviltxt (Ada, since 1970-01-01 00:00:00)

package  released  unreleased         production
core     2.0.3     3 changes → 2.1.0  2.0.2 held
mlops    1.4.0     -                  -
fresh    never     -                  -

production: core 2.0.2 (1) since 2026-11-24 01:40:05
  held: 2.0.2: it crashed
  differs: 2.0.1 (000000000000) runs, changed by hand

under way: core 2.1.0
  plan 777777777777, begun 2026-11-24 01:40:05 by Ada <ada@example.org>, 5 steps
    done
  publish:core failed: the disk is full
  `release ship` finishes it

waits: core 2.1.0 shall come to production: `release tick`
";
    let text = status_text(&report(), 80, false);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn markdown_is_a_table_below_what_is_urgent() {
    let expected = "\
- **halted**: all: fix: eviltxt (Ada, since 1970-01-01 00:00:00)
- **under way**: core 2.1.0; plan 777777777777, begun 2026-11-24 01:40:05 by Ada &lt;ada@\u{200d}example.org&gt;, 5 steps done

| package | released | unreleased | production |
| --- | --- | --- | --- |
| core | 2.0.3 | 3 changes → 2.1.0 | 2.0.2 held |
| mlops | 1.4.0 | - | - |
| fresh | never | - | - |
";
    assert_eq!(status_markdown(&report()), expected);
}

#[test]
fn programs_find_the_promised_fields() {
    let json: serde_json::Value = serde_json::from_str(&status_json(&report())).unwrap();
    assert_eq!(json["packages"][0]["unreleased"]["next"], "2.1.0");
    assert_eq!(json["packages"][0]["environments"]["production"]["held"], true);
    assert!(json["packages"][2]["released"].is_null());
    assert_eq!(json["halts"][0]["scope"], "all");
    assert_eq!(json["in_flight"][0]["waiting"][0], "publish:core failed: the disk is full");
}

#[test]
fn an_empty_workspace_is_said_in_one_line() {
    let report = StatusReport {
        packages: Vec::new(),
        halts: Vec::new(),
        in_flight: Vec::new(),
        waiting: Vec::new(),
        order: Vec::new(),
    };
    assert_eq!(status_text(&report, 80, false), "no packages\n");
}

#[test]
fn a_message_of_ten_thousand_characters_takes_a_few_lines() {
    let mut report = report();
    report.in_flight[0].waiting = vec![hostile()];
    let text = status_text(&report, 80, false);
    assert!(text.lines().count() < 20, "{text}");
    assert!(!text.contains('\u{1b}'));
}
