//! Texts with a form of their own: patterns, tag formats, versions, spans of time, windows.

use std::borrow::Cow;
use std::fmt;

use globset::GlobBuilder;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::version::number::Version;
use crate::workspace::config::image_text;
use crate::workspace::config::week::Weekly;
use crate::workspace::path::RepoPath;

/// What is wrong with a text of the given form; `None` where nothing is, or the form is unknown.
pub fn fault(form: &str, text: &str) -> Option<Fault> {
    match form {
        Glob::FORM => glob_fault(text),
        TagFormat::FORM => tag_format_fault(text),
        VersionText::FORM => version_fault(text),
        Span::FORM => Span::read(text).is_none().then(|| Fault {
            message: format!("`{text}` is no span of time"),
            help: "write hours, minutes and seconds: `90s`, `10m`, `1h30m`, `2d`".to_owned(),
        }),
        Window::FORM => window_fault(text),
        InsidePath::FORM => path_fault(text),
        Url::FORM => url_fault(text),
        Name::FORM => name_fault(text),
        ImageTag::FORM => image_text::tag_fault(text),
        ImageRepository::FORM => image_text::repository_fault(text),
        Platform::FORM => image_text::platform_fault(text),
        _ => None,
    }
}

/// Why a text does not have its form, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub help: String,
}

/// A text form as the schema shows it; the value itself stays a `String`.
macro_rules! text_form {
    ($(#[$doc:meta])* $name:ident, $form:literal, $extra:tt) => {
        $(#[$doc])*
        pub struct $name;

        impl $name {
            /// The form's name in the schema (`format`).
            pub const FORM: &'static str = $form;
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($extra);
                schema.insert("type".to_owned(), "string".into());
                schema.insert("format".to_owned(), $form.into());
                schema
            }
        }
    };
}

text_form!(
    /// A pattern of paths: `*` inside one folder, `**` across folders, `?`, `[ab]`, `{a,b}`.
    Glob, "glob", {}
);
text_form!(
    /// The form of tags: `{version}` once, `{name}` at most once.
    TagFormat, "tag-format", { "pattern": "\\{version\\}" }
);
text_form!(
    /// A PEP 440 version.
    VersionText, "pep440-version", {}
);
text_form!(
    /// Days and hours of a week: `Mon-Thu 09:00-16:00`.
    Window, "weekly-window", {}
);
text_form!(
    /// A path that stays inside the repository.
    InsidePath, "inside-path", {}
);
text_form!(
    /// An `https` or `http` address without credentials.
    Url, "web-address", { "pattern": "^https?://" }
);
text_form!(
    /// A name that is also fit for commands, tags and references: letters, digits, `-`, `_`, `.`.
    Name, "plain-name", { "pattern": "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$" }
);

text_form!(
    /// The form of an image's tags: `{version}`, `{major}.{minor}`, `latest`.
    ImageTag, "image-tag-format", {}
);
text_form!(
    /// Where an image stands, without a tag: `ghcr.io/acme/mlops`.
    ImageRepository, "image-repository", {}
);
text_form!(
    /// What an image runs on: `linux/amd64`, `linux/arm/v7`.
    Platform, "platform", {}
);

/// A span of time in whole seconds, written `10m`, `90s` or `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub seconds: u64,
}

impl Span {
    /// The form's name in the schema (`format`).
    pub const FORM: &'static str = "time-span";

    /// Reads numbers with units, largest unit first, each at most once: `d`, `h`, `m`, `s`.
    pub fn read(text: &str) -> Option<Span> {
        let mut units = [('d', 86_400_u64), ('h', 3_600), ('m', 60), ('s', 1)].into_iter();
        let mut seconds = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|character: char| !character.is_ascii_digit())?;
            let number: u64 = rest[..digits].parse().ok()?;
            let unit = rest[digits..].chars().next()?;
            let (_, size) = units.find(|(letter, _)| *letter == unit)?;
            seconds = seconds.checked_add(number.checked_mul(size)?)?;
            rest = &rest[digits + unit.len_utf8()..];
        }
        (!text.is_empty()).then_some(Span { seconds })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.seconds;
        for (unit, size) in [('d', 86_400), ('h', 3_600), ('m', 60)] {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        if rest > 0 || self.seconds == 0 { write!(f, "{rest}s") } else { Ok(()) }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::read(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no span of time")))
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": Span::FORM, "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2 })
    }
}

fn glob_fault(text: &str) -> Option<Fault> {
    if let Some(fault) = path_fault(text) {
        return Some(fault);
    }
    let error = GlobBuilder::new(text).literal_separator(true).build().err()?;
    Some(Fault {
        message: format!("`{text}` is no pattern: {}", error.kind()),
        help:
            "`*` stands for one folder or file name, `**` for any depth; put `\\` before a literal `[` or `{`"
                .to_owned(),
    })
}

fn path_fault(text: &str) -> Option<Fault> {
    let fault = |message: String| {
        Some(Fault {
            message,
            help: "write a path relative to the repository or the package, with `/`".to_owned(),
        })
    };
    if text.is_empty() {
        return fault("the path is empty".to_owned());
    }
    if RepoPath::new(text).is_none() || text.contains('\0') {
        return fault(format!("`{text}` leads out of the repository"));
    }
    None
}

fn version_fault(text: &str) -> Option<Fault> {
    Version::parse(text).is_err().then(|| Fault {
        message: format!("`{text}` is not a PEP 440 version"),
        help: "write it as `2.0.0` or `2.0.0rc1`".to_owned(),
    })
}

