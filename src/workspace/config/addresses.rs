//! The addresses of PyPI's public services: the one place that holds them (docs.pypi.org, "API reference").

/// Where PyPI takes uploads.
pub const PYPI_UPLOAD: &str = "https://upload.pypi.org/legacy/";
/// Where PyPI lists packages (PEP 503, PEP 691).
pub const PYPI_SIMPLE: &str = "https://pypi.org/simple/";
/// Where its test twin takes uploads.
pub const TEST_UPLOAD: &str = "https://test.pypi.org/legacy/";
/// Where its test twin lists packages.
pub const TEST_SIMPLE: &str = "https://test.pypi.org/simple/";

/// Where a person manages a project of PyPI's.
const PYPI_MANAGE: &str = "https://pypi.org/manage/project/";
/// The same of its test twin.
const TEST_MANAGE: &str = "https://test.pypi.org/manage/project/";

/// The page on which a person yanks a release, of an index that has one.
pub fn page_of_release(upload: &str, project: &str, version: &str) -> Option<String> {
    let manage = match simple_of(upload)? {
        PYPI_SIMPLE => PYPI_MANAGE,
        _ => TEST_MANAGE,
    };
    Some(format!("{manage}{project}/release/{version}/"))
}

/// The list of packages that belongs to a known address for uploads.
pub fn simple_of(upload: &str) -> Option<&'static str> {
    let is = |known: &str| upload.trim_end_matches('/') == known.trim_end_matches('/');
    match () {
        () if is(PYPI_UPLOAD) => Some(PYPI_SIMPLE),
        () if is(TEST_UPLOAD) => Some(TEST_SIMPLE),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_address_for_uploads_leads_to_its_list() {
        assert_eq!(simple_of(PYPI_UPLOAD), Some(PYPI_SIMPLE));
        assert_eq!(simple_of(TEST_UPLOAD.trim_end_matches('/')), Some(TEST_SIMPLE));
        assert_eq!(simple_of("https://index.example/legacy/"), None);
    }
}
