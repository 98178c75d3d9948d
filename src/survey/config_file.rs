//! Finds and reads the configuration.

use std::path::Path;

use crate::survey::error::SurveyError;
use crate::survey::inside::refuse_outside;
use crate::survey::packages::Files;
use crate::workspace::config::problem::{Problem, Problems};
use crate::workspace::config::{Config, ConfigPlace};

/// How wide problems are shown.
const WIDTH: usize = 100;

/// The configuration and the file it came from.
pub struct ConfigFile {
    pub config: Config,
    /// The file as people know it; empty where there is none.
    pub name: String,
    pub text: String,
}

impl ConfigFile {
    /// The error that shows these problems in the file.
    pub fn problems(&self, problems: Vec<Problem>) -> SurveyError {
        error(&Problems::new(&self.name, problems), &self.name, &self.text)
    }
}

/// Reads `--config`, `release.toml`, `.config/release.toml`, or `[tool.release]` of the root's pyproject.toml;
/// without any, the defaults.
///
/// # Errors
/// Where a file can not be read, or holds problems: all of them, each underlined.
pub fn find_config(root: &Path, named: Option<&Path>) -> Result<ConfigFile, SurveyError> {
    if let Some(path) = named {
        return read(path, &path.display().to_string(), ConfigPlace::File);
    }
    for name in ["release.toml", ".config/release.toml"] {
        let path = root.join(name);
        // Also a folder, or a link that leads nowhere: it is meant to be the configuration.
        if path.symlink_metadata().is_ok() {
            refuse_outside(root, name)?;
            return read(&path, name, ConfigPlace::File);
        }
    }
    let manifest = root.join("pyproject.toml");
    if let Ok(text) = std::fs::read_to_string(&manifest)
        && text.contains("tool.release")
        && Config::stands_in_pyproject(&text)
    {
        refuse_outside(root, "pyproject.toml")?;
        return read(&manifest, "pyproject.toml", ConfigPlace::Pyproject);
    }
    Ok(ConfigFile { config: Config::default(), name: String::new(), text: String::new() })
}

/// The same as a commit holds it.
///
/// # Errors
/// Where a file can not be read, or holds problems.
pub fn config_of_commit(files: &mut Files<'_>) -> Result<ConfigFile, SurveyError> {
    for name in ["release.toml", ".config/release.toml"] {
        if files.bytes(name)?.is_some() {
            return understand(name, ConfigPlace::File, files.text(name)?.to_owned());
        }
    }
    if files.bytes("pyproject.toml")?.is_some() {
        let text = files.text("pyproject.toml")?;
        if text.contains("tool.release") && Config::stands_in_pyproject(text) {
            return understand("pyproject.toml", ConfigPlace::Pyproject, text.to_owned());
        }
    }
    Ok(ConfigFile { config: Config::default(), name: String::new(), text: String::new() })
}

fn read(path: &Path, name: &str, place: ConfigPlace) -> Result<ConfigFile, SurveyError> {
    let bytes = std::fs::read(path).map_err(|source| SurveyError::Read { path: name.to_owned(), source })?;
    let text = String::from_utf8(bytes)
        .map_err(|error| SurveyError::not_utf8(name, error.as_bytes(), error.utf8_error()))?;
    understand(name, place, text)
}

fn understand(name: &str, place: ConfigPlace, text: String) -> Result<ConfigFile, SurveyError> {
    match Config::read(&text, name, place) {
        Ok(config) => Ok(ConfigFile { config, name: name.to_owned(), text }),
        Err(problems) => Err(error(&problems, name, &text)),
    }
}

fn error(problems: &Problems, name: &str, text: &str) -> SurveyError {
    let rendered = problems.render(name, text, WIDTH, false);
    // The first problem's own heading: whoever shows the error writes it again.
    SurveyError::Config {
        rendered: rendered.strip_prefix("error: ").unwrap_or(&rendered).trim_end().to_owned(),
    }
}
