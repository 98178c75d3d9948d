//! Why the benchmark stops.

#[derive(Debug)]
pub struct Problem(String);

impl Problem {
    pub fn new(text: impl Into<String>) -> Problem {
        Problem(text.into())
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem(error.to_string())
    }
}
