//! Who knocks now at a key, an app or a location: requests as they arrive, the newest last. Asks again and again while it is
//! open; nothing is drawn when nothing came, and nothing is kept when it closes.
//!
//! ```text
//!  ╭─ Who knocks: Berlin Mitte (4 keys) ────────────────────────────────────────╮
//!  │  allowed 38/s   refused 2/s                         frozen, 12 more came   │
//!  │    Time      Key                 Asked for or why not  From      Program   │
//!  │    14:02:07  ● Booking widget    appointments.read     10.2.0.7  kiosk/2.1 │
//!  │  ▸ 14:02:07  ✗ Reporting (old)   revoked               …                   │
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::domain::Reason as Refusal;
use crate::domain::filter::arrivals::{self, Term};
use crate::domain::tail::{Arrival, Pace, Tail as Caught, Watched};
use crate::tui::action::{Action, Layer, Reason};
use crate::tui::app::ask::{Answer, Ask, Job};
use crate::tui::app::look::Look;
use crate::tui::app::times::Times;
use crate::tui::canvas::Canvas;
use crate::tui::clock::{Moment, Now};
use crate::tui::input::TextFocus;
use crate::tui::list::{Cell, Change, Column, List, Listed};
use crate::tui::overlay::{Cue, Heard, Overlay};
use crate::tui::sight::seen::seen;
use crate::tui::theme::{Badge, Role};
use crate::tui::widgets::{Focus, layout, popup, walks};

/// How often is asked what came.
const EVERY: Duration = Duration::from_millis(250);
/// Rows that are shown, and those that wait while it is frozen.
const MOST: usize = 500;
/// The list's number for the mouse.
const PANE: u8 = 0;
const NAME: &str = "tail";

/// The requests that are shown, each by its number.
pub struct Rows {
    first: u64,
    all: VecDeque<Arrival>,
    times: Times,
}

impl Rows {
    fn ids(&self) -> impl Iterator<Item = u64> + use<> {
        self.first..self.first.saturating_add(u64::try_from(self.all.len()).unwrap_or(u64::MAX))
    }

    fn put(&mut self, arrivals: impl IntoIterator<Item = Arrival>) {
        for arrival in arrivals {
            if self.all.len() == MOST {
                self.all.pop_front();
                self.first += 1;
            }
            self.all.push_back(arrival);
        }
    }
}

pub struct Arrivals;

impl Listed for Arrivals {
    type Id = u64;
    type Row = Arrival;
    type Sight<'a> = Rows;
    type Term = Term;

    const ONE: &'static str = "request";
    const MARGIN: u16 = 2;

    fn row(rows: &Rows, id: u64) -> Option<&Arrival> {
        rows.all.get(usize::try_from(id.checked_sub(rows.first)?).ok()?)
    }

    fn name<'a>(arrival: &'a Arrival, _: &'a Rows) -> &'a str {
        arrival.name.as_str()
    }

    fn text(arrival: &Arrival, _: &Rows, room: &mut String) {
        arrivals::text(arrival, room);
    }

    fn fits(term: &Term, arrival: &Arrival, _: &Rows) -> bool {
        term.fits(arrival)
    }
}

type Col = Column<Arrivals>;

static TIME: Col = Col::text("Time", 't', (8, 8), 0, |arrival, rows| {
    Cell::new(Role::Dim, rows.times.second(arrival.from.at))
});
static WHO: Col = Col::text("Key", 'k', (14, 30), 0, |arrival, _| {
    let badge = if arrival.reason.is_none() { Badge::Active } else { Badge::Revoked };
    Cell::badge(badge, arrival.name.as_str())
});
static WHAT: Col = Col::text("Scope, or why not", 'w', (13, 40), 0, |arrival, _| match arrival.reason {
    None => Cell::new(Role::Text, arrival.wanted()),
    Some(Refusal::Scope) if !arrival.scopes.is_empty() => {
        let of = if arrival.scopes.len() == 1 && arrival.more == 0 { "" } else { "one of " };
        Cell::new(Role::Bad, format!("lacks {of}{}", arrival.wanted()))
    }
    Some(reason) => Cell::new(Role::Bad, reason.brief()),
});
static FROM: Col = Col::text("From", 'f', (9, 19), 1, |arrival, _| {
    Cell::new(Role::Text, arrival.from.address.map_or_else(|| "-".to_owned(), |from| from.to_string()))
});
static BY: Col = Col::text("Program", 'p', (10, 40), 2, |arrival, _| {
    Cell::new(Role::Dim, arrival.from.agent.as_ref().map_or("-", |agent| agent.as_str()))
});

