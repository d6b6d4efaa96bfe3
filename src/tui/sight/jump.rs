//! What one jump leads to: keys, apps, locations, operators, and what each screen has beside them. Each word typed is found in
//! a name, its letters in their order, or as it is in what is said beside the name; without accents, whatever the case. The
//! many are looked through on another thread, part by part, and no more than the best of them are kept.

use frizbee::{Config, Matcher};

use crate::domain::filter::{keys, push_plain};
use crate::domain::name::plain;
use crate::domain::{Extent, Key};
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Errand, Setting, Tab, Thing};
use crate::tui::sight::seen::{Glance, Seen};

/// As many are kept of what is found among many.
const MOST: usize = 100;
/// Keys looked at before the state is let go for whoever wants it.
const AT_A_TIME: usize = if cfg!(test) { 3 } else { 4_096 };
/// Keys looked through before something is shown; then twice as many, and so on.
const PART: usize = if cfg!(test) { 4 } else { 16_384 };
/// The largest part: another query waits for no more than that.
const LARGEST: usize = 65_536;
/// What a word is worth that stands whole in a name, beyond how well it fits there; its letters, apart, are worth no more than
/// what stands beside.
const WHOLE: u32 = 2_000;
/// What one is worth that stands beside a name.
const BESIDE: u32 = 1_000;

worded! {
/// What can be jumped to. Of what fits equally well the first kinds come first.
Kind
/// In a word.
word {
    Action "action";
    App "app";
    Location "location";
    Operator "operator";
    Key "key";
    Setting "setting";
    Entry "audit";
    Filter "filter";
}
}

/// What a jump does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// This verb, with what is selected.
    Act(Action),
    /// This verb, with this.
    With(Action, Tab, Thing),
    /// To lock this down, or to lift that.
    LockDown(Extent),
    /// Another theme.
    Wear(&'static str),
    /// Something of this kind, and where it is.
    There(Kind, Tab, Errand),
}

impl Goal {
    /// What kind of thing it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Act(_) | Self::Wear(_) | Self::With(..) | Self::LockDown(_) => Kind::Action,
            Self::There(kind, ..) => *kind,
        }
    }
}

/// Something that can be jumped to.
#[derive(Clone, Debug)]
pub struct Offer {
    pub goal: Goal,
    pub name: String,
    /// What words are looked for in besides, as [`plain`] has it.
    pub text: String,
    /// Where it is, or how it stands.
    pub hint: String,
    /// Why not now.
    pub disabled: Option<Reason>,
    /// What an action can do something with.
    pub thing: Option<Thing>,
}

impl Offer {
    /// Something of a screen, which is found by these words.
    pub fn there(
        kind: Kind,
        tab: Tab,
        errand: Errand,
        name: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (name, hint) = (name.into(), hint.into());
        let text = plain(&hint);
        Self { goal: Goal::There(kind, tab, errand), name, text, hint, disabled: None, thing: None }
    }

    fn of(self, thing: Thing) -> Self {
        Self { thing: Some(thing), ..self }
    }

    /// Equal ones in this order: what is possible, by its kind, the shorter name first.
    fn place(&self) -> (bool, Kind, usize, &str) {
        (self.disabled.is_some(), self.goal.kind(), self.name.len(), &self.name)
    }
}

/// Something found, and how well it fits.
#[derive(Clone, Debug)]
pub struct Hit {
    score: u32,
    pub offer: Offer,
}

impl Hit {
    /// Whether each of so many words stands in the name as it is.
    pub fn is_whole(&self, words: usize) -> bool {
        u32::try_from(words).is_ok_and(|words| self.score > words.saturating_mul(WHOLE))
    }
}

/// The words of a query.
pub struct Words(Vec<(String, Matcher)>);

