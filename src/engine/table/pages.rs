//! Where the pages of a table come from. Many of them lie in huge pages, if the system gives any: finding one page among
//! thousands takes the processor longer than reading from it.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;
use self_cell::{MutBorrow, self_cell};
use zerocopy::FromBytes as _;

use super::page::Page;

/// A huge page where such pages are usual; elsewhere only a number.
const HUGE: usize = 2 * 1024 * 1024;

type View<'a> = &'a mut [Page];

self_cell!(
    struct Mapped {
        owner: MutBorrow<MmapMut>,
        #[covariant]
        dependent: View,
    }
);

/// The pages of a table.
pub struct Pages(Kept);

enum Kept {
    Few(Vec<Page>),
    Many(Mapped),
}

impl Pages {
    /// So many, empty.
    pub fn new(count: usize) -> Self {
        if count * size_of::<Page>() >= HUGE
            && let Some(mapped) = map(count)
        {
            return Self(Kept::Many(mapped));
        }
        let mut pages = Vec::new();
        pages.resize_with(count, Page::default);
        Self(Kept::Few(pages))
    }
}

/// `None` where the system does not give such memory.
fn map(count: usize) -> Option<Mapped> {
    let length = count * size_of::<Page>();
    // More than is needed, so that there is a beginning of a huge page in it. What is never touched costs nothing.
    let map = MmapMut::map_anon(length + HUGE).ok()?;
    let start = map.as_ptr().align_offset(HUGE);
    let place = start..start.checked_add(length)?;
    prefer_huge(&map, start, length);
    Mapped::try_new(MutBorrow::new(map), |map| {
        let bytes = map.borrow_mut().get_mut(place).ok_or(())?;
        <[Page]>::mut_from_bytes(bytes).map_err(drop)
    })
    .ok()
}

/// Asks for huge pages; nothing is lost where there are none.
#[cfg(target_os = "linux")]
fn prefer_huge(map: &MmapMut, start: usize, length: usize) {
    // The last one would be touched by a few pages only: those are small ones, unless they nearly fill it.
    let length = ((length + HUGE / 8) / HUGE * HUGE).min(map.len().saturating_sub(start));
    if let Err(error) = map.advise_range(memmap2::Advice::HugePage, start, length) {
        tracing::debug!(%error, "no huge pages");
    }
}

#[cfg(not(target_os = "linux"))]
fn prefer_huge(_: &MmapMut, _: usize, _: usize) {}

fn lend<'a, 'map>(_: &'map MutBorrow<MmapMut>, view: &'a mut View<'map>) -> &'a mut [Page] {
    view
}

impl Deref for Pages {
    type Target = [Page];

    fn deref(&self) -> &[Page] {
        match &self.0 {
            Kept::Few(pages) => pages,
            Kept::Many(mapped) => mapped.borrow_dependent(),
        }
    }
}

impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [Page] {
        match &mut self.0 {
            Kept::Few(pages) => pages,
            Kept::Many(mapped) => mapped.with_dependent_mut(lend),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::{ROWS, Slot};
    use super::*;

    #[test]
    fn few_and_many_pages_are_empty_and_keep_what_is_put_in() {
        let huge = HUGE / size_of::<Page>();
        for count in [1, 2, huge - 1, huge, huge + 1, 3 * huge + 7] {
            let mut pages = Pages::new(count);
            assert_eq!(pages.len(), count);
            assert!(pages.iter().flat_map(|page| &page.slots).all(Slot::is_empty));
            for (n, page) in pages.iter_mut().enumerate() {
                page.slots[n % ROWS].pepper = u8::try_from(n % 251).unwrap();
            }
            let kept = |(n, page): (usize, &Page)| usize::from(page.slots[n % ROWS].pepper) == n % 251;
            assert!(pages.iter().enumerate().all(kept));
            assert_eq!(matches!(pages.0, Kept::Many(_)), count >= huge);
        }
    }
}
