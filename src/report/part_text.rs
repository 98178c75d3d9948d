//! What one job has done of a release that several share.

use std::collections::BTreeSet;

use crate::plan::{Plan, Release};
use crate::report::plain::line;

/// What is done here, and whether that was the last of it.
pub fn part_text(plan: &Plan, packages: Option<&BTreeSet<String>>, is_finished: bool) -> String {
    let is_ours = |release: &&Release| packages.is_none_or(|packages| packages.contains(&release.package));
    let name = |release: &Release| line(&format!("{} {}", release.package, release.to));
    let names: Vec<String> = plan.releases.iter().filter(is_ours).map(name).collect();
    let rest = match is_finished {
        true => "that was the last of the release",
        false => "other jobs do the rest of the release",
    };
    format!("done: {}; {rest}\n", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::plan;

    #[test]
    fn a_part_says_whose_the_rest_is() {
        let packages = BTreeSet::from(["core".to_owned()]);
        let text = part_text(&plan(), Some(&packages), false);
        assert_eq!(text, "done: core 2.1.0; other jobs do the rest of the release\n");
        let text = part_text(&plan(), None, true);
        assert_eq!(
            text,
            "done: core 2.1.0, mlops 2.0.0, anomaly-detection 0.1.0; that was the last of the release\n"
        );
    }
}