/// Rules of `git check-ref-format` are asked of the text around the placeholders.
fn tag_format_fault(text: &str) -> Option<Fault> {
    let fault = |message: String, help: &str| Some(Fault { message, help: help.to_owned() });
    let mut literal = String::new();
    let mut rest = text;
    let (mut versions, mut names) = (0, 0);
    while let Some(start) = rest.find(['{', '}']) {
        literal.push_str(&rest[..start]);
        let placeholder = rest[start..].strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((word, after)) = placeholder else {
            return fault(
                format!("tag format `{text}` has a brace without its partner"),
                "the placeholders are `{name}` and `{version}`",
            );
        };
        match word {
            "version" => versions += 1,
            "name" => names += 1,
            _ => {
                return fault(
                    format!("tag format `{text}` has an unknown placeholder `{{{word}}}`"),
                    "the placeholders are `{name}` and `{version}`",
                );
            }
        }
        literal.push('0');
        rest = after;
    }
    literal.push_str(rest);
    if versions != 1 {
        return fault(
            format!("tag format `{text}` must hold `{{version}}` once"),
            "for example `{name}-v{version}`",
        );
    }
    if names > 1 {
        return fault(
            format!("tag format `{text}` holds `{{name}}` twice"),
            "for example `{name}-v{version}`",
        );
    }
    if text.contains("}{") {
        return fault(
            format!("tag format `{text}` has nothing between name and version"),
            "separate them, for example `{name}-v{version}`",
        );
    }
    is_refused_by_git(&literal).then(|| Fault {
        message: format!("tag format `{text}` gives tags that git refuses"),
        help: "no spaces, no `~^:?*[\\`, no `..`, no `/` at either end; see `git help check-ref-format`"
            .to_owned(),
    })
}

fn is_refused_by_git(tag: &str) -> bool {
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    tag.starts_with('-')
        || tag.ends_with('.')
        || tag.contains("..")
        || tag.contains("@{")
        || tag.chars().any(|character| character.is_ascii_control() || " ~^:?*[\\".contains(character))
        || tag.split('/').any(bad_part)
}

fn window_fault(text: &str) -> Option<Fault> {
    Weekly::read(text).is_none().then(|| Fault {
        message: format!("`{text}` is no window of the week"),
        help: "write days and hours: `Mon-Thu 09:00-16:00`, `Sat,Sun 06:00-24:00`, or over midnight `Fri 22:00-06:00`"
            .to_owned(),
    })
}

fn url_fault(text: &str) -> Option<Fault> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
    let (message, help) = match host {
        None => (format!("`{text}` is no web address"), "begin it with `https://`"),
        Some(host) if host.contains('@') => (
            "the address holds credentials".to_owned(),
            "take them out of the file; they are read from the environment when they are needed",
        ),
        Some("") => (format!("`{text}` names no host"), "write it as `https://HOST/PATH`"),
        Some(_) if text.contains(|character: char| character.is_whitespace() || character.is_control()) => {
            (format!("`{text}` holds a blank"), "write it without blanks")
        }
        Some(_) => return None,
    };
    Some(Fault { message, help: help.to_owned() })
}

fn name_fault(text: &str) -> Option<Fault> {
    (!crate::workspace::name::is_valid(text)).then(|| Fault {
        message: format!("`{text}` is no name"),
        help: "letters, digits, and `-`, `_`, `.` inside".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_read_and_written_alike() {
        for text in ["10m", "90s", "1h30m", "2d", "0s", "1d2h3m4s"] {
            let span = Span::read(text).unwrap();
            assert_eq!(Span::read(&span.to_string()), Some(span), "{text}");
        }
        assert_eq!(Span::read("1h30m").unwrap().seconds, 5_400);
        for text in ["", "10", "m", "10 m", "1m1h", "1s1s", "-1s", "1.5h", "99999999999999999999d", "1µ"] {
            assert_eq!(Span::read(text), None, "{text}");
        }
    }

    #[test]
    fn tag_formats_hold_the_version_once() {
        for good in
            ["{name}-v{version}", "v{version}", "{version}", "{name}@v{version}", "releases/{name}/{version}"]
        {
            assert_eq!(tag_format_fault(good), None, "{good}");
        }
        let message = |text: &str| tag_format_fault(text).unwrap().message;
        assert_eq!(message("{name}"), "tag format `{name}` must hold `{version}` once");
        assert_eq!(
            message("{nmae}-{version}"),
            "tag format `{nmae}-{version}` has an unknown placeholder `{nmae}`"
        );
        assert_eq!(message("{version"), "tag format `{version` has a brace without its partner");
        assert_eq!(
            message("{name}{version}"),
            "tag format `{name}{version}` has nothing between name and version"
        );
        for refused in
            ["a b{version}", "-{version}", "{version}/", "a..{version}", "{version}.lock", "/{version}"]
        {
            assert_eq!(message(refused), format!("tag format `{refused}` gives tags that git refuses"));
        }
    }

    #[test]
    fn addresses_carry_no_credentials() {
        assert_eq!(url_fault(crate::workspace::config::addresses::PYPI_UPLOAD), None);
        assert_eq!(url_fault("http://127.0.0.1:8080/health?a=b@c"), None);
        assert_eq!(url_fault("https://me:secret@host/").unwrap().message, "the address holds credentials");
        assert!(url_fault("ftp://host/").is_some());
        assert!(url_fault("https:///x").is_some());
    }

    #[test]
    fn patterns_and_paths_stay_inside() {
        assert_eq!(glob_fault("src/packages/*/*"), None);
        assert_eq!(glob_fault("."), None);
        assert!(glob_fault("src/[a").unwrap().message.starts_with("`src/[a` is no pattern: "));
        assert_eq!(path_fault("../x").unwrap().message, "`../x` leads out of the repository");
        assert!(path_fault("").is_some());
    }
}
