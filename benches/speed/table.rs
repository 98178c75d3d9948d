//! The table of works, goals and what was measured: for a terminal of 80 columns, or as Markdown.

/// One work, its goal and what came out.
#[derive(Debug, Clone)]
pub struct Row {
    pub work: String,
    pub goal: String,
    pub measured: String,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Over,
    /// There was nothing to compare with.
    Unknown,
}

impl Row {
    /// A row whose measure is to stay at or below the goal.
    pub fn at_most(work: impl Into<String>, goal: f64, unit: &str, measure: f64) -> Row {
        Row {
            work: work.into(),
            goal: format!("≤ {} {unit}", number(goal)),
            measured: format!("{} {unit}", number(measure)),
            verdict: if measure <= goal { Verdict::Ok } else { Verdict::Over },
        }
    }

    /// A row whose measure is to reach the goal.
    pub fn at_least(work: impl Into<String>, goal: f64, unit: &str, measure: f64) -> Row {
        Row {
            work: work.into(),
            goal: format!("≥ {} {unit}", number(goal)),
            measured: format!("{} {unit}", number(measure)),
            verdict: if measure >= goal { Verdict::Ok } else { Verdict::Over },
        }
    }

    pub fn unknown(work: impl Into<String>, goal: impl Into<String>, why: impl Into<String>) -> Row {
        Row { work: work.into(), goal: goal.into(), measured: why.into(), verdict: Verdict::Unknown }
    }

    /// With a word more about what was measured.
    pub fn noting(mut self, note: impl AsRef<str>) -> Row {
        self.measured = format!("{} ({})", self.measured, note.as_ref());
        self
    }

    /// With a mark that the measure was scaled from a sample.
    pub fn scaled(mut self) -> Row {
        self.measured = format!("~ {}", self.measured);
        self
    }
}

/// Three columns within 80, longer cells on several lines.
pub fn text(rows: &[Row]) -> String {
    let mut text = line("work", "goal", "measured", "");
    for row in rows {
        let [work, goal, measured] = [wrap(&row.work, 33), wrap(&row.goal, 12), wrap(&row.measured, 24)];
        let height = work.len().max(goal.len()).max(measured.len());
        let cell = |lines: &[String], at: usize| lines.get(at).cloned().unwrap_or_default();
        for at in 0..height {
            let mark = if at == 0 { mark(row.verdict) } else { "" };
            text += &line(&cell(&work, at), &cell(&goal, at), &cell(&measured, at), mark);
        }
    }
    text
}

pub fn markdown(rows: &[Row]) -> String {
    let mut text = "| work | goal | measured | |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let cells = [row.work.as_str(), &row.goal, &row.measured, mark(row.verdict)];
        text += &format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    text
}

/// A number with about three digits that matter.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 10_000.0 {
        return format!("{},{:03}", (value / 1000.0).floor(), (value % 1000.0).floor());
    }
    let digits = match size {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Over => "over",
        Verdict::Unknown => "–",
    }
}

fn line(work: &str, goal: &str, measured: &str, mark: &str) -> String {
    format!("{work:<33}  {goal:<12}  {measured:<24}  {mark}").trim_end().to_owned() + "\n"
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            let gap = if length == 0 { "" } else { " " };
            lines[last] = format!("{}{gap}{word}", lines[last]);
        }
    }
    lines
}
