//! Texts that share their memory.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text, often a part of one that others share: histories are long, and what many small texts take, and the time to take and
/// give it, is more than that of few large ones. What they share goes with the last of them.
#[derive(Clone, Default)]
pub struct Text {
    whole: Arc<str>,
    /// In bytes. More than 4 GiB can not be told, and reads as nothing.
    start: u32,
    end: u32,
}

impl Text {
    /// What is put behind other texts. It is read from where they all stand in the end, once it is given that (`stand_in`).
    pub fn behind(others: &mut String, put: impl FnOnce(&mut String)) -> Text {
        let start = place(others.len());
        put(others);
        Text { whole: Arc::default(), start, end: place(others.len()) }
    }

    /// Takes what the texts that it was put behind have become.
    pub fn stand_in(&mut self, whole: &Arc<str>) {
        self.whole = Arc::clone(whole);
    }

    pub fn as_str(&self) -> &str {
        self.whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text { whole: text.into(), start: 0, end: place(text.len()) }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_share_what_they_stand_in() {
        let mut others = String::new();
        let mut texts =
            ["für", "", "alle\n"].map(|text| Text::behind(&mut others, |others| others.push_str(text)));
        assert_eq!(texts[0].as_str(), "", "not yet");
        let whole: Arc<str> = others.into();
        texts.iter_mut().for_each(|text| text.stand_in(&whole));
        assert_eq!(texts.each_ref().map(Text::as_str), ["für", "", "alle\n"]);
        assert_eq!(Arc::strong_count(&whole), 4);
        let [first, others @ ..] = texts;
        drop(others);
        assert_eq!(Arc::strong_count(&whole), 2);
        assert_eq!((first, Text::default()), ("für".into(), "".into()));
    }

    #[test]
    fn what_can_not_be_told_reads_as_nothing() {
        let mut text = Text::from("für");
        (text.start, text.end) = (2, place(usize::MAX));
        assert_eq!(&*text, "");
    }
}