/// Whether rows go by.
enum Flow {
    Runs,
    /// They stand still. What came meanwhile waits, as much of it as is kept, and all of it is counted.
    Frozen(VecDeque<Arrival>, u64),
}

/// Whether an answer is under way.
enum Phase {
    /// Asks at that moment.
    Rests(Moment),
    Asks,
    /// It is over, and why.
    Over(String),
}

/// What is watched, as it comes.
pub struct Tail {
    watched: Watched,
    title: String,
    rows: Rows,
    list: List<Arrivals>,
    flow: Flow,
    phase: Phase,
    pace: Pace,
    /// The numbers in the heading, as they were told last.
    heading: String,
    left_out: u64,
    /// What is said while nothing came.
    empty: String,
}

impl Tail {
    /// Watching `watched` from the first tick on.
    pub fn new(watched: Watched, look: &Look) -> Self {
        let title = seen(look, |seen| {
            let name =
                watched.name(seen.view).map_or_else(|| "all you see".to_owned(), |name| name.to_string());
            let keys = match watched {
                Watched::All | Watched::Key(_) => None,
                Watched::App(id) => Some(seen.view.keys_of_app(id).filter(|key| !seen.is_aside(key)).count()),
                Watched::Location(id) => {
                    Some(seen.view.keys_at(id).filter(|key| !seen.is_aside(key)).count())
                }
            };
            match keys {
                None => format!("Who knocks: {name}"),
                Some(1) => format!("Who knocks: {name} (1 key)"),
                Some(keys) => format!("Who knocks: {name} ({keys} keys)"),
            }
        });
        let empty = if look.owner.is_some() {
            "Nobody has knocked since this was opened."
        } else {
            "Nobody has knocked since this was opened. Requests are seen where they are decided: run keydeck serve first, and this \
             console attaches to it."
        };
        Self {
            watched,
            title,
            rows: Rows { first: 0, all: VecDeque::new(), times: Times::of(look) },
            list: List::new(PANE, vec![&TIME, &WHO, &WHAT, &FROM, &BY]),
            flow: Flow::Runs,
            phase: Phase::Rests(Moment::default()),
            pace: Pace::default(),
            heading: words(&Pace::default(), 0),
            left_out: 0,
            empty: empty.to_owned(),
        }
    }

    /// Takes in what came. Whether something on the screen is another.
    fn take(&mut self, caught: Caught) -> bool {
        self.pace.add(&caught);
        self.left_out = self.left_out.saturating_add(caught.left_out);
        let heading = words(&self.pace, self.left_out);
        let another = heading != self.heading || !caught.arrivals.is_empty();
        self.heading = heading;
        match &mut self.flow {
            Flow::Runs if caught.arrivals.is_empty() => {}
            Flow::Runs => {
                self.rows.put(caught.arrivals);
                self.fill();
            }
            Flow::Frozen(waiting, count) => {
                *count +=
                    u64::try_from(caught.arrivals.len()).unwrap_or(u64::MAX).saturating_add(caught.left_out);
                waiting.extend(caught.arrivals);
                waiting.drain(..waiting.len().saturating_sub(MOST));
            }
        }
        another
    }

    /// Shows the rows there are, down to the newest.
    fn fill(&mut self) {
        let ids = self.rows.ids();
        self.list.fill(ids, &self.rows);
        self.list.go(usize::MAX);
    }

    fn freeze(&mut self) {
        match std::mem::replace(&mut self.flow, Flow::Runs) {
            Flow::Runs => self.flow = Flow::Frozen(VecDeque::new(), 0),
            Flow::Frozen(waiting, _) => {
                self.rows.put(waiting);
                self.fill();
            }
        }
    }

    fn hear_list(&mut self, cue: Cue<'_>) -> Heard {
        let change = self.list.hear(cue);
        if self.list.settle(change, &self.rows) {
            if change == Change::Filter && matches!(self.flow, Flow::Runs) {
                self.list.go(usize::MAX);
            }
            Heard::Consumed
        } else {
            Heard::Ignored
        }
    }
}

