use proptest::prelude::*;

use super::*;
use crate::tui::canvas::Target;
use crate::tui::form::field::Slot;
use crate::tui::overlay::Typed;
use crate::tui::testing;
use crate::tui::widgets::Focus;

fn scopes() -> TreeState<&'static str> {
    let items = vec![
        TreeItem::group("Contacts", "", 0),
        TreeItem::leaf("contacts.read", "contacts.read", "see contacts", 1),
        TreeItem::leaf("contacts.write", "contacts.write", "change contacts", 1),
        TreeItem::group("Bookings", "", 0),
        TreeItem::leaf("bookings.read", "bookings.read", "see bookings", 1),
        TreeItem {
            locked: Some("only an admin may grant this".into()),
            ..TreeItem::leaf("bookings.admin", "bookings.admin", "everything", 1)
        },
    ];
    TreeState::new(items, ["contacts.read"])
}

fn drawn(tree: &mut TreeState<&'static str>) -> Vec<String> {
    testing::draw(48, 6, |canvas, area| tree.draw_list(canvas, area, Focus::Here, 0))
}

#[test]
fn groups_unfold_and_say_how_much_of_them_is_ticked() {
    let mut tree = scopes();
    assert_eq!(drawn(&mut tree)[..2], ["▸ [–] Contacts          1 of 2", "▸ [ ] Bookings          0 of 2"]);
    assert_eq!(tree.act(Action::Right), Ok(Handled::Changed));
    assert_eq!(
        drawn(&mut tree)[..4],
        [
            "▾ [–] Contacts          1 of 2",
            "    [✓] contacts.read   see contacts",
            "    [ ] contacts.write  change contacts",
            "▸ [ ] Bookings          0 of 2",
        ]
    );
}

#[test]
fn a_group_ticks_all_and_then_none() {
    let mut tree = scopes();
    assert_eq!(tree.act(Action::Toggle), Ok(Handled::Changed));
    assert_eq!(tree.ticked().len(), 2);
    assert_eq!(tree.state(0), Ticked::On);
    tree.act(Action::Toggle).unwrap();
    assert!(tree.ticked().is_empty());
}

#[test]
fn what_may_not_be_granted_is_never_ticked() {
    let mut tree = scopes();
    tree.act(Action::Down).unwrap();
    tree.act(Action::Toggle).unwrap();
    assert!(!tree.ticked().contains("bookings.admin"));
    assert_eq!(tree.state(3), Ticked::Some);
    tree.act(Action::Right).unwrap();
    tree.act(Action::Bottom).unwrap();
    assert_eq!(tree.act(Action::Toggle).unwrap_err().to_string(), "only an admin may grant this");
    assert!(drawn(&mut tree).iter().any(|line| line.contains("bookings.admin  only an admin")));
}

#[test]
fn searching_narrows_and_space_ticks_what_was_found() {
    let mut tree = scopes();
    tree.act(Action::Filter).unwrap();
    "contacts chan".chars().for_each(|c| drop(tree.hear(Cue::Type(Typed(c)))));
    assert!(tree.wants_text());
    assert_eq!(
        drawn(&mut tree)[..3],
        ["/ contacts chan", "▾ [–] Contacts          1 of 2", "▸   [ ] contacts.write  change contacts"]
    );
    tree.act(Action::Press).unwrap();
    assert!(!tree.wants_text());
    tree.act(Action::Toggle).unwrap();
    assert_eq!(tree.ticked().len(), 2);
    // A group under a search ticks only what the search shows.
    tree.act(Action::Up).unwrap();
    tree.act(Action::Toggle).unwrap();
    assert_eq!(tree.ticked().iter().copied().collect::<Vec<_>>(), ["contacts.read"]);
    // Esc clears the search first, then is nobody's.
    assert_eq!(tree.act(Action::Cancel), Ok(Handled::Changed));
    assert_eq!(tree.act(Action::Cancel), Ok(Handled::Ignored));
}

#[test]
fn left_goes_up_to_the_group_and_folds_it() {
    let mut tree = scopes();
    tree.act(Action::Right).unwrap();
    tree.act(Action::Down).unwrap();
    tree.act(Action::Left).unwrap();
    assert_eq!(tree.selected().unwrap().label, "Contacts");
    tree.act(Action::Left).unwrap();
    assert_eq!(tree.shown.len(), 2);
    assert_eq!(tree.act(Action::Left), Ok(Handled::Unmoved));
}

#[test]
fn a_box_is_clicked_where_it_is_drawn() {
    let mut tree = scopes();
    tree.act(Action::Right).unwrap();
    let (_, hits) = testing::draw_hits(48, 6, |canvas, area| tree.draw_list(canvas, area, Focus::Here, 2));
    assert_eq!(hits.at(4, 1), Some(Target::Tick { pane: 2, row: 1 }));
    assert_eq!(hits.at(20, 1), Some(Target::Row { pane: 2, row: 1 }));
}

proptest! {
    #[test]
    fn no_size_and_no_order_of_actions_panics(
        steps in proptest::collection::vec((0_usize..14, "[a-c. ]{0,2}"), 0..40),
        width in 0_u16..40, height in 0_u16..7,
    ) {
        let actions = [Action::Up, Action::Down, Action::PageUp, Action::PageDown, Action::Top, Action::Bottom,
            Action::Left, Action::Right, Action::Toggle, Action::ToggleAll, Action::Filter, Action::Cancel];
        let mut tree = scopes();
        for (step, typed) in steps {
            match actions.get(step) {
                Some(action) => drop(tree.act(*action)),
                None => typed.chars().for_each(|c| drop(tree.hear(Cue::Type(Typed(c))))),
            }
            prop_assert!(tree.at < tree.shown.len().max(1));
            prop_assert!(!tree.ticked().contains("bookings.admin"));
            testing::draw(width, height, |canvas, area| tree.draw_list(canvas, area, Focus::Here, 0));
        }
    }
}

#[test]
fn what_a_group_is_about_shows_where_more_of_it_is_missing() {
    let about = "people, their addresses and everything that was ever said to them by anybody";
    let group = TreeItem { about: about.to_owned(), ..TreeItem::group("Contacts", "", 0) };
    let mut tree = TreeState::new(vec![group, TreeItem::leaf("c.read", "c.read", "see", 1)], []);
    let slot = Slot { focus: Focus::Here, labels: 0, number: 0, skip: 0 };
    let small = testing::draw(30, 6, |canvas, area| tree.draw(canvas, area, slot));
    assert!(small[5].ends_with('…'), "{small:?}");
    let large = testing::draw(60, 14, |canvas, area| tree.draw(canvas, area, slot));
    assert!(large.iter().all(|line| !line.contains('…')), "{large:?}");
}
