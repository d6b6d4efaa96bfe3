use std::cell::Cell as Counter;

use proptest::prelude::*;

use super::column::fit;
use super::*;
use crate::domain::filter::NoTerm;
use crate::tui::canvas::{HitMap, Target};
use crate::tui::overlay::{Cue, Typed};
use crate::tui::testing;
use crate::tui::theme::{Badge, Role};
use crate::tui::widgets::Focus;

/// Rows that are numbers below a limit, and that count how often a cell of theirs is made.
struct Numbers {
    all: Vec<u32>,
    made: Counter<usize>,
}

impl Numbers {
    fn below(limit: u32) -> Self {
        Self { all: (0..limit).collect(), made: Counter::new(0) }
    }
}

impl Listed for Numbers {
    type Id = u32;
    type Row = u32;
    type Sight<'a> = Self;
    type Term = NoTerm;

    const ONE: &'static str = "key";

    fn row(sight: &Self, id: u32) -> Option<&u32> {
        sight.all.get(id as usize)
    }

    fn name<'a>(row: &'a u32, _: &'a Self) -> &'a str {
        if row.is_multiple_of(2) { "even" } else { "odd" }
    }

    fn text(row: &u32, _: &Self, room: &mut String) {
        room.push_str(&row.to_string());
    }
}

fn made<'a>(sight: &Numbers, cell: Cell<'a>) -> Cell<'a> {
    sight.made.set(sight.made.get() + 1);
    cell
}

type Col = Column<Numbers>;

static NAME: Col = Col::text("Name", 'n', (8, 20), 0, |id, sight| {
    made(sight, Cell::new(Role::Text, format!("Key number {id}")))
})
.by(|id, _| Rank::Number((*id).into()));
static SCOPES: Col =
    Col::number("Scopes", 's', 6, 2, |id, sight| made(sight, Cell::new(Role::Text, (id % 10).to_string())))
        .by(|id, _| Rank::Number((id % 10).into()));
static STATE: Col =
    Col::text("State", 't', (8, 12), 1, |_, sight| made(sight, Cell::badge(Badge::Active, "active")));

fn columns() -> Vec<&'static Column<Numbers>> {
    vec![&NAME, &SCOPES, &STATE]
}

fn list(sight: &Numbers) -> List<Numbers> {
    let mut list = List::new(0, columns());
    list.fill(sight.all.iter().copied(), sight);
    list
}

fn shown_on(list: &mut List<Numbers>, sight: &Numbers, width: u16, height: u16) -> (Vec<String>, HitMap) {
    testing::draw_hits(width, height, |canvas, area| {
        list.draw(canvas, area, sight, Focus::Here, "No keys yet. Press n to create the first.");
    })
}

fn drawn(list: &mut List<Numbers>, sight: &Numbers, width: u16, height: u16) -> Vec<String> {
    shown_on(list, sight, width, height).0
}

/// Hears letters of a line, or verbs.
fn hear<'a>(list: &mut List<Numbers>, sight: &Numbers, cues: impl IntoIterator<Item = Cue<'a>>) {
    for cue in cues {
        let change = list.hear(cue);
        list.settle(change, sight);
    }
}

fn press(list: &mut List<Numbers>, sight: &Numbers, actions: &[Action]) {
    hear(list, sight, actions.iter().map(|action| Cue::Do(*action)));
}

fn sort(list: &mut List<Numbers>, sight: &Numbers, letter: char) {
    hear(list, sight, [Cue::Do(Action::Sort), Cue::Type(Typed(letter))]);
}

#[test]
fn a_list_reads_like_the_sketch() {
    let sight = Numbers::below(3);
    let mut list = list(&sight);
    press(&mut list, &sight, &[Action::Mark]);
    assert_eq!(
        drawn(&mut list, &sight, 48, 6),
        [
            "                                    ✓ 1 marked",
            "   Name ▲                Scopes  State",
            " ✓ Key number 0               0  ● active",
            "▸  Key number 1               1  ● active",
            "   Key number 2               2  ● active",
            "",
        ]
    );
    sort(&mut list, &sight, 'n');
    let screen = drawn(&mut list, &sight, 48, 6);
    assert!(screen[1].contains("Name ▼") && screen[2].contains("Key number 2"), "{screen:#?}");
    assert_eq!(list.selected(), Some(1), "the selection is a row, not a place");
}

