use std::cell::Cell as Counter;

use proptest::prelude::*;

use super::{columns::fit, *};
use crate::tui::{
    action::Action,
    canvas::Target,
    testing,
    widgets::{Focus, Handled},
};

/// Rows that are numbers, in any order, and that count how often they are asked.
struct Numbers {
    ids: Vec<u32>,
    asked: Counter<usize>,
}

impl Numbers {
    fn new(ids: impl IntoIterator<Item = u32>) -> Self {
        Self { ids: ids.into_iter().collect(), asked: Counter::new(0) }
    }
}

impl Rows for Numbers {
    type Id = u32;

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn id(&self, index: usize) -> Option<u32> {
        self.ids.get(index).copied()
    }

    fn cell(&self, index: usize, column: &'static str) -> Cell<'_> {
        self.asked.set(self.asked.get() + 1);
        let id = self.ids[index];
        match column {
            "name" => Cell::new(format!("Key number {id}")),
            "scopes" => Cell::new((id % 10).to_string()),
            _ => Cell::state("●", "active", Role::Good),
        }
    }
}

const COLUMNS: [Column; 3] = [
    Column::text("name", "Name", 'n', (8, 20), 0),
    Column::number("scopes", "Scopes", 's', 6, 2),
    Column::text("state", "State", 't', (8, 12), 1),
];

fn view() -> View<'static> {
    View { focus: Focus::Here, pane: 0, empty: "No keys yet. Press n to create the first." }
}

fn drawn(state: &mut TableState<u32>, rows: &Numbers, width: u16, height: u16) -> Vec<String> {
    testing::draw(width, height, |canvas, area| state.draw(canvas, area, &COLUMNS, rows, view()))
}

#[test]
fn a_table_reads_like_the_sketch() {
    let rows = Numbers::new(1..=3);
    let mut state = TableState::new();
    state.settle(&rows);
    state.sort_by("name");
    state.act(Action::Mark, &rows);
    assert_eq!(
        drawn(&mut state, &rows, 48, 5),
        [
            "   Name ▲                Scopes  State",
            " ✓ Key number 1               1  ● active",
            "▸  Key number 2               2  ● active",
            "   Key number 3               3  ● active",
            "",
        ]
    );
    state.sort_by("name");
    assert!(drawn(&mut state, &rows, 48, 5)[0].contains("Name ▼"));
}

#[test]
fn only_what_is_seen_is_asked_for() {
    let rows = Numbers::new(0..1_000_000);
    let mut state = TableState::new();
    state.settle(&rows);
    state.act(Action::Bottom, &rows);
    let screen = drawn(&mut state, &rows, 60, 11);
    assert!(screen[10].contains("Key number 999999") && screen[10].ends_with('█'), "{screen:#?}");
    assert_eq!(rows.asked.get(), 10 * COLUMNS.len());
}

#[test]
fn the_selection_is_a_key_not_a_row_number() {
    let mut state = TableState::new();
    let rows = Numbers::new([10, 20, 30, 40]);
    state.settle(&rows);
    state.act(Action::Down, &rows);
    state.act(Action::Down, &rows);
    state.settle(&Numbers::new([40, 30, 20, 10]));
    assert_eq!((state.selected(), state.selected_index()), (Some(&30), Some(1)));
    // Its row is gone: the one that took its place is selected, and at the end the last.
    state.settle(&Numbers::new([40, 20, 10]));
    assert_eq!(state.selected(), Some(&20));
    state.act(Action::Bottom, &Numbers::new([40, 20, 10]));
    state.settle(&Numbers::new([40]));
    assert_eq!(state.selected(), Some(&40));
    state.settle(&Numbers::new([]));
    assert_eq!(state.selected(), None);
}

#[test]
fn marks_survive_a_filter_but_only_seen_ones_are_acted_on() {
    let all = Numbers::new([1, 2, 3, 4]);
    let mut state = TableState::new();
    state.settle(&all);
    state.act(Action::Mark, &all);
    state.act(Action::Mark, &all);
    let some = Numbers::new([2, 3]);
    state.settle(&some);
    assert_eq!((state.marks(), state.marked(&some)), (2, vec![2]));
    state.keep_marks(|id| *id != 1);
    assert_eq!((state.marks(), state.is_marked(&2)), (1, true));
    assert_eq!((state.unmark(), state.unmark()), (Handled::Changed, Handled::Unmoved));
}