impl Words {
    /// Those of a line.
    pub fn of(line: &str) -> Self {
        let line = plain(line);
        let word = |word: &str| (word.to_owned(), Matcher::new(word, &Config::default()));
        Self(line.split_whitespace().map(word).collect())
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is looked for.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How well names and the texts beside them fit, where every word is found; 0 where one is not.
    fn score(&mut self, names: &[String], texts: &[String]) -> Vec<u32> {
        let mut scores = vec![1; names.len()];
        for (word, matcher) in &mut self.0 {
            let mut named = vec![0; names.len()];
            for found in matcher.match_list(names) {
                if let Some(named) = named.get_mut(found.index as usize) {
                    *named = u32::from(found.score).clamp(1, BESIDE - 1);
                }
            }
            for (((score, named), name), text) in scores.iter_mut().zip(named).zip(names).zip(texts) {
                let worth = match named {
                    _ if *score == 0 => 0,
                    1.. if name.contains(word.as_str()) => WHOLE + named,
                    _ if text.contains(word.as_str()) => BESIDE,
                    named => named,
                };
                *score = if *score > 0 && worth > 0 { *score + worth } else { 0 };
            }
        }
        scores
    }

    /// Those of `offers` in which every word is found.
    pub fn among<'o>(&mut self, offers: impl Iterator<Item = &'o Offer>) -> Vec<Hit> {
        let offers: Vec<&Offer> = offers.collect();
        let names: Vec<String> = offers.iter().map(|offer| plain(&offer.name)).collect();
        let texts: Vec<String> = offers.iter().map(|offer| offer.text.clone()).collect();
        let scored = self.score(&names, &texts).into_iter().zip(offers).filter(|(score, _)| *score > 0);
        scored.map(|(score, offer)| Hit { score, offer: offer.clone() }).collect()
    }
}

/// Puts the best first.
pub fn rank(hits: &mut [Hit]) {
    hits.sort_by(|one, other| {
        other.score.cmp(&one.score).then_with(|| one.offer.place().cmp(&other.offer.place()))
    });
}

/// Looking through all there is, on its way.
pub struct Trawl {
    /// Which query it is for; what an older one finds is not wanted any more.
    pub turn: u64,
    words: Words,
    found: Vec<Hit>,
    /// The place of the next key; none before the few and after the last.
    from: Option<usize>,
    begun: bool,
    part: usize,
}

impl Trawl {
    /// For these words.
    pub const fn new(turn: u64, words: Words) -> Self {
        Self { turn, words, found: Vec::new(), from: None, begun: false, part: PART }
    }

    /// The best that was found by now.
    pub fn found(&self) -> &[Hit] {
        &self.found
    }

    /// Whether all was looked through.
    pub const fn is_done(&self) -> bool {
        self.begun && self.from.is_none()
    }

    /// Goes through some more, of which something can be shown.
    #[must_use]
    pub fn run(mut self, glance: Glance<'_>) -> Self {
        if !self.begun {
            let mut few = Vec::new();
            glance(&mut |seen| few = offers(seen));
            self.keep(|words| words.among(few.iter()));
            (self.begun, self.from) = (true, Some(0));
        }
        let mut left = self.part;
        while let Some(from) = self.from.filter(|_| left > 0) {
            let to = from.saturating_add(AT_A_TIME.min(left));
            glance(&mut |seen| self.go(from, to, seen));
            left = left.saturating_sub(AT_A_TIME);
        }
        self.part = self.part.saturating_mul(2).min(LARGEST);
        self
    }

    /// Looks through the keys at these places.
    fn go(&mut self, from: usize, to: usize, seen: &Seen<'_>) {
        let (mut some, more) = seen.view.keys_between(from..to);
        some.retain(|key| !seen.view.is_folded(key, seen.now()));
        let (mut names, mut texts) = (Vec::with_capacity(some.len()), Vec::with_capacity(some.len()));
        for key in &some {
            let (mut name, mut text) = (String::new(), String::new());
            push_plain(&mut name, key.name.as_str());
            keys::text(key, seen.view, &mut text);
            names.push(name);
            texts.push(text);
        }
        // Of a million that fit equally well none is made a row of that is not shown.
        let least = self.found.get(MOST - 1).map_or(0, |hit| hit.score);
        self.keep(|words| {
            let scores = words.score(&names, &texts).into_iter().zip(some).zip(texts);
            let good = scores.filter(|((score, _), _)| *score > least);
            good.map(|((score, key), text)| Hit { score, offer: of_key(key, text, seen) }).collect()
        });
        self.from = more.then_some(to);
    }

