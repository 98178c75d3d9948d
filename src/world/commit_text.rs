//! Reads a commit object's own text: headers, a blank line, the message.

use gix::ObjectId;
use gix::bstr::ByteSlice;

use crate::world::encoding::decode;
use crate::world::git::Person;
use crate::world::hex::id_of;

/// A commit object as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct CommitText<'a>(pub &'a [u8]);

/// A commit's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub author: Person,
    pub message: String,
    /// Whether bytes had to be replaced.
    pub lossy: bool,
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
        self.header(b"committer").and_then(time_of).unwrap_or(0)
    }

    /// The author's name and email, the message, both decoded.
    pub fn words(self) -> Words {
        let encoding = self.header(b"encoding");
        let (author, author_lossy) = person(self.header(b"author").unwrap_or_default(), encoding);
        let (message, lossy) = decode(&self.0[self.message_start()..], encoding);
        Words { author, message, lossy: lossy || author_lossy }
    }

    fn header(self, name: &[u8]) -> Option<&'a [u8]> {
        let lines = self.0.lines_with_terminator().map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        let mut headers = lines.take_while(|line| !line.is_empty());
        headers.find_map(|line| line.strip_prefix(name)?.strip_prefix(b" "))
    }

    fn message_start(self) -> usize {
        self.0.find(b"\n\n").map_or(self.0.len(), |at| at + 2)
    }
}

fn person(line: &[u8], encoding: Option<&[u8]>) -> (Person, bool) {
    let (line, lossy) = decode(line, encoding);
    let (before, email) = match line.rsplit_once('>') {
        Some((person, _)) => person.split_once('<').unwrap_or((person, "")),
        None => (line.as_str(), ""),
    };
    (Person { name: before.trim().to_owned(), email: email.trim().to_owned() }, lossy)
}

/// `Name <email> 1700000000 +0100`: the number after the last `>`.
fn time_of(line: &[u8]) -> Option<i64> {
    let after = line.iter().rposition(|byte| *byte == b'>')? + 1;
    std::str::from_utf8(&line[after..]).ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let words = text.words();
        assert_eq!(words.message, "feat: x\n\nencoding none\n");
        assert_eq!(words.author.name, "A");
    }

    #[test]
    fn a_broken_commit_is_read_as_far_as_it_goes() {
        let text = CommitText(b"tree 12");
        assert_eq!(text.tree(), None);
        assert_eq!(text.parents().count(), 0);
        assert_eq!(text.time(), 0);
        assert_eq!(text.words().message, "");
    }

    #[test]
    fn the_encoding_header_holds_for_author_and_message() {
        let mut object = format!("tree {TREE}\nauthor J").into_bytes();
        object
            .extend(b"\xfcrgen <j@x> 1 +0000\ncommitter j <j@x> 1 +0000\nencoding ISO-8859-1\n\nfix: \xe4\n");
        let words = CommitText(&object).words();
        assert_eq!((words.author.name.as_str(), words.message.as_str()), ("Jürgen", "fix: ä\n"));
        assert!(!words.lossy);
    }
}
