//! A plan as the jobs of a workflow read it: outputs of a step, and its summary.

use crate::plan::digest::Digest;
use crate::plan::waves::{MOST, Matrix, Row, chunks};
use crate::report::json::compact;
use crate::report::words::count;

/// The most bytes that GitHub shows of a step's summary, and that it takes as the outputs of a job.
pub const LIMIT: usize = 1024 * 1024;

/// The outputs, as the file of `GITHUB_OUTPUT` has them: `any`, `packages`, `matrix`, `chunks`, `waves`, `plan`.
pub fn outputs(waves: &[Matrix], plan: &Digest) -> String {
    let rows: Vec<&Row> = waves.iter().flat_map(|wave| &wave.include).collect();
    let packages: Vec<&str> = rows.iter().map(|row| row.package.as_str()).collect();
    let chunks = chunks(waves);
    let matrix = chunks.first().cloned().unwrap_or_default();
    let pairs = [
        ("any", (!rows.is_empty()).to_string()),
        ("packages", compact(&packages)),
        ("matrix", compact(&matrix)),
        ("chunks", compact(&chunks)),
        ("waves", compact(&waves)),
        ("plan", plan.as_str().to_owned()),
    ];
    pairs.iter().map(|(name, value)| output(name, value)).collect()
}

/// What people should know of outputs, where there is something: a matrix that holds only a part.
pub fn remark(waves: &[Matrix]) -> Option<String> {
    let rows: usize = waves.iter().map(|wave| wave.include.len()).sum();
    let parts = rows.div_ceil(MOST);
    (parts > 1).then(|| {
        format!(
            "{rows} packages are more than the {MOST} jobs of one matrix: `matrix` has the first {MOST}, `chunks` all in \
             {parts} parts, and no wave in `waves` has more than {MOST}"
        )
    })
}

/// One line for people about what was written.
pub fn told(waves: &[Matrix]) -> String {
    let rows: usize = waves.iter().map(|wave| wave.include.len()).sum();
    match rows {
        0 => "nothing to release: `any` is false\n".to_owned(),
        _ => format!("{} in {}\n", count(rows, "package"), count(waves.len(), "wave")),
    }
}

/// One output: on its line, or between two marks where it has several lines.
fn output(name: &str, value: &str) -> String {
    if !value.contains(['\n', '\r']) {
        return format!("{name}={value}\n");
    }
    let mark = mark(value);
    format!("{name}<<{mark}\n{value}\n{mark}\n")
}

/// A line that the value does not have: it is told by the value's own digest, so that nobody can write it there.
fn mark(value: &str) -> String {
    let mut mark = Digest::of(value.as_bytes()).hex().to_owned();
    while value.contains(&mark) {
        mark = Digest::of(mark.as_bytes()).hex().to_owned();
    }
    mark
}

/// A summary that fits into so many bytes: one that does not is cut at a line, and says so.
pub fn summary(text: &str, room: usize) -> String {
    if text.len() <= room {
        return text.to_owned();
    }
    let close = "\n</details>\n";
    let end = "\nThe rest is cut here; `release plan` shows all of it.\n";
    let mut cut = room.saturating_sub(close.len() + end.len());
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let kept = text[..cut].rfind('\n').map_or("", |at| &text[..=at]);
    let is_open = kept.matches("<details>").count() > kept.matches("</details>").count();
    let whole = format!("{kept}{}{end}", if is_open { close } else { "" });
    if whole.len() <= room { whole } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::waves::waves;
    use crate::report::plan_markdown::plan_markdown;
    use crate::report::samples::{empty, plan};

    #[test]
    fn outputs_are_a_line_each() {
        let waves = waves(&plan(), &|id| id.ends_with(":mlops"));
        let text = outputs(&waves, &Digest::of(b"plan"));
        let row = |package: &str, from: &str, to: &str, tag: &str| {
            format!(
                "{{\"package\":\"{package}\",\"path\":\"packages/{package}\",\"distribution\":\"acme-{package}\",\
                 \"from\":{from},\"to\":\"{to}\",\"tag\":\"{tag}\",\"index\":\"local\",\"image\":null,\"wave\":0}}"
            )
        };
        let matrix = format!(
            "{{\"include\":[{},{}]}}",
            row("core", "\"2.0.3\"", "2.1.0", "core-v2.1.0"),
            row("anomaly-detection", "null", "0.1.0", "anomaly-detection-v0.1.0")
        );
        let expected = format!(
            "any=true\npackages=[\"core\",\"anomaly-detection\"]\nmatrix={matrix}\nchunks=[{matrix}]\nwaves=[{matrix}]\n\
             plan={}\n",
            Digest::of(b"plan")
        );
        assert_eq!(text, expected);
        assert_eq!(told(&waves), "2 packages in 1 wave\n");
    }

    #[test]
    fn nothing_is_an_empty_matrix() {
        let text = outputs(&[], &empty().digest);
        assert!(
            text.starts_with("any=false\npackages=[]\nmatrix={\"include\":[]}\nchunks=[]\nwaves=[]\nplan="),
            "{text}"
        );
        assert!(told(&[]).contains("any"));
    }

    #[test]
    fn a_value_of_several_lines_can_not_end_itself() {
        let value = format!("a\n{}\nplan=other", Digest::of(b"a").hex());
        let text = output("x", &value);
        let mark = text.lines().last().unwrap();
        assert_eq!(text, format!("x<<{mark}\n{value}\n{mark}\n"));
        assert!(!value.contains(mark));
        assert_eq!(output("x", "one line"), "x=one line\n");
    }

    #[test]
    fn a_summary_is_cut_at_a_line_and_its_folds_are_closed() {
        let text = plan_markdown(&plan());
        assert_eq!(summary(&text, LIMIT), text);
        for room in [0, 40, 200, 900, text.len() - 1] {
            let cut = summary(&text, room);
            assert!(cut.len() <= room, "{room}: {}", cut.len());
            assert_eq!(cut.matches("<details>").count(), cut.matches("</details>").count(), "{room}:\n{cut}");
            assert!(cut.is_empty() || cut.ends_with("shows all of it.\n"), "{cut}");
            let kept = cut.split("\nThe rest").next().unwrap().trim_end_matches("\n</details>\n");
            assert!(text.starts_with(kept), "{cut}");
        }
    }
}
