//! The settings tab: policy, operators, security, about. Sections on the left, the open one on the right; one at a
//! time where the terminal is narrow. Nothing is changed here: Enter opens a form, and the form asks the engine.
//!
//! ```text
//! ▸ Policy      │   Rule                Value  What it does
//!   Operators   │ ▸ Keys per operator     20   Live keys one operator may own.
//!   Security    │   Unused until deleted  90d  Days without use after which …
//!   About       │
//! ```

pub mod about;
mod operators;
mod policy;
mod security;
mod sheet;

use ratatui::layout::Rect;

pub use self::about::Facts;
use self::operators::Operators;
use self::policy::Rules;
use self::sheet::{Deed, Sheet};
use super::{CLOCK_BELIEVED, Screen, not_here};
use crate::domain::authorize::Action as Act;
use crate::domain::filter::NoTerm;
use crate::engine::Doors;
use crate::store::Rev;
use crate::tui::action::{Action, Reason};
use crate::tui::app::ask::{Answer, Ask, Errand, Job, Setting};
use crate::tui::app::look::Look;
use crate::tui::canvas::{Canvas, Target};
use crate::tui::clock::{Moment, Now};
use crate::tui::list::{Cell, Change, Column, List, Listed};
use crate::tui::overlay::Cue;
use crate::tui::overlays::confirm;
use crate::tui::overlays::operator::{self, Verb};
use crate::tui::overlays::secret::Secret;
use crate::tui::sight::jump::Offer;
use crate::tui::theme::Role;
use crate::tui::widgets::{Focus, layout, walks};

/// Columns from which sections and content stand side by side.
const WIDE: u16 = 78;
/// Columns of the sections.
const SECTIONS: u16 = 15;
/// Lists of the screen, for the mouse.
const SECTION_PANE: u8 = 0;
const CONTENT_PANE: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Policy,
    Operators,
    Security,
    About,
}

impl Section {
    const ALL: [Self; 4] = [Self::Policy, Self::Operators, Self::Security, Self::About];

    const fn title(self) -> &'static str {
        match self {
            Self::Policy => "Policy",
            Self::Operators => "Operators",
            Self::Security => "Security",
            Self::About => "About",
        }
    }

    const fn about(self) -> &'static str {
        match self {
            Self::Policy => "limits, lives and who may issue",
            Self::Operators => "who may sign in, and as what",
            Self::Security => "seal, slots, recovery code",
            Self::About => "version, store, catalog, terminal",
        }
    }
}

impl Listed for Section {
    type Id = usize;
    type Row = Self;
    type Sight<'a> = [Self; 4];
    type Term = NoTerm;

    const ONE: &'static str = "section";
    const MARGIN: u16 = 2;

    fn row(all: &[Self; 4], at: usize) -> Option<&Self> {
        all.get(at)
    }

    fn name<'a>(section: &'a Self, _: &'a [Self; 4]) -> &'a str {
        section.title()
    }
}

type Col = Column<Section>;

static TITLE: Col =
    Col::text("", 't', (9, SECTIONS - 4), 0, |section, _| Cell::new(Role::Text, section.title()));
/// Where there is room for it.
static ABOUT: Col = Col::text("", 'a', (30, 40), 1, |section, _| Cell::new(Role::Dim, section.about()));

/// Where the keyboard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pane {
    Sections,
    Content,
}

pub struct Settings {
    facts: Facts,
    sections: List<Section>,
    pane: Pane,
    rules: Rules,
    operators: Operators,
    security: Sheet,
    about: Sheet,
    /// What opens the store, once it was asked.
    doors: Option<Doors>,
    /// The answer is not known, or something changed since.
    ask_doors: bool,
    asking: bool,
    opened: bool,
    rev: Option<Rev>,
}

