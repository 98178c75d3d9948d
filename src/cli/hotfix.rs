//! `release hotfix`: a line for mending what runs.

use crate::cli::args::{Global, Wish};
use crate::cli::args_deploy;
use crate::cli::failure::{Failure, Kind};
use crate::cli::ledger;
use crate::cli::open;
use crate::cli::orders::order_failure;
use crate::ledger::event::What;
use crate::ledger::state::State;
use crate::plan::digest::Digest;
use crate::report::streams::Streams;
use crate::survey::facts::Survey;
use crate::version::number::Version;
use crate::world::refs::{Expected, RefUpdate};

pub fn run(global: &Global, verb: &args_deploy::Hotfix, streams: &mut Streams) -> Result<u8, Failure> {
    let home = ledger::home(global)?;
    ledger::runtime()?.block_on(async {
        let mut book = ledger::order_book(&home).await?;
        let survey = open::survey_knowing(global, &Wish::to_look(), Some(book.state()))?;
        let index = open::package(&survey, &verb.package)?;
        let package = &survey.facts.packages[index];
        let from = match &verb.from {
            Some(tag) => tag.clone(),
            None => running_last(&survey, book.state(), &package.short)?,
        };
        let version = package.version_in(&from).and_then(|text| Version::parse(text).ok()).ok_or_else(|| {
            Failure::user(format!("`{from}` is no tag of {}", package.short))
                .hint("`git tag --list` shows them; `release status` what runs")
        })?;
        let commit = survey.repository.commit_of_tag(&from).map_err(Failure::user)?.ok_or_else(|| {
            Failure::user(format!("there is no tag `{from}` here")).hint("`git fetch --tags`")
        })?;
        let branch = branch(&package.short, &version);
        let name = format!("refs/heads/{branch}");
        let known = book.state().hotfixes.iter().any(|hotfix| hotfix.branch == branch);
        match survey.repository.ref_target(&name).map_err(Failure::user)? {
            None => {
                let made = RefUpdate { name, new: Some(commit.clone()), expected_old: Expected::Missing };
                let moved = survey.repository.update_refs(&[made], "release: open a line for mending");
                moved.map_err(|error| Failure::new(Kind::Stale, error))?;
            }
            Some(_) if known => {}
            Some(found) if found == commit => {}
            Some(_) => {
                return Err(Failure::user(format!("branch `{branch}` is there already, with commits of its own"))
                    .hint("go on with it, or rename it"));
            }
        }
        if !known {
            let what = What::HotfixOpened {
                package: package.short.clone(),
                branch: branch.clone(),
                from: from.clone(),
                commit,
            };
            book.write(&Digest::none(), what).await.map_err(order_failure)?;
        }
        streams.print(&format!(
            "opened {branch} at {from}\n  git switch {branch}\n  commit the fix, then `release plan` and `release ship`\n  \
             afterwards bring it onto the main branch: `git cherry-pick`\n  `release status` reminds of it\n"
        ));
        Ok(0)
    })
}

/// `hotfix/mlops-2.0`: one line for each minor version.
fn branch(short: &str, version: &Version) -> String {
    let release = version.release();
    let part = |index: usize| release.get(index).copied().unwrap_or(0);
    format!("hotfix/{short}-{}.{}", part(0), part(1))
}

/// The tag of what runs in the environment that no other comes after.
fn running_last(survey: &Survey, state: &State, package: &str) -> Result<String, Failure> {
    let is_before =
        |name: &str| survey.environments.values().any(|other| other.table.after.as_deref() == Some(name));
    let last = survey.environments.keys().filter(|name| !is_before(name));
    let running = last.filter_map(|name| state.environments.get(name)?.slot(package)?.current.as_ref());
    let tags: Vec<&String> = running.map(|current| &current.release.tag).collect();
    match tags[..] {
        [tag] => Ok(tag.clone()),
        _ => Err(Failure::user(format!("nothing says which release of {package} is to be mended"))
            .hint("say its tag with `--from`")),
    }
}
