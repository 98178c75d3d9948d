//! Entry points: the commands and plugins that a wheel declares.

/// One line of `entry_points.txt`: `name = module:attribute [extras]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPoint {
    /// `console_scripts`, `gui_scripts` or any other group.
    pub group: String,
    pub name: String,
    pub module: String,
    /// The object in the module, with dots; empty for the module itself.
    pub attribute: String,
}

impl EntryPoint {
    pub fn is_script(&self) -> bool {
        matches!(self.group.as_str(), "console_scripts" | "gui_scripts")
    }
}

/// Reads `entry_points.txt` (entry points specification: an INI file with `=` only, `#` for comments).
///
/// # Errors
/// The first fault, in words.
pub fn parse(bytes: &[u8]) -> Result<Vec<EntryPoint>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "entry_points.txt is not UTF-8".to_owned())?;
    let mut group: Option<String> = None;
    let mut points = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = Some(name.trim().to_owned());
            continue;
        }
        let point = group.as_deref().and_then(|group| entry_point(group, line));
        points.push(
            point.ok_or_else(|| {
                format!("line {} of entry_points.txt is no `name = module:object`", index + 1)
            })?,
        );
    }
    Ok(points)
}

fn entry_point(group: &str, line: &str) -> Option<EntryPoint> {
    let (name, value) = line.split_once('=')?;
    let value = value.split('[').next()?.trim();
    let (module, attribute) = value.split_once(':').unwrap_or((value, ""));
    let (name, module, attribute) = (name.trim(), module.trim(), attribute.trim());
    if name.is_empty() || !is_dotted(module) || !(attribute.is_empty() || is_dotted(attribute)) {
        return None;
    }
    Some(EntryPoint {
        group: group.to_owned(),
        name: name.to_owned(),
        module: module.to_owned(),
        attribute: attribute.to_owned(),
    })
}

/// Whether a text is a dotted Python name.
pub fn is_dotted(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

/// Whether a text can be a Python name; keywords are let through.
pub fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_names_and_objects_are_told_apart() {
        let text = b"[console_scripts]\nacme = acme.cli:main\n# no\nrun.it = acme.cli:App.run [fast]\n\n[acme.plugins]\nx=acme.x\n";
        let points = parse(text).unwrap();
        let shown: Vec<String> =
            points.iter().map(|p| format!("{}|{}|{}|{}", p.group, p.name, p.module, p.attribute)).collect();
        assert_eq!(
            shown,
            [
                "console_scripts|acme|acme.cli|main",
                "console_scripts|run.it|acme.cli|App.run",
                "acme.plugins|x|acme.x|"
            ]
        );
        assert!(points[0].is_script() && !points[2].is_script());
    }

    #[test]
    fn what_is_no_entry_point_is_refused() {
        assert!(parse(b"acme = acme:main\n").is_err());
        assert!(parse(b"[console_scripts]\nacme\n").is_err());
        assert!(parse(b"[console_scripts]\nacme = a b:main\n").is_err());
        assert!(parse(b"[console_scripts]\nacme = os:system('x')\n").is_err());
    }
}