/// The heading.
fn words(pace: &Pace, left_out: u64) -> String {
    let (allowed, refused) = (pace.words(|second| second.allowed), pace.words(|second| second.refused));
    let more = if left_out > 0 { format!("   {left_out} too many to be shown") } else { String::new() };
    format!("allowed {allowed}   refused {refused}{more}")
}

impl Overlay for Tail {
    fn name(&self) -> &'static str {
        NAME
    }

    fn layer(&self) -> Layer {
        if self.text_focus() == TextFocus::Here { Layer::Picker } else { Layer::Watch }
    }

    fn text_focus(&self) -> TextFocus {
        self.list.text_focus()
    }

    fn hear(&mut self, cue: Cue<'_>, _: &Look, _: Now, out: &mut Vec<Ask>) -> Heard {
        match cue {
            Cue::Tick => {
                if let Phase::Rests(_) = self.phase {
                    self.phase = Phase::Asks;
                    out.push(Ask::Do(Job::Tail(Some(self.watched))));
                }
                Heard::Still
            }
            Cue::Do(Action::Freeze) => {
                self.freeze();
                Heard::Consumed
            }
            Cue::Do(Action::Cancel) if self.text_focus() == TextFocus::Elsewhere => {
                if self.list.is_filtered() {
                    return self.hear_list(Cue::Do(Action::Back));
                }
                out.push(Ask::Do(Job::Tail(None)));
                Heard::Close
            }
            // Whoever looks back wants it to stand still.
            Cue::Do(action) if walks(action) && matches!(self.flow, Flow::Runs) => {
                self.freeze();
                self.hear_list(cue)
            }
            cue => self.hear_list(cue),
        }
    }

    fn told(&mut self, answer: Answer, _: &Look, now: Now, _: &mut Vec<Ask>) -> Heard {
        let another = match answer {
            Answer::Tail(Some(caught)) => {
                self.phase = Phase::Rests(now.at + EVERY);
                self.take(*caught)
            }
            Answer::Refused(why) => {
                self.phase = Phase::Over(why);
                true
            }
            _ => false,
        };
        if another { Heard::Consumed } else { Heard::Still }
    }

    fn draw(&mut self, canvas: &mut Canvas<'_>, _: Rect, _: &Look, _: Now) {
        let whole = canvas.area();
        let inner = popup::draw(canvas, &self.title, whole.width, whole.height.saturating_sub(1));
        // The bar of the list stands beside its rows.
        let inner = Rect { width: inner.width.saturating_add(2), ..inner };
        let (heading, rows) = layout::top(inner, 1);
        let (role, said) = match (&self.phase, &self.flow) {
            (Phase::Over(why), _) => (Role::Bad, why.clone()),
            (_, Flow::Runs) => (Role::Dim, String::new()),
            (_, Flow::Frozen(_, count)) => (Role::Accent, format!("frozen, {count} more came")),
        };
        let span = canvas.span(role, said);
        let right =
            canvas.spans_right(heading.right().saturating_sub(3), heading.y, heading.width / 2, &[span]);
        canvas.fit(heading.x, heading.y, right.saturating_sub(heading.x), &self.heading, Role::Title);
        self.list.draw(canvas, rows, &self.rows, Focus::Here, &self.empty);
    }

    fn hints(&self) -> &[Action] {
        if self.text_focus() == TextFocus::Here {
            &[Action::Press, Action::Cancel]
        } else {
            &[Action::Freeze, Action::Filter, Action::Cancel, Action::Up, Action::Down]
        }
    }

    fn called(&self) -> &[(Action, &'static str)] {
        match self.flow {
            Flow::Runs => &[],
            Flow::Frozen(..) => &[(Action::Freeze, "go on")],
        }
    }

    fn enabled(&self, action: Action, _: &Look) -> Result<(), Reason> {
        match action {
            _ if walks(action) && self.list.is_empty() => Err("nothing has come yet".into()),
            _ => Ok(()),
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        match self.phase {
            Phase::Rests(until) => Some(until),
            Phase::Asks | Phase::Over(_) => None,
        }
    }
}
