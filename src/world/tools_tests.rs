use std::collections::BTreeMap;

use super::*;

/// The cache that tests share, so that tools are installed once.
pub fn test_cache() -> ToolCache {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tool-cache");
    ToolCache::open(|name| (name == "RELEASE_CACHE").then(|| folder.clone().into())).unwrap()
}

/// Unwraps a tool that needs Python and a package index. Where `CI=true` it must be there; elsewhere the test says
/// what it skips.
pub fn or_skip(tool: Result<Tool, ToolError>) -> Option<Tool> {
    match tool {
        Ok(tool) => Some(tool),
        Err(error) if std::env::var("CI").is_ok_and(|value| value == "true") => panic!("{error}"),
        Err(error) => {
            println!("skipped, python3 with a package index is needed: {error}");
            None
        }
    }
}

fn folders(variables: &[(&str, &str)]) -> Vec<PathBuf> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    cache_folders(|name| variables.get(name).map(OsString::from))
}

#[test]
fn the_cache_is_where_the_environment_says() {
    let all = [("RELEASE_CACHE", "/r"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
    let expected = ["/r", "/x/release", "/h/.cache/release"].map(PathBuf::from);
    assert_eq!(folders(&all), expected);
    assert_eq!(folders(&[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")]), expected[2..]);
    assert!(folders(&[("HOME", "")]).is_empty());
}

#[test]
fn a_home_that_can_not_be_written_gives_a_temporary_cache() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let cache = ToolCache::open(|name| (name == "HOME").then(|| file.clone().into())).unwrap();
    assert!(cache.is_temporary());
    let path = cache.folder().to_owned();
    assert!(path.is_dir());
    let tool = cache.at_home(Tool::named("uv", &[]));
    assert!(tool.cache.is_some_and(|folder| folder.starts_with(&path)));
    drop(cache);
    assert!(!path.exists());
}

#[test]
fn versions_compare_by_number() {
    assert!(is_older("0.4.30", "0.5.0"));
    assert!(!is_older("0.13.9", "0.5.0"));
    assert!(is_older("unknown", "0.5.0"));
}

#[tokio::test]
async fn tools_are_provided_once_for_two_callers() {
    let cache = test_cache();
    let (one, two) = tokio::join!(cache.private_uv(), cache.private_uv());
    let (Some(one), Some(two)) = (or_skip(one), or_skip(two)) else { return };
    assert_eq!(one, two);
    assert_eq!(one.version, pins::UV);
    let Some(build) = or_skip(cache.private_build().await) else { return };
    assert_eq!(build.version, pins::BUILD);
    let left = std::fs::read_dir(cache.folder().join("tools")).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.contains(&format!("uv-{}", pins::UV)), "{names:?}");
}

#[tokio::test]
async fn a_private_tool_that_was_damaged_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache =
        ToolCache::open(|name| (name == "RELEASE_CACHE").then(|| folder.path().as_os_str().to_owned()))
            .unwrap();
    let Some(tool) = or_skip(cache.private_uv().await) else { return };
    std::fs::remove_file(&tool.program).unwrap();
    assert_eq!(or_skip(cache.private_uv().await), Some(tool));
}