impl Settings {
    /// The settings of a console of which `facts` are known.
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            sections: List::new(SECTION_PANE, vec![&TITLE, &ABOUT]),
            pane: Pane::Sections,
            rules: Rules::new(CONTENT_PANE),
            operators: Operators::new(CONTENT_PANE),
            security: Sheet::new(CONTENT_PANE, security::DEEDS),
            about: Sheet::new(CONTENT_PANE, about::DEEDS),
            doors: None,
            ask_doors: true,
            asking: false,
            opened: false,
            rev: None,
        }
    }

    fn section(&self) -> Section {
        self.sections.selected().and_then(|at| Section::ALL.get(at)).copied().unwrap_or(Section::Policy)
    }

    fn rewrite(&mut self, look: &Look) {
        self.sections.fill(0..Section::ALL.len(), &Section::ALL);
        self.rules.refresh(look);
        self.operators.refresh(look);
        self.security.set(security::facts(look, self.doors.as_ref()), look);
        self.about.set(about::facts(look, &self.facts, self.doors.as_ref()), look);
    }

    /// Opens a section, with what is meant of it selected.
    fn go(&mut self, setting: Setting, look: &Look) {
        let section = match setting {
            Setting::Section(title) => Section::ALL.into_iter().find(|section| section.title() == title),
            Setting::Rule(rule) => {
                self.rules.select(rule);
                Some(Section::Policy)
            }
            Setting::Operator(operator) => {
                self.operators.select(operator, look);
                Some(Section::Operators)
            }
        };
        let at = Section::ALL.iter().position(|known| Some(*known) == section);
        self.sections.go(at.unwrap_or_default());
        self.pane = Pane::Content;
    }

    fn ask(&mut self, out: &mut Vec<Ask>) {
        if self.opened && self.ask_doors && !self.asking {
            self.asking = true;
            self.ask_doors = false;
            out.push(Ask::Do(Job::Doors));
        }
    }

    /// Gives a cue to one of the halves.
    fn pass(&mut self, half: Pane, cue: Cue<'_>) -> bool {
        let change = match (half, self.section()) {
            (Pane::Sections, _) => self.sections.hear(cue),
            (_, Section::Policy) => self.rules.hear(cue),
            (_, Section::Operators) => self.operators.hear(cue),
            (_, Section::Security) => self.security.hear(cue),
            (_, Section::About) => self.about.hear(cue),
        };
        change != Change::Ignored
    }

    fn open(&mut self, look: &Look, out: &mut Vec<Ask>) {
        if self.pane == Pane::Sections {
            self.pane = Pane::Content;
            return;
        }
        match self.section() {
            Section::Policy => self.edit(look, out),
            Section::Operators => {
                out.extend(self.operators.selected(look).map(|person| {
                    let menu = operator::menu::menu(person, look);
                    Ask::open(menu)
                }));
            }
            Section::Security => Self::perform(self.security.selected(), out),
            Section::About => Self::perform(self.about.selected(), out),
        }
    }

    fn perform(deed: Option<Deed>, out: &mut Vec<Ask>) {
        match deed {
            Some(Deed::Act(action)) => out.push(Ask::Act(action)),
            Some(Deed::Read(text)) => out.push(Ask::open(about::reader(text))),
            None => {}
        }
    }

    fn edit(&mut self, look: &Look, out: &mut Vec<Ask>) {
        match self.section() {
            Section::Operators => self.about_person(Verb::Role, look, out),
            _ => out.extend(self.rules.form(look).map(Ask::Push)),
        }
    }

    fn about_person(&self, verb: Verb, look: &Look, out: &mut Vec<Ask>) {
        if let Some(person) = self.operators.selected(look) {
            out.push(Ask::Push(operator::menu::form(verb, &person, look)));
        }
    }

    /// What the one key for both ends of an access means for the selected operator.
    fn access_verb(&self, look: &Look) -> Option<Verb> {
        let person = self.operators.selected(look)?;
        Some(if person.active { Verb::Disable } else { Verb::Enable })
    }

    fn act(&mut self, action: Action, look: &Look, out: &mut Vec<Ask>) -> bool {
        match action {
            Action::Open => self.open(look, out),
            Action::RowMenu => {
                self.pane = Pane::Content;
                self.open(look, out);
            }
            Action::Right => self.pane = Pane::Content,
            Action::Left | Action::Back => self.pane = Pane::Sections,
            Action::Edit => self.edit(look, out),
            Action::New => out.push(Ask::open(operator::add::new(look))),
            Action::Passphrase => self.about_person(Verb::Passphrase, look, out),
            Action::EndAccess => {
                if let Some(verb) = self.access_verb(look) {
                    self.about_person(verb, look, out);
                }
            }
            Action::RenewCode => out.push(Ask::open(confirm::recovery::renew())),
            Action::ConfirmClock => out.push(Ask::open(confirm::clock::ask(look))),
            Action::Guide => Self::perform(Some(Deed::Read(about::GUIDE)), out),
            _ => return self.pass(self.pane, Cue::Do(action)),
        }
        true
    }

    /// A click into the other half takes the keyboard there.
    fn click(&mut self, target: Target) -> bool {
        let (Target::Row { pane, .. } | Target::Pane(pane) | Target::Header { pane, .. }) = target else {
            return false;
        };
        self.pane = if pane == SECTION_PANE { Pane::Sections } else { Pane::Content };
        self.pass(self.pane, Cue::Click(target))
    }

    fn draw_content(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look) {
        canvas.hit(area, Target::Pane(CONTENT_PANE));
        let focus = Focus::when(self.pane == Pane::Content);
        match self.section() {
            Section::Policy => self.rules.draw(canvas, area, look, focus),
            Section::Operators => self.operators.draw(canvas, area, look, focus),
            Section::Security => self.security.draw(canvas, area, look, focus),
            Section::About => self.about.draw(canvas, area, look, focus),
        }
    }
}

impl Screen for Settings {
    fn refresh(&mut self, look: &Look, _: &mut Vec<Ask>) {
        let rev = Some(look.engine.condition().health.rev);
        if self.rev != rev {
            self.rev = rev;
            self.ask_doors = true;
        }
        self.rewrite(look);
    }

    fn offers(&self, look: &Look) -> Vec<Offer> {
        let section = |it: &Section| policy::offer(Setting::Section(it.title()), it.title(), it.about());
        Section::ALL.iter().map(section).chain(policy::offers(look)).collect()
    }

