//! The fields of an upload, from a distribution's core metadata (docs.pypi.org, "Upload API").

/// Fields of core metadata and what the form calls them, where that is not the name in lower case with `_` for `-`.
const RENAMED: [(&str, &str); 4] = [
    ("classifier", "classifiers"),
    ("project-url", "project_urls"),
    ("import-name", "import_names"),
    ("import-namespace", "import_namespaces"),
];

/// What the form says of a file beside its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// `sdist` or `bdist_wheel`.
    pub filetype: &'static str,
    /// `source`, or the wheel's python tags as its name has them: `py3`, `cp311`, `py2.py3`.
    pub pyversion: String,
    /// Hexadecimal digits.
    pub sha256: String,
    /// BLAKE2b with 32 bytes of output, hexadecimal digits.
    pub blake2_256: String,
}

/// All fields but the file, in the order of the metadata. Values `UNKNOWN` are left out, as the index does.
pub fn fields(metadata: &[(String, String)], description: &str, facts: &FileFacts) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = vec![
        (":action".to_owned(), "file_upload".to_owned()),
        ("protocol_version".to_owned(), "1".to_owned()),
        ("sha256_digest".to_owned(), facts.sha256.clone()),
        ("blake2_256_digest".to_owned(), facts.blake2_256.clone()),
        ("filetype".to_owned(), facts.filetype.to_owned()),
        ("pyversion".to_owned(), facts.pyversion.clone()),
    ];
    let in_body = !description.trim().is_empty();
    for (name, value) in metadata {
        let name = form_name(name);
        let replaced = name == "description" && in_body;
        if !replaced && value.trim() != "UNKNOWN" {
            fields.push((name, value.clone()));
        }
    }
    if in_body {
        fields.push(("description".to_owned(), description.to_owned()));
    }
    if !fields.iter().any(|(name, _)| name == "requires_python") {
        // GitLab's index refuses a form without it.
        fields.push(("requires_python".to_owned(), String::new()));
    }
    fields
}

fn form_name(field: &str) -> String {
    let lower = field.to_ascii_lowercase();
    let renamed = RENAMED.iter().find(|(name, _)| *name == lower);
    renamed.map_or_else(|| lower.replace('-', "_"), |(_, form)| (*form).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(metadata: &[(&str, &str)], description: &str) -> Vec<(String, String)> {
        let facts = FileFacts {
            filetype: "sdist",
            pyversion: "source".to_owned(),
            sha256: "aa".to_owned(),
            blake2_256: "bb".to_owned(),
        };
        let owned: Vec<(String, String)> =
            metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        fields(&owned, description, &facts)
    }

    #[test]
    fn every_field_has_the_name_that_the_index_knows() {
        for (field, name) in [
            ("Metadata-Version", "metadata_version"),
            ("Name", "name"),
            ("Version", "version"),
            ("Platform", "platform"),
            ("Supported-Platform", "supported_platform"),
            ("Summary", "summary"),
            ("Description-Content-Type", "description_content_type"),
            ("Keywords", "keywords"),
            ("Home-page", "home_page"),
            ("Download-URL", "download_url"),
            ("Author-email", "author_email"),
            ("License-Expression", "license_expression"),
            ("License-File", "license_file"),
            ("Classifier", "classifiers"),
            ("Requires-Dist", "requires_dist"),
            ("Requires-External", "requires_external"),
            ("Project-URL", "project_urls"),
            ("Provides-Extra", "provides_extra"),
            ("Provides-Dist", "provides_dist"),
            ("Obsoletes-Dist", "obsoletes_dist"),
            ("Dynamic", "dynamic"),
            ("Import-Name", "import_names"),
            ("Import-Namespace", "import_namespaces"),
            ("requires-python", "requires_python"),
        ] {
            assert_eq!(form_name(field), name, "{field}");
        }
    }

    #[test]
    fn lists_repeat_their_name_and_the_body_is_the_description() {
        let form = form(
            &[("Classifier", "a"), ("Classifier", "b"), ("Description", "old"), ("License", "UNKNOWN")],
            "# New\n",
        );
        let of = |name: &str| -> Vec<String> {
            form.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
        };
        assert_eq!(of("classifiers"), ["a", "b"]);
        assert_eq!(of("description"), ["# New\n"]);
        assert_eq!(of("license"), Vec::<String>::new());
        assert_eq!(of("requires_python"), [""]);
        assert_eq!(of(":action"), ["file_upload"]);
        assert_eq!(of("blake2_256_digest"), ["bb"]);
    }
}
