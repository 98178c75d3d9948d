//! Applies a delta of a pack to its base (gitformat-pack, "Deltified representation").

/// The most bytes that one object may take: a size beyond it is damage.
pub const LARGEST: u64 = 1 << 31;

/// A delta that fits a base.
#[derive(Debug, Clone, Copy)]
pub struct Delta<'d> {
    /// How long the object is that it makes.
    pub length: usize,
    rest: &'d [u8],
}

/// What comes next in the object that a delta makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'d> {
    /// So many bytes of the base.
    Copy {
        at: usize,
        count: usize,
    },
    New(&'d [u8]),
}

impl<'d> Delta<'d> {
    /// `None` for one of a base of another length, and for one that is damaged at its beginning.
    pub fn of(delta: &'d [u8], base: usize) -> Option<Delta<'d>> {
        let mut rest = delta;
        if size(&mut rest)? != base as u64 {
            return None;
        }
        let length = size(&mut rest).filter(|length| *length <= LARGEST)?;
        Some(Delta { length: usize::try_from(length).ok()?, rest })
    }

    fn command(&mut self, command: u8) -> Option<Command<'d>> {
        if command & 0x80 != 0 {
            let at = number(&mut self.rest, command & 0x0f, 4)?;
            let count = match number(&mut self.rest, command >> 4 & 0x07, 3)? {
                0 => 0x10000,
                count => count,
            };
            return Some(Command::Copy { at, count });
        }
        // Zero is no command.
        let count = usize::from(command);
        let (new, after) = self.rest.split_at_checked(count).filter(|_| count > 0)?;
        self.rest = after;
        Some(Command::New(new))
    }
}

/// Its commands in order; `None` for one that is damaged, behind which nothing can be read.
impl<'d> Iterator for Delta<'d> {
    type Item = Option<Command<'d>>;

    fn next(&mut self) -> Option<Option<Command<'d>>> {
        let (command, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(self.command(*command))
    }
}

/// The object that a delta makes of its base; `None` where the delta does not fit the base or is damaged.
pub fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let delta = Delta::of(delta, base.len())?;
    let length = delta.length;
    let mut made = Vec::with_capacity(length);
    for command in delta {
        match command? {
            Command::Copy { at, count } => made.extend_from_slice(base.get(at..at.checked_add(count)?)?),
            Command::New(bytes) => made.extend_from_slice(bytes),
        }
        if made.len() > length {
            return None;
        }
    }
    (made.len() == length).then_some(made)
}

/// A size in groups of seven bits, the lowest first; each byte but the last has its highest bit set.
fn size(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A number of which only the bytes are there that a bit is set for, the lowest first.
fn number(rest: &mut &[u8], present: u8, bytes: u8) -> Option<usize> {
    let mut value = 0;
    for place in (0..bytes).filter(|place| present & (1 << place) != 0) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(*byte) << (8 * place);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn copies_and_new_bytes_are_put_together() {
        let base = b"one two three";
        // From 4, seven bytes; then three new ones.
        assert_eq!(apply(base, b"\x0d\x0a\x91\x04\x07\x03!!!").as_deref(), Some(b"two thr!!!".as_slice()));
        let long = vec![7; 0x10000];
        assert_eq!(apply(&long, b"\x80\x80\x04\x80\x80\x04\x80"), Some(long.clone()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let base = b"one two three";
        for delta in [
            b"\x0c\x07\x91\x04\x07".as_slice(), // another base
            b"\x0d\x08\x91\x04\x07",            // another length
            b"\x0d\x07\x91\x0c\x07",            // beyond the base
            b"\x0d\x04\x91\x04\x07",            // more than it says
            b"\x0d\x01\x00",                    // no command
            b"\x0d\x05\x05abc",                 // cut off
            b"\x0d",
            b"",
        ] {
            assert_eq!(apply(base, delta), None, "{delta:?}");
        }
    }
}
