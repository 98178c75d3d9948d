//! Tells a change of the version alone from a change of anything else.

use crate::version::number::Version;

/// Whether two `pyproject.toml` are the same but for `project.version` and `tool.poetry.version`: every other
/// line is the same, comments and layout too.
pub fn manifest_differs_in_version_only(old: &[u8], new: &[u8]) -> bool {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else { return false };
    let same_lines = old.lines().map(without_version).eq(new.lines().map(without_version));
    same_lines
        && match (manifest_without_version(old), manifest_without_version(new)) {
            (Some(old), Some(new)) => old == new,
            _ => false,
        }
}

/// A line, or of one that sets a version only that it does.
fn without_version(line: &str) -> &str {
    let key = line.trim_start();
    match key.strip_prefix("version").map(str::trim_start) {
        Some(rest) if rest.starts_with('=') => "version =",
        _ => line,
    }
}

/// Whether two texts have the same lines but for version numbers in them.
pub fn differs_in_version_only(old: &[u8], new: &[u8]) -> bool {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else { return false };
    let (mut old, mut new) = (old.lines(), new.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return true,
            (Some(before), Some(after)) if before == after || masked(before) == masked(after) => {}
            _ => return false,
        }
    }
}

fn manifest_without_version(text: &str) -> Option<serde_json::Value> {
    let mut manifest: serde_json::Value = toml_edit::de::from_str(text).ok()?;
    for table in ["/project", "/tool/poetry"] {
        if let Some(table) = manifest.pointer_mut(table).and_then(serde_json::Value::as_object_mut) {
            table.remove("version");
        }
    }
    Some(manifest)
}

/// The line with each PEP 440 version of at least two numbers replaced.
fn masked(line: &str) -> String {
    let part = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '+' | '-' | '!' | '_')
    };
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(part) {
        let (before, word_on) = rest.split_at(start);
        let (word, after) =
            word_on.split_at(word_on.find(|character| !part(character)).unwrap_or(word_on.len()));
        let is_version = word.contains('.')
            && word.trim_start_matches(['v', 'V']).starts_with(|character: char| character.is_ascii_digit())
            && Version::parse(word).is_ok();
        masked.push_str(before);
        masked.push_str(if is_version { "\0" } else { word });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_may_change_its_version_and_nothing_else() {
        let check = |old: &str, new: &str, expected| {
            assert_eq!(
                manifest_differs_in_version_only(old.as_bytes(), new.as_bytes()),
                expected,
                "{old} {new}"
            );
        };
        check("[project]\nversion = '1'\nname = 'a'", "[project]\nversion = '2'\nname = 'a'", true);
        check("[project]\nversion = '1'\nname = 'a'", "[project]\nversion = '2'\nname = 'a' # x", false);
        check("[project]\nversion = '1'\nname = 'a'", "[project]\nversion = '1'\nname = \"a\"", false);
        check("[tool.poetry]\nversion = '1'", "[tool.poetry]\nversion = '2'", true);
        check("[project]\nversion = '1'", "[project]\nversion = '2'\ndependencies = ['b']", false);
        check("[tool.other]\nversion = '1'", "[tool.other]\nversion = '2'", false);
        check("broken = ", "broken = 1", false);
    }

    #[test]
    fn a_version_file_may_change_its_version() {
        let check = |old: &str, new: &str, expected| {
            assert_eq!(differs_in_version_only(old.as_bytes(), new.as_bytes()), expected, "{old} {new}");
        };
        check("__version__ = \"1.2.3\"\nx = 1\n", "__version__ = \"1.3.0rc1\"\nx = 1\n", true);
        check("v1.2.3", "v2.0", true);
        check("x = 1\n", "x = 2\n", false);
        check("__version__ = '1.2.3'\n", "__version__ = '1.2.4'\nx = 1\n", false);
        check("import a.b1\n", "import a.b2\n", false);
    }
}
