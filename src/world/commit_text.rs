//! Reads a commit object's own text: headers, a blank line, the message.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use gix::ObjectId;
use memchr::{memchr, memrchr};

use crate::world::encoding::decode;
use crate::world::hex::id_of;

/// A commit object as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct CommitText<'a>(pub &'a [u8]);

/// A commit's words; of the message what is kept of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words<M = String> {
    /// The author's name.
    pub author: Arc<str>,
    pub message: M,
    /// Whether bytes had to be replaced.
    pub lossy: bool,
}

/// The names of authors by what their lines say, each kept once, and whether bytes of them had to be replaced.
#[derive(Debug, Default)]
pub struct Authors(HashMap<Box<[u8]>, (Arc<str>, bool)>);

/// What of a commit is read by its headers' names, and its message.
#[derive(Default)]
struct Parts<'a> {
    author: Option<&'a [u8]>,
    committer: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    message: &'a [u8],
}

impl<'a> CommitText<'a> {
    /// The tree of all files.
    pub fn tree(self) -> Option<ObjectId> {
        let line = self.0.strip_prefix(b"tree ")?;
        id_of(line.get(..40)?)
    }

    /// The parents, in order.
    pub fn parents(self) -> impl Iterator<Item = ObjectId> + 'a {
        let mut rest = self.0.get(46..).unwrap_or_default();
        std::iter::from_fn(move || {
            let line = rest.strip_prefix(b"parent ")?;
            let id = id_of(line.get(..40)?)?;
            rest = line.get(41..).unwrap_or_default();
            Some(id)
        })
    }

    /// The committer's time; 0 where it can not be read, as git has it.
    pub fn time(self) -> i64 {
        self.parts().time()
    }

    /// The committer's time, and the author's name and the message, both decoded. The name is taken from those known, or
    /// becomes one of them; what is kept of the message is up to the caller.
    pub fn time_and_words<M>(
        self,
        authors: &mut Authors,
        keep: impl FnOnce(Cow<'a, str>) -> M,
    ) -> (i64, Words<M>) {
        let parts = self.parts();
        let (author, author_lossy) = authors.name(parts.author.unwrap_or_default(), parts.encoding);
        let (message, lossy) = decode(parts.message, parts.encoding);
        (parts.time(), Words { author, message: keep(message), lossy: lossy || author_lossy })
    }

    fn parts(self) -> Parts<'a> {
        let mut parts = Parts::default();
        let mut rest = self.0;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
            if line.is_empty() {
                parts.message = after;
                break;
            }
            // Of several the first holds.
            let header = |name: &[u8]| line.strip_prefix(name);
            parts.author = parts.author.or_else(|| header(b"author "));
            parts.committer = parts.committer.or_else(|| header(b"committer "));
            parts.encoding = parts.encoding.or_else(|| header(b"encoding "));
            rest = after;
        }
        parts
    }
}

impl Parts<'_> {
    fn time(&self) -> i64 {
        self.committer.and_then(time_of).unwrap_or(0)
    }
}

impl Authors {
    /// The name in `Name <email> 1700000000 +0100`; all of a line without an address.
    fn name(&mut self, line: &[u8], encoding: Option<&[u8]>) -> (Arc<str>, bool) {
        let who = &line[..memrchr(b'>', line).map_or(line.len(), |at| at + 1)];
        if encoding.is_some() {
            return name_of(who, encoding);
        }
        if let Some(known) = self.0.get(who) {
            return known.clone();
        }
        let name = name_of(who, None);
        self.0.insert(who.into(), name.clone());
        name
    }
}

fn name_of(who: &[u8], encoding: Option<&[u8]>) -> (Arc<str>, bool) {
    let (who, lossy) = decode(who, encoding);
    let name = who.strip_suffix('>').map(|who| who.split_once('<').map_or(who, |(name, _)| name));
    (name.unwrap_or(&who).trim().into(), lossy)
}

/// `Name <email> 1700000000 +0100`: the number after the last `>`.
fn time_of(line: &[u8]) -> Option<i64> {
    let after = line.iter().rposition(|byte| *byte == b'>')? + 1;
    std::str::from_utf8(&line[after..]).ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: CommitText<'_>) -> Words {
        text.time_and_words(&mut Authors::default(), Cow::into_owned).1
    }

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    #[test]
    fn a_commit_is_read_with_its_extra_headers() {
        let id = "1".repeat(40);
        let object = format!(
            "tree {TREE}\nparent {id}\nparent {id}\nauthor A <B> <a@b> 5 +0100\ncommitter C <c@d> -7 -0000\n\
             gpgsig x\n  \n y\n\nfeat: x\n\nencoding none\n"
        );
        let text = CommitText(object.as_bytes());
        assert_eq!(text.tree().map(|id| id.to_string()).as_deref(), Some(TREE));
        assert_eq!(text.parents().count(), 2);
        assert_eq!(text.time(), -7);
        let words = words(text);
        assert_eq!(words.message, "feat: x\n\nencoding none\n");
        assert_eq!(&*words.author, "A");
    }

    #[test]
    fn an_authors_name_is_kept_once() {
        let mut authors = Authors::default();
        let mut read = |author: &str, encoding: &str| {
            let object = format!("tree {TREE}\nauthor {author}\ncommitter C <c@d> 7 +0000\n{encoding}\nx");
            CommitText(object.as_bytes()).time_and_words(&mut authors, Cow::into_owned).1.author
        };
        let ada = read("Ada <a@b> 5 +0100", "");
        assert!(Arc::ptr_eq(&ada, &read("Ada <a@b> 6 +0200", "")));
        let others = ["Ada <c@d> 5 +0100", "Ada", "Ada <a@b>", " Ada<>", "Ada <a> <b> 5", "Ada> 5"];
        assert!(others.iter().all(|author| read(author, "") == ada));
        assert_eq!(&*read("Ada <a", ""), "Ada <a");
        assert!(!Arc::ptr_eq(&ada, &read("Ada <a@b> 5 +0100", "encoding latin1\n")));
        assert_eq!((&*read("", ""), &*read("<a@b> 5 +0100", "")), ("", ""));
    }

    #[test]
    fn a_broken_commit_is_read_as_far_as_it_goes() {
        let text = CommitText(b"tree 12");
        assert_eq!(text.tree(), None);
        assert_eq!(text.parents().count(), 0);
        assert_eq!(text.time(), 0);
        assert_eq!(words(text).message, "");
    }

    #[test]
    fn the_encoding_header_holds_for_author_and_message() {
        let mut object = format!("tree {TREE}\nauthor J").into_bytes();
        object
            .extend(b"\xfcrgen <j@x> 1 +0000\ncommitter j <j@x> 1 +0000\nencoding ISO-8859-1\n\nfix: \xe4\n");
        let words = words(CommitText(&object));
        assert_eq!((&*words.author, words.message.as_str()), ("Jürgen", "fix: ä\n"));
        assert!(!words.lossy);
    }
}