#[test]
fn what_is_equal_is_in_the_order_of_names_whichever_way_it_is_sorted() {
    let sight = Numbers::below(40);
    let mut list = list(&sight);
    sort(&mut list, &sight, 's');
    assert_eq!(list.shown[..5], [0, 10, 20, 30, 1]);
    sort(&mut list, &sight, 's');
    assert_eq!(list.shown[..5], [9, 19, 29, 39, 8]);
    // Nothing to sort by: the order stays.
    sort(&mut list, &sight, 't');
    assert_eq!(list.shown[..2], [9, 19]);
}

#[test]
fn many_rows_are_put_in_order_and_sifted_a_few_at_a_time() {
    let sight = Numbers::below(100_000);
    let mut list = List::new(0, columns());
    let mut order = list.order();
    sight.all.iter().rev().for_each(|id| order.add(*id, &sight));
    assert!(list.take(order.finish()));
    let looks = Counter::new(0);
    let glance = |read: &mut dyn FnMut(&Numbers)| {
        looks.set(looks.get() + 1);
        read(&sight);
    };
    list.set_filter("99");
    let first = list.begin().run(&glance);
    assert!(looks.get() > 3, "what is looked at is let go on the way");
    let mut more = list.found(first);
    let early = list.shown();
    assert!(more.is_some() && early > 0, "what is found first is there before the last was looked at");
    list.awaited = Some(99_999);
    while let Some(sift) = more {
        more = list.found(sift.run(&glance));
    }
    assert!(early < list.shown());
    assert_eq!((list.shown(), list.selected()), (3_691, Some(99_999)), "the selection waits for its row");
    let late = list.begin().run(&glance);
    list.set_filter("5");
    drop(list.begin());
    assert!(list.found(late).is_none() && list.shown() == 3_691, "an older filter finds nothing any more");
}

#[test]
fn only_what_is_seen_is_made() {
    let sight = Numbers::below(1_000_000);
    let mut list = List::new(0, columns());
    (list.all, list.shown) = (Arc::new(sight.all.clone()), sight.all.clone());
    press(&mut list, &sight, &[Action::Bottom]);
    let screen = drawn(&mut list, &sight, 60, 11);
    assert!(screen[10].contains("Key number 999999") && screen[10].ends_with('█'), "{screen:#?}");
    assert_eq!(sight.made.get(), 10 * columns().len());
}

#[test]
fn when_the_selected_row_is_gone_the_one_that_took_its_place_is_selected() {
    let sight = Numbers::below(41);
    let mut list = List::new(0, columns());
    list.fill([10, 20, 30, 40], &sight);
    press(&mut list, &sight, &[Action::Down, Action::Down]);
    list.fill([10, 20, 40], &sight);
    assert_eq!((list.selected(), list.index()), (Some(40), 2));
    list.fill([10], &sight);
    assert_eq!(list.selected(), Some(10));
    list.fill([], &sight);
    assert_eq!(list.selected(), None);
}

#[test]
fn marks_survive_a_filter_but_only_what_is_shown_is_acted_on() {
    let sight = Numbers::below(5);
    let mut list = list(&sight);
    press(&mut list, &sight, &[Action::Mark, Action::Mark]);
    hear(&mut list, &sight, [Cue::Do(Action::Filter), Cue::Type(Typed('1'))]);
    assert_eq!((list.marks(), list.targets()), (2, &[1][..]));
    list.set_filter("4");
    list.sift(&sight);
    assert_eq!((list.marks(), list.targets()), (2, &[][..]));
    list.fill([0, 1], &Numbers::below(1));
    assert_eq!((list.marks(), list.unmark(), list.unmark()), (1, Handled::Changed, Handled::Unmoved));
}

