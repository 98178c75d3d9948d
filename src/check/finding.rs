//! One thing a check has to say about a file.

/// What is wrong with a file, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// The file's name; empty where the set of files is meant.
    pub file: String,
    pub message: String,
    /// What to do next; empty where the message says it.
    pub way_out: String,
}

/// Whether a finding stops a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

impl Finding {
    pub fn error(file: &str, message: impl Into<String>, way_out: &str) -> Finding {
        Finding::new(Severity::Error, file, message.into(), way_out)
    }

    pub fn warning(file: &str, message: impl Into<String>, way_out: &str) -> Finding {
        Finding::new(Severity::Warning, file, message.into(), way_out)
    }

    /// Control characters are taken out: names and fields come from foreign programs.
    fn new(severity: Severity, file: &str, message: String, way_out: &str) -> Finding {
        let plain = |text: &str| text.chars().filter(|character| !character.is_control()).collect::<String>();
        Finding { severity, file: plain(file), message: plain(&message), way_out: plain(way_out) }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
