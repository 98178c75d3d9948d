//! The repositories that are measured on: how many packages, how long a history, how much of it unreleased.

/// What a generated repository looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub name: &'static str,
    /// Folders above a package's own.
    pub above: &'static str,
    /// Folders above a package's modules, and above its tests, each with a slash at its end: of a namespace.
    pub inside: &'static str,
    /// Modules that a package has at first.
    pub modules: usize,
    /// The fewest and the most files of a package that a commit changes.
    pub changed: (usize, usize),
    pub packages: usize,
    pub commits: usize,
    /// The newest commits, within which each package has its last release.
    pub window: usize,
    /// Commits of one package between its releases.
    pub release_every: usize,
    /// Paragraphs below a subject: none, one, or sometimes many.
    pub body: Body,
    /// What came after a last release releases nothing.
    pub idle: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Subjects alone, as of merges by squash with short descriptions.
    Short,
    /// Of a few hundred bytes, now and then of thousands.
    Long,
}

const BASE: Shape = Shape {
    name: "S10",
    above: "packages",
    inside: "",
    modules: 6,
    changed: (1, 3),
    packages: 10,
    commits: 1_000,
    window: 300,
    release_every: 12,
    body: Body::Long,
    idle: false,
};

pub const S10: Shape = BASE;
pub const S100: Shape = Shape { name: "S100", packages: 100, commits: 10_000, window: 1_000, ..BASE };
pub const S500: Shape = Shape { name: "S500", packages: 500, commits: 100_000, window: 2_000, ..BASE };
/// As S500, and nothing to release.
pub const IDLE: Shape = Shape { name: "S500idle", idle: true, ..S500 };
/// As S100, after ten times as much history.
pub const LONG: Shape = Shape { name: "S100long", commits: 100_000, ..S100 };
/// As S100, with a tenth of its packages.
pub const FEW: Shape = Shape { name: "S10few", packages: 10, ..S100 };
/// As openinference: 38 packages of one namespace, deep below the root, with several files in a change, and released after
/// nearly every one.
pub const REAL: Shape = Shape {
    name: "R38",
    above: "python/instrumentation",
    inside: "namespace/instrumentation/",
    modules: 24,
    changed: (2, 8),
    packages: 38,
    commits: 2_100,
    window: 75,
    release_every: 1,
    body: Body::Short,
    ..BASE
};

/// Seven packages that are all to be released, for building and shipping.
pub const SHIP: Shape = Shape { name: "S7", packages: 7, commits: 200, window: 150, ..BASE };

/// Small ones of the guard: a base, ten times as much before its window, ten times its packages.
pub const GUARD: Shape = Shape { name: "G10", commits: 600, window: 200, ..BASE };
pub const GUARD_LONG: Shape = Shape { name: "G10long", commits: 4_200, ..GUARD };
pub const GUARD_MANY: Shape = Shape { name: "G100", packages: 100, ..GUARD };