#[test]
fn a_range_is_marked_between_two_presses() {
    let sight = Numbers::below(10);
    let mut list = list(&sight);
    let down = Action::Down;
    press(&mut list, &sight, &[Action::MarkRange, down, down, down, Action::MarkRange]);
    assert_eq!(list.targets(), [0, 1, 2, 3]);
}

#[test]
fn spare_room_goes_to_names_before_anything_else() {
    static WHO: Col = Col::text("Owner", 'o', (7, 14), 3, |_, _| Cell::new(Role::Text, ""));
    static AT: Col = Col::text("Place", 'p', (12, 24), 2, |_, _| Cell::new(Role::Text, ""));
    static LONG: Col = Col::text("Name", 'n', (14, 34), 0, |_, _| Cell::new(Role::Text, ""));
    let widths = |width| -> Vec<u16> {
        fit(&[&LONG, &WHO, &AT], |_| false, |_| None, width).iter().map(|at| at.width).collect()
    };
    // What is only good to know goes before names are cut: here the owner.
    assert_eq!(widths(37), [34]);
    assert_eq!(widths(50), [23, 7, 16]);
    assert_eq!(widths(69), [34, 7, 24]);
    assert_eq!(widths(90), [34, 14, 24]);
}

#[test]
fn narrow_windows_drop_the_least_important_column_first() {
    let letters = |width| -> String {
        fit(&columns(), |_| false, |_| None, width).iter().map(|place| place.column.letter).collect()
    };
    assert_eq!([60, 20, 10, 0].map(letters), ["nst", "nt", "n", "n"]);
    assert_eq!(fit(&columns(), |letter| letter == 't', |_| None, 60).len(), 2);
}

#[test]
fn header_and_rows_are_clicked_where_they_are_drawn() {
    let sight = Numbers::below(50);
    let mut list = list(&sight);
    let (_, hits) = shown_on(&mut list, &sight, 48, 6);
    assert_eq!(hits.at(4, 0), Some(Target::Header { pane: 0, column: 0 }));
    assert_eq!(hits.at(27, 0), Some(Target::Header { pane: 0, column: 1 }));
    assert_eq!(hits.at(10, 3), Some(Target::Row { pane: 0, row: 2 }));
    let row = Cue::Click(Target::Row { pane: 0, row: 2 });
    assert_eq!((list.hear(row), list.hear(row)), (Change::Looks, Change::Looks));
}

#[test]
fn the_wheel_scrolls_and_takes_the_selection_along() {
    let sight = Numbers::below(100);
    let mut list = list(&sight);
    drawn(&mut list, &sight, 48, 11);
    list.scroll(5);
    assert!(drawn(&mut list, &sight, 48, 11)[1].contains("Key number 5"));
    assert_eq!(list.selected(), Some(5));
    list.scroll(-100);
    assert_eq!((list.selected(), list.offset), (Some(5), 0));
}

#[test]
fn an_empty_list_says_what_to_do() {
    let sight = Numbers::below(0);
    assert!(drawn(&mut list(&sight), &sight, 60, 6)[2].contains("Press n to create the first."));
}

proptest! {
    #[test]
    fn no_size_and_no_order_of_actions_panics(
        sizes in proptest::collection::vec((0_u16..50, 0_u16..8), 1..6),
        steps in proptest::collection::vec((0_usize..12, 0_u32..9, -9_isize..9), 0..30),
    ) {
        let mut list = List::new(0, columns());
        let actions = [Action::Up, Action::Down, Action::PageUp, Action::PageDown, Action::HalfDown,
            Action::HalfUp, Action::Top, Action::Bottom, Action::Mark, Action::MarkRange, Action::MarkAll,
            Action::MarkNone];
        for (step, len, by) in steps {
            let sight = Numbers::below(len);
            list.fill(0..len, &sight);
            list.act(actions[step]);
            list.scroll(by);
            prop_assert_eq!(list.selected().is_some(), len > 0);
            prop_assert!(list.index() < (len as usize).max(1));
            for (width, height) in &sizes {
                drawn(&mut list, &sight, *width, *height);
            }
        }
    }
}
