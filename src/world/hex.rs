//! Object ids out of their hexadecimal digits: read by the hundred thousand, and therefore here.

use gix::ObjectId;

/// The bytes of an id.
const BYTES: usize = 20;
/// In place of a digit that is none.
const NONE: u8 = 0xff;

/// What each sign means as a digit.
static DIGITS: [u8; 256] = {
    let mut digits = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// The id that forty digits tell, in either case; `None` for anything else.
pub fn id_of(digits: &[u8]) -> Option<ObjectId> {
    let digits: &[u8; 2 * BYTES] = digits.try_into().ok()?;
    let mut id = [0; BYTES];
    let mut all = 0;
    for (byte, [high, low]) in id.iter_mut().zip(digits.as_chunks().0) {
        let (high, low) = (DIGITS[usize::from(*high)], DIGITS[usize::from(*low)]);
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all < 16).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_gix_reads_them() {
        let text = "0123456789abcdefABCDEF000102030405060708";
        assert_eq!(id_of(text.as_bytes()), ObjectId::from_hex(text.as_bytes()).ok());
        assert_eq!(id_of(text.as_bytes()).map(|id| id.to_string()), Some(text.to_lowercase()));
        for place in 0..text.len() {
            for sign in 0..=u8::MAX {
                let mut changed = text.as_bytes().to_vec();
                changed[place] = sign;
                assert_eq!(id_of(&changed), ObjectId::from_hex(&changed).ok(), "{place} {sign}");
            }
        }
        for other in ["", "0", &text[1..], &format!("{text}0"), &text.repeat(2)] {
            assert_eq!(id_of(other.as_bytes()), None, "{other}");
        }
    }
}