#[test]
fn a_range_is_marked_between_two_presses() {
    let rows = Numbers::new(0..10);
    let mut state = TableState::new();
    state.settle(&rows);
    state.act(Action::MarkRange, &rows);
    for _ in 0..3 {
        state.act(Action::Down, &rows);
    }
    state.act(Action::MarkRange, &rows);
    assert_eq!(state.marked(&rows), [0, 1, 2, 3]);
}

#[test]
fn spare_room_goes_to_names_before_anything_else() {
    let columns = [
        Column::text("name", "Name", 'n', (14, 34), 0),
        Column::text("owner", "Owner", 'o', (7, 14), 3),
        Column::text("place", "Place", 'p', (12, 24), 2),
    ];
    let widths =
        |width| -> Vec<u16> { fit(&columns, |_| false, width).iter().map(|shown| shown.width).collect() };
    assert_eq!(widths(37), [14, 7, 12]);
    assert_eq!(widths(46), [20, 7, 15]);
    assert_eq!(widths(69), [34, 7, 24]);
    assert_eq!(widths(90), [34, 14, 24]);
}

#[test]
fn narrow_windows_drop_the_least_important_column_first() {
    let ids = |width| -> Vec<&str> {
        fit(&COLUMNS, |_| false, width).iter().map(|place| COLUMNS[place.column].id).collect()
    };
    assert_eq!(ids(60), ["name", "scopes", "state"]);
    assert_eq!(ids(20), ["name", "state"]);
    assert_eq!(ids(10), ["name"]);
    assert_eq!(ids(0), ["name"]);
    let shown = fit(&COLUMNS, |_| false, 60);
    assert_eq!(shown.iter().map(|place| place.width).collect::<Vec<_>>(), [20, 6, 12]);
    assert_eq!(fit(&COLUMNS, |column| column.id != "state", 60).len(), 2);
}

#[test]
fn header_and_rows_are_clicked_where_they_are_drawn() {
    let rows = Numbers::new(0..50);
    let mut state = TableState::new();
    state.settle(&rows);
    let (_, hits) =
        testing::draw_hits(48, 6, |canvas, area| state.draw(canvas, area, &COLUMNS, &rows, view()));
    assert_eq!(hits.at(4, 0), Some(Target::Header { pane: 0, column: 0 }));
    assert_eq!(hits.at(27, 0), Some(Target::Header { pane: 0, column: 1 }));
    assert_eq!(hits.at(10, 3), Some(Target::Row { pane: 0, row: 2 }));
    assert_eq!(TableState::<u32>::column_of(&COLUMNS, 't'), Some("state"));
}

#[test]
fn the_wheel_scrolls_and_takes_the_selection_along() {
    let rows = Numbers::new(0..100);
    let mut state = TableState::new();
    state.settle(&rows);
    drawn(&mut state, &rows, 48, 11);
    state.scroll(&rows, 5);
    assert!(drawn(&mut state, &rows, 48, 11)[1].contains("Key number 5"));
    assert_eq!(state.selected(), Some(&5));
    state.scroll(&rows, -100);
    assert_eq!((state.selected(), state.offset), (Some(&5), 0));
}

#[test]
fn an_empty_table_says_what_to_do() {
    let rows = Numbers::new([]);
    let mut state = TableState::new();
    assert!(drawn(&mut state, &rows, 60, 6)[2].contains("Press n to create the first."));
}

proptest! {
    #[test]
    fn no_size_and_no_order_of_actions_panics(
        sizes in proptest::collection::vec((0_u16..50, 0_u16..8), 1..6),
        steps in proptest::collection::vec((0_usize..12, 0_u32..9, -9_isize..9), 0..30),
    ) {
        let mut state = TableState::new();
        let actions = [Action::Up, Action::Down, Action::PageUp, Action::PageDown, Action::HalfDown,
            Action::HalfUp, Action::Top, Action::Bottom, Action::Mark, Action::MarkRange, Action::MarkAll,
            Action::MarkNone];
        for (step, len, by) in steps {
            let rows = Numbers::new(0..len);
            state.settle(&rows);
            state.act(actions[step], &rows);
            state.scroll(&rows, by);
            prop_assert_eq!(state.selected().is_some(), len > 0);
            prop_assert!(state.selected_index().is_none_or(|at| at < len as usize));
            for (width, height) in &sizes {
                drawn(&mut state, &rows, *width, *height);
            }
        }
    }
}
