//! The signs the console draws with, in Unicode or plain ASCII, and those of a key's state.
//!
//! Every sign is one cell wide; none is an emoji. A state is always a sign and a word.

use super::Role;

/// Which set of signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlyphSet {
    /// Lines, arrows and circles.
    Unicode,
    /// What every terminal, font and screen reader knows.
    Ascii,
}

impl GlyphSet {
    pub const fn glyphs(self) -> &'static Glyphs {
        match self {
            Self::Unicode => &UNICODE,
            Self::Ascii => &ASCII,
        }
    }
}

/// Signs by what they stand for.
#[derive(Debug)]
#[expect(missing_docs, reason = "the field is the sign it names")]
pub struct Glyphs {
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub corner_top_left: &'static str,
    pub corner_top_right: &'static str,
    pub corner_bottom_left: &'static str,
    pub corner_bottom_right: &'static str,
    pub selected: &'static str,
    pub marked: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub folded: &'static str,
    pub unfolded: &'static str,
    pub box_off: &'static str,
    pub box_on: &'static str,
    pub box_some: &'static str,
    pub ellipsis: &'static str,
    pub mask: &'static str,
    pub thumb: &'static str,
    pub track: &'static str,
    pub dot: &'static str,
    pub good: &'static str,
    pub warn: &'static str,
    pub bad: &'static str,
    pub info: &'static str,
    pub spinner: &'static [&'static str],
    badges: [&'static str; Badge::ALL.len()],
    plain: bool,
}

/// Signs that stand in texts, each with one of as many cells that every terminal knows.
const PLAIN: &[(&str, &str)] = &[
    ("…", "~"),
    ("·", "-"),
    ("–", "-"),
    ("×", "x"),
    ("→", ">"),
    ("●", "*"),
    ("○", "o"),
    ("▲", "!"),
    ("‖", "="),
    ("✕", "x"),
    ("✓", "+"),
    ("✗", "x"),
    ("§", "S"),
];

/// A text with its signs in ASCII. Letters stay as they are: a name is not ours to spell.
pub fn in_ascii(text: &str) -> String {
    PLAIN.iter().fold(text.to_owned(), |text, (sign, plain)| text.replace(sign, plain))
}

impl Glyphs {
    /// A sign of a text, as this set draws it.
    pub fn spell<'t>(&self, sign: &'t str) -> &'t str {
        let plain = PLAIN.iter().find(|(from, _)| self.plain && *from == sign);
        plain.map_or(sign, |(_, to)| to)
    }

    /// The sign of a state.
    pub fn badge(&self, badge: Badge) -> &'static str {
        self.badges.get(badge as usize).copied().unwrap_or("?")
    }

    /// The spinner's sign at its `step`th step.
    pub fn spin(&self, step: usize) -> &'static str {
        self.spinner.get(step % self.spinner.len().max(1)).copied().unwrap_or("*")
    }
}

/// How a key, or something like it, stands: what the state column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Badge {
    Active,
    /// Switched off for now.
    Paused,
    /// The old half of a rotation, still accepted.
    Superseded,
    Expiring,
    /// Unused; will be deleted.
    Idle,
    Expired,
    Revoked,
    /// Deleted; its record may be restored.
    Deleted,
    /// Waits for an operator's word.
    Pending,
    Muted,
}

impl Badge {
    /// All, in the order of urgency within the state column.
    pub const ALL: [Self; 10] = [
        Self::Active,
        Self::Paused,
        Self::Superseded,
        Self::Expiring,
        Self::Idle,
        Self::Expired,
        Self::Revoked,
        Self::Deleted,
        Self::Pending,
        Self::Muted,
    ];

    /// The word that always stands beside the sign, where the screen has no better one ("deleted in 9 d").
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Superseded => "in grace",
            Self::Expiring => "expires soon",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
            Self::Pending => "on hold",
            Self::Muted => "muted",
        }
    }

    pub const fn role(self) -> Role {
        match self {
            Self::Active => Role::Good,
            Self::Superseded | Self::Pending => Role::Info,
            Self::Expiring | Self::Idle => Role::Warn,
            Self::Expired | Self::Revoked => Role::Bad,
            Self::Paused | Self::Deleted | Self::Muted => Role::Gone,
        }
    }
}

static UNICODE: Glyphs = Glyphs {
    horizontal: "─",
    vertical: "│",
    corner_top_left: "╭",
    corner_top_right: "╮",
    corner_bottom_left: "╰",
    corner_bottom_right: "╯",
    selected: "▸",
    marked: "✓",
    ascending: "▲",
    descending: "▼",
    folded: "▸",
    unfolded: "▾",
    box_off: "[ ]",
    box_on: "[✓]",
    box_some: "[–]",
    ellipsis: "…",
    mask: "•",
    thumb: "█",
    track: "│",
    dot: "·",
    good: "✓",
    warn: "▲",
    bad: "✗",
    info: "●",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    badges: ["●", "‖", "◑", "▲", "◐", "○", "✗", "×", "◇", "∅"],
    plain: false,
};

static ASCII: Glyphs = Glyphs {
    horizontal: "-",
    vertical: "|",
    corner_top_left: "+",
    corner_top_right: "+",
    corner_bottom_left: "+",
    corner_bottom_right: "+",
    selected: ">",
    marked: "*",
    ascending: "^",
    descending: "v",
    folded: "+",
    unfolded: "-",
    box_off: "[ ]",
    box_on: "[x]",
    box_some: "[-]",
    ellipsis: "~",
    mask: "*",
    thumb: "#",
    track: "|",
    dot: "-",
    good: "+",
    warn: "!",
    bad: "x",
    info: "i",
    spinner: &["|", "/", "-", "\\"],
    badges: ["*", "=", "%", "!", "?", "o", "x", "-", "@", "m"],
    plain: true,
};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn states_are_told_apart_without_colour() {
        for set in [GlyphSet::Unicode, GlyphSet::Ascii] {
            let signs: HashSet<_> = Badge::ALL.iter().map(|badge| set.glyphs().badge(*badge)).collect();
            assert_eq!(signs.len(), Badge::ALL.len());
        }
        let words: HashSet<_> = Badge::ALL.iter().map(|badge| badge.word()).collect();
        assert_eq!(words.len(), Badge::ALL.len());
    }

    #[test]
    fn every_sign_is_one_cell_and_ascii_is_ascii() {
        for set in [GlyphSet::Unicode, GlyphSet::Ascii] {
            let glyphs = set.glyphs();
            let mut signs = vec![
                glyphs.horizontal,
                glyphs.vertical,
                glyphs.corner_top_left,
                glyphs.corner_bottom_right,
                glyphs.selected,
                glyphs.marked,
                glyphs.ascending,
                glyphs.descending,
                glyphs.folded,
                glyphs.unfolded,
                glyphs.ellipsis,
                glyphs.mask,
                glyphs.thumb,
                glyphs.track,
                glyphs.dot,
                glyphs.good,
                glyphs.warn,
                glyphs.bad,
                glyphs.info,
            ];
            signs.extend(glyphs.spinner);
            signs.extend(glyphs.badges);
            for sign in signs {
                assert_eq!(sign.width(), 1, "{sign}");
                assert!(set == GlyphSet::Unicode || sign.is_ascii(), "{sign}");
            }
            for (from, to) in PLAIN {
                assert_eq!(from.width(), to.width(), "{from}");
                assert_eq!(glyphs.spell(from).is_ascii(), set == GlyphSet::Ascii);
            }
            for tick in [glyphs.box_off, glyphs.box_on, glyphs.box_some] {
                assert_eq!(tick.width(), 3, "{tick}");
            }
        }
    }
}