    fn arrive(&mut self, errand: Errand, look: &Look, out: &mut Vec<Ask>) {
        self.opened = true;
        self.rewrite(look);
        if let Errand::Setting(setting) = errand {
            self.go(setting, look);
        }
        self.ask(out);
    }

    fn hear(&mut self, cue: Cue<'_>, look: &Look, _: Now, out: &mut Vec<Ask>) -> bool {
        let used = match cue {
            Cue::Do(action) => self.act(action, look, out),
            Cue::Click(target) => self.click(target),
            Cue::Wheel { pane: CONTENT_PANE, .. } => self.pass(Pane::Content, cue),
            Cue::Wheel { .. } => self.pass(Pane::Sections, cue),
            Cue::Tick => true,
            _ => false,
        };
        self.ask(out);
        used
    }

    fn told(&mut self, answer: Answer, look: &Look, _: Now, out: &mut Vec<Ask>) {
        match answer {
            Answer::Doors(doors) => {
                self.asking = false;
                self.doors = Some(doors);
                self.rewrite(look);
            }
            Answer::Refused(_) => self.asking = false,
            // The form was closed before its answer came: a code that nobody saw is shown now.
            Answer::Recovery(code) => {
                out.push(Ask::open(Secret::code(code)));
            }
            _ => {}
        }
        self.ask(out);
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, area: Rect, look: &Look, _: Now) {
        if area.width >= WIDE {
            let (left, right) = layout::left(area, SECTIONS);
            self.sections.draw(canvas, left, &Section::ALL, Focus::when(self.pane == Pane::Sections), "");
            canvas.vertical(right.x, right.y, right.height);
            self.draw_content(canvas, layout::right(right, right.width.saturating_sub(2)).1, look);
            return;
        }
        if self.pane == Pane::Sections {
            self.sections.draw(canvas, area, &Section::ALL, Focus::Here, "");
            return;
        }
        let (head, below) = layout::top(area, u16::from(area.height > 4));
        if !head.is_empty() {
            let x =
                canvas.fit(head.x.saturating_add(1), head.y, head.width, self.section().title(), Role::Title);
            let key = look.keymap.label(crate::tui::action::Layer::Screen, Action::Back).unwrap_or_default();
            let hint = format!("  {key} goes back to the sections");
            canvas.fit(x, head.y, head.right().saturating_sub(x), &hint, Role::Dim);
        }
        self.draw_content(canvas, below, look);
    }

    fn hints(&self) -> &[Action] {
        match (self.pane, self.section()) {
            (Pane::Sections, _) => &[Action::Open],
            (_, Section::Policy) => &[Action::Edit, Action::Back],
            (_, Section::Operators) => &[
                Action::New,
                Action::RowMenu,
                Action::Edit,
                Action::Passphrase,
                Action::EndAccess,
                Action::Back,
            ],
            (_, Section::Security) => {
                &[Action::Open, Action::RenewCode, Action::ConfirmClock, Action::Lock, Action::Back]
            }
            (_, Section::About) => &[Action::Open, Action::Guide, Action::Back],
        }
    }

    #[expect(clippy::match_same_arms, reason = "the first that applies answers")]
    fn enabled(&self, action: Action, look: &Look) -> Result<(), Reason> {
        let content = self.pane == Pane::Content;
        let policy = self.section() == Section::Policy;
        let people = self.section() == Section::Operators;
        let person = || {
            if !people {
                return Err(Reason::from("that is for operators; open their section first"));
            }
            self.operators.selected(look).ok_or_else(|| Reason::from("select an operator first"))
        };
        match action {
            _ if walks(action) => Ok(()),
            Action::Guide => Ok(()),
            Action::Right if content => Err("you are there already".into()),
            Action::Left | Action::Back if !content => Err("there is nothing to step back from".into()),
            Action::Right | Action::Left | Action::Back => Ok(()),
            Action::Open if !content => Ok(()),
            Action::Open | Action::Edit if policy => {
                look.may_change().and_then(|()| look.may(Act::SetPolicy))
            }
            Action::Open if !people => Ok(()),
            Action::RowMenu if !people => Err(not_here(action, look)),
            Action::Open | Action::RowMenu => person().map(drop),
            Action::Edit if people => person()?.allows(Verb::Role, look),
            Action::Edit => Err("there is nothing to edit here".into()),
            Action::New if people => look.may(Act::ManageOperators),
            Action::New => Err("open the operators to add one".into()),
            Action::Passphrase => person()?.allows(Verb::Passphrase, look),
            Action::EndAccess => {
                let person = person()?;
                let verb = if person.active { Verb::Disable } else { Verb::Enable };
                person.allows(verb, look)
            }
            Action::RenewCode if look.engine.condition().health.backend == "memory" => {
                Err("this store is in memory and gone when keydeck ends: no code could open it again".into())
            }
            Action::RenewCode => look.may(Act::RenewRecovery),
            Action::ConfirmClock if !look.engine.now().suspect => Err(CLOCK_BELIEVED.into()),
            Action::ConfirmClock => look.may(Act::ConfirmClock),
            _ => Err(not_here(action, look)),
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        (self.opened && self.ask_doors && !self.asking).then(Moment::default)
    }
}
