//! Any text is a commit message: reading it never panics, and says the same thing twice.

#![no_main]

use libfuzzer_sys::fuzz_target;
use release::history::reader::{Entries, Reading, read};

const WAYS: [Entries; 5] =
    [Entries::Auto, Entries::Subject, Entries::Paragraphs, Entries::Bullets, Entries::Lines];

fuzz_target!(|message: &str| {
    for how in WAYS {
        if let Reading::Conventional(entries) = read(message, how) {
            assert!(!entries.is_empty(), "a conventional message holds an entry");
            for entry in entries {
                assert!(!entry.kind.is_empty(), "an entry has a type");
                assert_eq!(entry.kind, entry.kind.to_lowercase(), "types are in lower case");
            }
        }
    }
});
