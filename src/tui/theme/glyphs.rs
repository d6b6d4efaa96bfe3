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

/// A row per sign: what it stands for, how it is drawn, and how in ASCII.
macro_rules! signs {
    ($($sign:ident $unicode:literal $ascii:literal;)+) => {
        /// Signs by what they stand for.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "the field is the sign it names")]
        pub struct Glyphs {
            $(pub $sign: &'static str,)+
            pub spinner: &'static [&'static str],
            plain: bool,
        }

        static UNICODE: Glyphs = Glyphs {
            $($sign: $unicode,)+
            spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
            plain: false,
        };

        static ASCII: Glyphs =
            Glyphs { $($sign: $ascii,)+ spinner: &["|", "/", "-", "\\"], plain: true };

        static UNICODE_STILL: Glyphs = Glyphs { $($sign: $unicode,)+ spinner: &["●"], plain: false };

        static ASCII_STILL: Glyphs = Glyphs { $($sign: $ascii,)+ spinner: &["*"], plain: true };

        #[cfg(test)]
        impl Glyphs {
            fn all(&self) -> Vec<&'static str> {
                self.spinner.iter().copied().chain([$(self.$sign,)+]).collect()
            }
        }
    };
}

signs! {
    horizontal "─" "-";
    vertical "│" "|";
    corner_top_left "╭" "+";
    corner_top_right "╮" "+";
    corner_bottom_left "╰" "+";
    corner_bottom_right "╯" "+";
    selected "▸" ">";
    marked "✓" "*";
    ascending "▲" "^";
    descending "▼" "v";
    folded "▸" "+";
    unfolded "▾" "-";
    box_off "[ ]" "[ ]";
    box_on "[✓]" "[x]";
    box_some "[–]" "[-]";
    ellipsis "…" "~";
    mask "•" "*";
    thumb "█" "#";
    track "│" "|";
    dot "·" "-";
    good "✓" "+";
    warn "▲" "!";
    bad "✗" "x";
    info "●" "i";
    protected "⚑" "#";
}

/// Signs that stand in texts, each with one of as many cells that every terminal knows.
const PLAIN: &[(&str, &str)] = &[
    ("…", "~"),
    ("·", "-"),
    ("–", "-"),
    ("×", "x"),
    ("→", ">"),
    ("●", "*"),
    ("↻", "&"),
    ("○", "o"),
    ("▲", "!"),
    ("‖", "="),
    ("✕", "x"),
    ("✓", "+"),
    ("✗", "x"),
    ("§", "S"),
    ("▁", "_"),
    ("▂", ","),
    ("▃", ":"),
    ("▄", "="),
    ("▅", "+"),
    ("▆", "%"),
    ("▇", "8"),
    ("█", "#"),
    ("▌", "="),
    ("‹", "<"),
    ("›", ">"),
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

    /// The same set, with a spinner that does not turn.
    pub const fn still(&self) -> &'static Self {
        if self.plain { &ASCII_STILL } else { &UNICODE_STILL }
    }

    /// The spinner's sign at its `step`th step.
    pub fn spin(&self, step: usize) -> &'static str {
        self.spinner.get(step % self.spinner.len().max(1)).copied().unwrap_or("*")
    }
}

/// A row per badge: its word, its look, its sign, and that in ASCII; in the order of urgency within the state column.
macro_rules! badges {
    ($($badge:ident $word:literal $role:ident $unicode:literal $ascii:literal;)+) => {
        /// How a key, or something like it, stands: what the state column says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Badge {
            $(#[doc = $word] $badge,)+
        }

        impl Badge {
            pub const ALL: &'static [Self] = &[$(Self::$badge,)+];

            /// The word that always stands beside the sign, where the screen has no better one ("deleted in 9 d").
            pub const fn word(self) -> &'static str {
                match self { $(Self::$badge => $word,)+ }
            }

            pub const fn role(self) -> Role {
                match self { $(Self::$badge => Role::$role,)+ }
            }
        }

        impl Glyphs {
            /// The sign of a state.
            pub const fn badge(&self, badge: Badge) -> &'static str {
                match badge { $(Badge::$badge => if self.plain { $ascii } else { $unicode },)+ }
            }
        }
    };
}

badges! {
    Active "active" Good "●" "*";
    Superseded "superseded" Info "↻" "&";
    Paused "paused" Gone "‖" "=";
    Expiring "expires soon" Warn "▲" "!";
    Idle "idle" Warn "◐" "?";
    Expired "expired" Bad "○" "o";
    Revoked "revoked" Bad "✗" "x";
    Deleted "deleted" Gone "×" "-";
    Pending "on hold" Info "◇" "@";
}

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
            let badges = Badge::ALL.iter().map(|badge| glyphs.badge(*badge));
            let boxes = [glyphs.box_off, glyphs.box_on, glyphs.box_some];
            for sign in glyphs.all().into_iter().chain(badges) {
                let cells = if boxes.contains(&sign) { 3 } else { 1 };
                assert_eq!(sign.width(), cells, "{sign}");
                assert!(set == GlyphSet::Unicode || sign.is_ascii(), "{sign}");
            }
            for (from, to) in PLAIN {
                assert_eq!(from.width(), to.width(), "{from}");
                assert_eq!(glyphs.spell(from).is_ascii(), set == GlyphSet::Ascii);
            }
        }
    }
}
