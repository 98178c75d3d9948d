//! What a ship has made, where to look for it, and what comes next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::plan::{Plan, Release};
use crate::report::plain::line;
use crate::report::table::{Cell, indented, paragraph, table};
use crate::report::words::{branch, count};

/// What was shipped and where to look; commands stand on one line each, however long, so that they can be copied.
///
/// `outcome` is `finished`, or `stopped` where only a part was asked for. `indexes` are the folders of the indexes
/// by name, `pushed` the remote that branch and tags are on.
pub fn ship_text(
    plan: &Plan,
    outcome: &str,
    indexes: &BTreeMap<String, PathBuf>,
    pushed: Option<&str>,
    width: usize,
) -> String {
    match outcome {
        "finished" => finished(plan, indexes, pushed, width),
        _ => stopped(plan, width),
    }
}

fn stopped(plan: &Plan, width: usize) -> String {
    let text =
        format!("stopped where it was asked to, on the way to {}", count(plan.releases.len(), "release"));
    paragraph(&text, width, 2) + "`release status` shows how far it is, `release ship` goes on from there\n"
}

fn finished(plan: &Plan, indexes: &BTreeMap<String, PathBuf>, pushed: Option<&str>, width: usize) -> String {
    let rows: Vec<Vec<Cell>> = plan.releases.iter().map(row).collect();
    let title = format!("shipped {}", count(plan.releases.len(), "package"));
    let shipped = format!("{title}\n{}", indented(&table(&rows, width.saturating_sub(2), false), 2));
    let mut parts = vec![shipped];
    parts.extend(installs(plan, indexes));
    parts.push(next(plan, pushed));
    parts.push("`release log` tells what happened\n".to_owned());
    parts.join("\n")
}

fn row(release: &Release) -> Vec<Cell> {
    vec![
        Cell::new(&release.package),
        Cell::new(&release.to),
        Cell::new(&format!("tag {}", release.tag)),
        Cell::new(&format!("index {}", release.index)),
    ]
}

/// For each index its folder and the command that installs from it.
fn installs(plan: &Plan, indexes: &BTreeMap<String, PathBuf>) -> Vec<String> {
    let mut wanted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for release in &plan.releases {
        let requirement = quoted(&format!("{}=={}", release.distribution, release.to));
        wanted.entry(release.index.as_str()).or_default().push(requirement);
    }
    let command = |(index, requirements): (&str, Vec<String>)| {
        let folder = indexes.get(index)?;
        let address = quoted(&address(folder));
        Some(format!(
            "index {} is {}\n  pip install --index-url {address} {}\n",
            line(index),
            line(&folder.display().to_string()),
            requirements.join(" ")
        ))
    };
    wanted.into_iter().filter_map(command).collect()
}

fn next(plan: &Plan, pushed: Option<&str>) -> String {
    let Some(branch) = branch(plan) else { return String::new() };
    let tags: Vec<String> = plan.releases.iter().map(|release| quoted(&release.tag)).collect();
    let noun = if tags.len() == 1 { "tag" } else { "tags" };
    if let Some(remote) = pushed {
        return format!("the release commit and its {noun} are on {} of {}\n", line(branch), line(remote));
    }
    format!(
        "the release commit and its {noun} are on {}, and not pushed yet; next:\n  \
         git push --atomic origin {} {}\n",
        line(branch),
        quoted(branch),
        tags.join(" ")
    )
}

/// The `file:` address of an index's pages (RFC 8089), as installers take it.
fn address(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut address = "file://".to_owned();
    for byte in absolute.join("simple").to_string_lossy().bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => address.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

/// One word of a POSIX shell's command line.
pub fn quoted(word: &str) -> String {
    let word = line(word);
    let plain = |one: char| one.is_ascii_alphanumeric() || "-_./:=@%+,".contains(one);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::plan;

    fn indexes() -> BTreeMap<String, PathBuf> {
        BTreeMap::from([("local".to_owned(), PathBuf::from("/srv/my index"))])
    }

    #[test]
    fn a_finished_ship_says_where_to_look_and_what_is_next() {
        let expected = "\
shipped 3 packages
  core               2.1.0  tag core-v2.1.0               index local
  mlops              2.0.0  tag mlops-v2.0.0              index local
  anomaly-detection  0.1.0  tag anomaly-detection-v0.1.0  index local

index local is /srv/my index
  pip install --index-url file:///srv/my%20index/simple acme-core==2.1.0 acme-mlops==2.0.0 acme-anomaly-detection==0.1.0

the release commit and its tags are on main, and not pushed yet; next:
  git push --atomic origin main core-v2.1.0 mlops-v2.0.0 anomaly-detection-v0.1.0

`release log` tells what happened
";
        let text = ship_text(&plan(), "finished", &indexes(), None, 80);
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_stopped_ship_says_how_to_go_on() {
        let expected = "stopped where it was asked to, on the way to 3 releases\n\
                        `release status` shows how far it is, `release ship` goes on from there\n";
        assert_eq!(ship_text(&plan(), "stopped", &indexes(), None, 80), expected);
    }

    #[test]
    fn what_is_pushed_is_told_as_such() {
        let text = ship_text(&plan(), "finished", &indexes(), Some("origin"), 80);
        assert!(text.contains("the release commit and its tags are on main of origin\n"), "{text}");
        assert!(!text.contains("git push"), "{text}");
    }

    #[test]
    fn commands_are_safe_to_copy() {
        let mut plan = plan();
        plan.releases[0].tag = "core-v1;$(rm -rf ~)'\u{1b}[2J".to_owned();
        let text = ship_text(&plan, "finished", &BTreeMap::new(), None, 80);
        assert!(text.contains(r"origin main 'core-v1;$(rm -rf ~)'\''' mlops-v2.0.0"), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(!text.contains("pip install"), "an index without a folder has no command");
    }
}