    fn keep(&mut self, find: impl FnOnce(&mut Words) -> Vec<Hit>) {
        let found = find(&mut self.words);
        if !found.is_empty() {
            self.found.extend(found);
            rank(&mut self.found);
            self.found.truncate(MOST);
        }
    }
}

fn of_key(key: &Key, text: String, seen: &Seen<'_>) -> Offer {
    let errand = match Errand::of(key, seen.now()) {
        Errand::Key(key) => Errand::Open(key),
        among => among,
    };
    let place = seen.view.place_name(key.place);
    let owner = seen.view.is_whole().then(|| seen.view.owner_name(key));
    let standing = seen.standing(key).words();
    let hint: Vec<&str> = [place, owner, Some(standing.as_str())].into_iter().flatten().collect();
    Offer {
        goal: Goal::There(Kind::Key, Tab::of(key.place), errand),
        name: key.name.to_string(),
        text,
        hint: hint.join(", "),
        disabled: None,
        thing: Some(Thing::Key(key.id)),
    }
}

/// Apps, locations and operators, those the operator may see.
fn offers(seen: &Seen<'_>) -> Vec<Offer> {
    let view = seen.view;
    let apps =
        seen.state().apps().filter_map(|app| view.app(app.id)).filter(|app| !app.is_deleted()).map(|app| {
            let owner = if view.is_whole() { view.app_owner_name(app) } else { "" };
            let offer = Offer::there(Kind::App, Tab::Apps, Errand::App(app.id), app.name.as_str(), owner);
            Offer { text: plain(&format!("{owner}\n{}", app.id)), ..offer.of(Thing::App(app.id)) }
        });
    let locations = seen.state().locations().filter(|at| at.is_open()).map(|at| {
        Offer::there(Kind::Location, Tab::Locations, Errand::Location(at.id), at.name.as_str(), "")
            .of(Thing::Location(at.id))
    });
    let operators = view.operators().into_iter().map(|person| {
        let errand = Errand::Setting(Setting::Operator(person.id));
        let role = if person.standing.is_active() { person.role.as_str() } else { "disabled" };
        Offer::there(Kind::Operator, Tab::Settings, errand, person.name.as_str(), role)
            .of(Thing::Operator(person.id))
    });
    apps.chain(locations).chain(operators).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(kind: Kind, name: &str, hint: &str) -> Offer {
        Offer::there(kind, Tab::Agency, Errand::None, name, hint)
    }

    fn found(line: &str) -> Vec<String> {
        let offers = [
            offer(Kind::Key, "Nightly export", "Kraków, maria"),
            offer(Kind::Location, "Kraków", ""),
            offer(Kind::Key, "Export of reports", "Łódź, jonas"),
            offer(Kind::Action, "Revoke the key for good", ""),
        ];
        let mut hits = Words::of(line).among(offers.iter());
        rank(&mut hits);
        hits.into_iter().map(|hit| hit.offer.name).collect()
    }

    #[test]
    fn words_are_found_in_any_order_in_a_name_and_beside_it_without_accents() {
        assert_eq!(found("krakow"), ["Kraków", "Nightly export"], "what is called so comes first");
        assert_eq!(found("KRAKÓW exp"), ["Nightly export"]);
        assert_eq!(found("lodz"), ["Export of reports"]);
        assert_eq!(found("nexp"), ["Nightly export"], "letters in their order");
        assert_eq!(found("export"), ["Export of reports", "Nightly export"], "its beginning first");
        assert_eq!(found("mar"), ["Nightly export"]);
        assert_eq!(found("rev")[0], "Revoke the key for good");
        assert_eq!(found("krak")[0], "Kraków");
        assert!(found("export zzz").is_empty(), "every word has to be found");
        assert_eq!(found("jonas"), ["Export of reports"]);
        assert!(found("jns").is_empty(), "beside a name only what is written there");
    }
}
