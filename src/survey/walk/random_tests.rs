//! The walk against the slow, obvious way, on random histories.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::{Shared, Walk, WalkPackage, walk};
use crate::history::commit::{Commit, CommitId, Touched, VersionTag};
use crate::survey::tags::list_tags;
use crate::survey::walk_ahead::Ahead;
use crate::version::number::Version;
use crate::world::testing::TestRepository;

const FOLDERS: [&str; 5] = ["a", "a/deep", "b", "c/x", ""];
const FILES: [&str; 12] = [
    "a/one.py",
    "a/deep/two.py",
    "a/deep/tests/t.py",
    "a/tests/t.py",
    "a/uv.lock",
    "b/one.py",
    "b/x/y/z.py",
    "c/free.txt",
    "c/x/one.py",
    "top.txt",
    "docs/d.md",
    "ab/one.py",
];
const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0rc1", "0.2.0", "1.0.0.dev1", "1.0.0", "1.1.0a1", "2.0.0"];

#[test]
fn random_histories_are_read_as_the_slow_way_reads_them() {
    for seed in 30..60 {
        check(seed);
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

fn check(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let repository = TestRepository::init();
    let stream = write_stream(&mut random);
    repository.git_with(&["fast-import", "--quiet", "--force"], &[], stream.as_bytes());
    if random.chance(50) {
        repository.git(&["pack-refs", "--all"]);
    }
    let opened = repository.open();
    let mut packages: Vec<WalkPackage> = (0..FOLDERS.len() - usize::from(random.chance(50)))
        .map(|index| WalkPackage {
            path: FOLDERS[index].to_owned(),
            name: format!("p{index}"),
            ignore: if random.chance(30) { globs("tests/**") } else { GlobSet::empty() },
            ..WalkPackage::default()
        })
        .collect();
    for tag in list_tags(&opened).unwrap() {
        let (name, version) = tag.name.split_once("-v").unwrap();
        let package: usize = name[1..].parse().unwrap();
        if let Some(package) = packages.get_mut(package) {
            let version = Version::parse(version).unwrap();
            package.version_tags.push(VersionTag { tag: tag.name, version, commit: tag.commit });
        }
    }
    let shared = match random.chance(30) {
        true => vec![Shared { patterns: globs("{docs,b/x}/**"), packages: vec![0, 2] }],
        false => Vec::new(),
    };
    let head = repository.git(&["rev-parse", "HEAD"]);
    let history = Ahead::beside(&opened, &head, |_, ahead| {
        let input = Walk { head: head.clone(), packages: packages.clone(), shared: shared.clone(), ahead };
        walk(&opened, input).unwrap()
    });
    let slow = Slow::new(&repository, &packages, &shared);
    slow.compare(seed, &history);
}

fn globs(pattern: &str) -> GlobSet {
    GlobSetBuilder::new().add(Glob::new(pattern).unwrap()).build().unwrap()
}

/// A history with branches, merges, several roots, wrong clocks, empty commits and tags, some of them on
/// branches that HEAD does not see.
fn write_stream(random: &mut Random) -> String {
    let mut stream = String::new();
    let count = 10 + random.below(20);
    for mark in 1..=count {
        let skew = if random.chance(25) { random.below(3000) } else { 0 };
        let time = 1_000_000 + mark * 100 - skew;
        let message = format!("feat: commit {mark}\n");
        writeln!(stream, "commit refs/heads/branch{mark}\nmark :{mark}").unwrap();
        writeln!(stream, "committer Ada <ada@example.invalid> {time} +0000").unwrap();
        writeln!(stream, "data {}\n{message}", message.len()).unwrap();
        let is_root = mark == 1 || (random.chance(4) && mark != count);
        if !is_root {
            let recent = |random: &mut Random| mark - 1 - random.below((mark - 1).min(4));
            writeln!(stream, "from :{}", if random.chance(70) { mark - 1 } else { recent(random) }).unwrap();
            for _ in 0..if random.chance(30) { 1 + random.below(2) } else { 0 } {
                writeln!(stream, "merge :{}", recent(random)).unwrap();
            }
        }
        for _ in 0..random.below(4) {
            let file = FILES[random.below(FILES.len())];
            match random.chance(15) {
                true => writeln!(stream, "D {file}").unwrap(),
                false => {
                    writeln!(stream, "M 100644 inline {file}\ndata 3\n{:03}", random.below(999)).unwrap()
                }
            }
        }
        stream.push('\n');
    }
    let packages = 1 + random.below(FOLDERS.len());
    for package in 0..packages {
        for version in VERSIONS {
            if random.chance(45) {
                let mark = 1 + random.below(count);
                writeln!(stream, "reset refs/tags/p{package}-v{version}\nfrom :{mark}\n").unwrap();
            }
        }
    }
    writeln!(stream, "reset refs/heads/main\nfrom :{count}\n\ndone").unwrap();
    stream
}

/// What plain git commands say, one per question.
struct Slow<'a> {
    repository: &'a TestRepository,
    /// What each commit changes against its first parent.
    files: BTreeMap<String, Vec<String>>,
    packages: &'a [WalkPackage],
    shared: &'a [Shared],
    reachable: BTreeMap<String, Vec<String>>,
    mainline: BTreeSet<String>,
}

impl Slow<'_> {
    fn new<'a>(
        repository: &'a TestRepository,
        packages: &'a [WalkPackage],
        shared: &'a [Shared],
    ) -> Slow<'a> {
        let list = repository.git(&["rev-list", "--parents", "HEAD"]);
        let reachable = list
            .lines()
            .map(|line| {
                let mut ids = line.split(' ').map(str::to_owned);
                (ids.next().unwrap(), ids.collect())
            })
            .collect();
        let log = ["log", "--format=commit %H", "--name-only", "--no-renames", "--diff-merges=first-parent"];
        let log = repository.git(&[log.as_slice(), &["HEAD"]].concat());
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for text in log.split("commit ").filter(|text| !text.is_empty()) {
            let mut lines = text.lines().filter(|line| !line.is_empty()).map(str::to_owned);
            files.insert(lines.next().unwrap(), lines.collect());
        }
        let mainline = repository.git(&["rev-list", "--first-parent", "HEAD"]);
        let mainline = mainline.lines().map(str::to_owned).collect();
        Slow { repository, files, packages, shared, reachable, mainline }
    }

    fn compare(&self, seed: u64, history: &crate::history::History) {
        let mut expected: BTreeMap<&String, (Vec<usize>, Vec<usize>)> =
            self.reachable.keys().map(|id| (id, (Vec::new(), Vec::new()))).collect();
        for (number, package) in self.packages.iter().enumerate() {
            let mut tags: Vec<&VersionTag> = package
                .version_tags
                .iter()
                .filter(|tag| self.reachable.contains_key(&tag.commit.to_string()))
                .collect();
            tags.sort_by(|left, right| right.version.cmp(&left.version));
            let last_final = tags.iter().find(|tag| !tag.version.is_prerelease());
            let in_final = self.ancestors(last_final.copied());
            let in_last = self.ancestors(tags.first().copied());
            for (id, (unreleased, since_final)) in &mut expected {
                if !in_final.contains(*id) {
                    since_final.push(number);
                    if !in_last.contains(*id) {
                        unreleased.push(number);
                    }
                }
            }
            let deciding: Vec<&VersionTag> = tags
                .iter()
                .filter(|tag| last_final.is_none_or(|last| tag.version >= last.version))
                .copied()
                .collect();
            let found: Vec<&VersionTag> = history.tags[number].iter().collect();
            assert_eq!(found[..deciding.len()], deciding, "seed {seed}: tags of {number}");
            assert!(found.iter().all(|tag| tags.contains(tag)), "seed {seed}: unreachable tag of {number}");
        }
        expected.retain(|_, (_, since_final)| !since_final.is_empty());
        let ids: BTreeSet<String> = history.commits.iter().map(|commit| commit.id.to_string()).collect();
        assert_eq!(ids, expected.keys().map(|id| (*id).clone()).collect(), "seed {seed}: commits");
        assert_eq!(ids.len(), history.commits.len(), "seed {seed}: a commit twice");
        let mut seen = BTreeSet::new();
        for commit in &history.commits {
            let (unreleased, since_final) = &expected[&commit.id.to_string()];
            assert_eq!(
                &commit.unreleased.iter().collect::<Vec<_>>(),
                unreleased,
                "seed {seed}: {}",
                commit.id
            );
            assert_eq!(
                &commit.since_final.iter().collect::<Vec<_>>(),
                since_final,
                "seed {seed}: {}",
                commit.id
            );
            assert!(!commit.parents.iter().any(|parent| seen.contains(parent)), "seed {seed}: order");
            seen.insert(commit.id.clone());
            self.compare_files(seed, commit);
        }
        for (tag, package) in &history.unreachable_tags {
            let tag = self.packages[*package].version_tags.iter().find(|known| known.tag == *tag).unwrap();
            assert!(
                !self.reachable.contains_key(&tag.commit.to_string()),
                "seed {seed}: {tag:?} is reachable"
            );
        }
    }

    fn compare_files(&self, seed: u64, commit: &Commit) {
        let id = &commit.id.to_string();
        assert_eq!(commit.mainline, self.mainline.contains(id), "seed {seed}: mainline {id}");
        let parents = &self.reachable[id];
        assert_eq!(commit.parents, parents.iter().map(|id| CommitId::of(id)).collect::<Box<[_]>>());
        let files = &self.files[id];
        assert_eq!(commit.empty, files.is_empty(), "seed {seed}: empty {id}");
        let (mut outside, mut touched) = (false, BTreeMap::new());
        for file in files.iter().filter(|_| parents.len() < 2) {
            let mut shared = false;
            for row in self.shared.iter().filter(|row| row.patterns.is_match(file)) {
                shared = true;
                row.packages.iter().for_each(|package| note(&mut touched, *package, Touched::Shared));
            }
            match self.owner(file) {
                Some((package, what)) => note(&mut touched, package, what),
                None => outside |= !shared,
            }
        }
        touched.retain(|package, _| commit.since_final.contains(*package));
        assert_eq!(commit.outside, outside, "seed {seed}: outside {id}");
        let found: BTreeMap<usize, Touched> =
            commit.touches.iter().map(|touch| (touch.package, touch.what)).collect();
        assert_eq!(found, touched, "seed {seed}: touches of {id}: {files:?}");
    }

    fn owner(&self, file: &str) -> Option<(usize, Touched)> {
        let rest = |package: &WalkPackage| match package.path.as_str() {
            "" => Some(file.to_owned()),
            path => file.strip_prefix(path)?.strip_prefix('/').map(str::to_owned),
        };
        let owners = self.packages.iter().enumerate();
        let (number, rest, package) = owners
            .filter_map(|(number, package)| Some((number, rest(package)?, package)))
            .max_by_key(|(_, _, package)| package.path.len())?;
        let what = match rest.as_str() {
            "uv.lock" => Touched::Lock,
            path if package.ignore.is_match(path) => Touched::Ignored,
            _ => Touched::Files,
        };
        Some((number, what))
    }

    fn ancestors(&self, tag: Option<&VersionTag>) -> BTreeSet<String> {
        let Some(tag) = tag else { return BTreeSet::new() };
        self.repository.git(&["rev-list", &tag.commit.to_string()]).lines().map(str::to_owned).collect()
    }
}

fn note(touched: &mut BTreeMap<usize, Touched>, package: usize, what: Touched) {
    let known = touched.entry(package).or_insert(what);
    *known = what.min(*known);
}
