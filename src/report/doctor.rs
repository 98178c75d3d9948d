//! What is wrong, and the exact next command.

use serde::Serialize;

use crate::report::json::pretty;
use crate::report::paint::Paint;
use crate::report::plain::line;
use crate::report::table::{indented, paragraph};

/// The whole answer of `release doctor`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Where the ledger is, in words.
    pub ledger: String,
    pub findings: Vec<Finding>,
    /// Ships under way and who has them in hand.
    pub ships: Vec<ShipDiagnosis>,
}

/// One fact, how grave it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub level: Level,
    pub fact: String,
    /// The next command, or what a person does; null where nothing is to be done.
    pub next: Option<String>,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Good,
    /// Something waits.
    Waits,
    /// Facts disagree, or something can not go on by itself.
    Wrong,
}

/// A ship under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShipDiagnosis {
    pub plan: String,
    /// `core 2.1.0`
    pub releases: Vec<String>,
    pub claimed: bool,
    pub epoch: u64,
    /// Null where nobody has it in hand.
    pub holder: Option<String>,
    /// `alive`, `dead` or `unknown`; null without a holder.
    pub liveness: Option<&'static str>,
    pub done: usize,
    pub remaining: usize,
}

impl Diagnosis {
    /// The gravest of all findings.
    pub fn level(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Good)
    }
}

/// For people: what is good in a line each, then what waits and what is wrong, each with its next command.
pub fn doctor_text(diagnosis: &Diagnosis, width: usize, color: bool) -> String {
    let mut text = format!("ledger: {}\n", line(&diagnosis.ledger));
    for ship in &diagnosis.ships {
        text.push_str(&ship_text(ship, width));
    }
    let mut findings: Vec<&Finding> = diagnosis.findings.iter().collect();
    findings.sort_by_key(|finding| finding.level);
    for finding in findings {
        let (mark, paint) = match finding.level {
            Level::Good => ("ok", Paint::Green),
            Level::Waits => ("waits", Paint::Yellow),
            Level::Wrong => ("wrong", Paint::Red),
        };
        let said = indented(&paragraph(&line(&finding.fact), width.saturating_sub(7), 0), 7);
        text.push_str(&paint.on(&format!("{mark:<7}"), color));
        text.push_str(&said[7..]);
        if let Some(next) = &finding.next {
            // A command stands on a line of its own, however long, so that it can be copied.
            text.push_str(&format!("       next: {}\n", line(next)));
        }
    }
    if diagnosis.level() == Level::Good {
        text.push_str("nothing is wrong\n");
    }
    text
}

fn ship_text(ship: &ShipDiagnosis, width: usize) -> String {
    let plan: String = ship.plan.trim_start_matches("sha256:").chars().take(12).collect();
    let claimed = if ship.claimed { "claimed" } else { "not claimed" };
    let held = match (&ship.holder, ship.liveness) {
        (Some(holder), Some(liveness)) => format!("in hand of {}, which is {liveness}", line(holder)),
        _ => "in nobody's hand".to_owned(),
    };
    let releases: Vec<String> = ship.releases.iter().map(|release| line(release)).collect();
    let text = format!(
        "{}; {claimed}, {} of {} steps done, epoch {}, {held}",
        releases.join(", "),
        ship.done,
        ship.done + ship.remaining,
        ship.epoch
    );
    format!("under way: plan {plan}\n") + &indented(&paragraph(&text, width.saturating_sub(2), 0), 2)
}

pub fn doctor_json(diagnosis: &Diagnosis) -> String {
    #[derive(Serialize)]
    struct Answer<'d> {
        level: Level,
        #[serde(flatten)]
        diagnosis: &'d Diagnosis,
    }
    pretty(&Answer { level: diagnosis.level(), diagnosis })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level, fact: &str, next: Option<&str>) -> Finding {
        Finding { level, fact: fact.to_owned(), next: next.map(str::to_owned) }
    }

    #[test]
    fn what_is_wrong_comes_last_with_its_next_command() {
        let ship = ShipDiagnosis {
            plan: "sha256:0123456789abcdef".to_owned(),
            releases: vec!["core 2.1.0".to_owned()],
            claimed: true,
            epoch: 2,
            holder: Some("desk, process 7".to_owned()),
            liveness: Some("dead"),
            done: 3,
            remaining: 4,
        };
        let diagnosis = Diagnosis {
            ledger: "refs/release/ledger of origin".to_owned(),
            findings: vec![
                finding(Level::Wrong, "tag `core-v2.1.0` is elsewhere", Some("git push origin x")),
                finding(Level::Good, "`origin` answers", None),
            ],
            ships: vec![ship],
        };
        let expected = "\
ledger: refs/release/ledger of origin
under way: plan 0123456789ab
  core 2.1.0; claimed, 3 of 7 steps done, epoch 2, in hand of desk, process 7,
  which is dead
ok     `origin` answers
wrong  tag `core-v2.1.0` is elsewhere
       next: git push origin x
";
        let text = doctor_text(&diagnosis, 80, false);
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn good_health_is_one_line_more() {
        let diagnosis = Diagnosis {
            ledger: "x".to_owned(),
            findings: vec![finding(Level::Good, "all is well", None)],
            ships: Vec::new(),
        };
        assert!(doctor_text(&diagnosis, 80, false).ends_with("nothing is wrong\n"));
        assert!(doctor_json(&diagnosis).contains("\"level\": \"good\""));
    }
}
