//! The console: full-screen, keyboard first, quiet when nothing happens.
//!
//! One way round. The [`runtime`] hears signals, results and keys; [`input`] makes them plain values; the
//! [`router`] asks the [`keymap`] of the open layer which [`action`] a key means; the [`program`] changes its
//! model and orders effects; what an effect brings back is heard like a key. Then the model is painted on a
//! [`canvas`], which also remembers what can be clicked.
//!
//! - [`run`]: from what the command line knows to the console.
//! - [`terminal`], [`output`], [`signals`]: the real terminal, entered and always left clean.
//! - [`overlay`], [`toast`]: what lies above the screens.
//! - [`theme`], [`widgets`]: how things look; they know nothing of keys, stores or engines. `list`: the one list.
//! - `sight`: what is visible of keys, apps and entries; [`screens`] and [`overlays`] are made of it.
//! - [`clipboard`], [`secret`]: copying a secret, and taking it back.
//! - [`Start`] and [`run`]: how the command line opens it.
//! - [`testing`]: a terminal made of memory, a clock that obeys, a person who presses keys.
//!
//! An update does no I/O and reads no clock: time arrives with the message.

/// An enum of which each variant has a text of its own, and the list of all: written once, so that they cannot part.
macro_rules! worded {
    ($(#[$what:meta])* $name:ident $(#[$which:meta])* $text:ident { $($variant:ident $said:literal $($doc:literal)?;)+ }) => {
        $(#[$what])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[doc = $doc])? $variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            $(#[$which])*
            pub const fn $text(self) -> &'static str {
                match self { $(Self::$variant => $said,)+ }
            }
        }
    };
}

pub mod action;
pub mod app;
pub mod canvas;
pub mod chord;
pub mod clipboard;
pub mod clock;
pub mod form;
pub mod input;
pub mod keymap;
pub(crate) mod list;
mod located;
pub mod looks;
pub mod output;
pub mod overlay;
pub mod overlays;
pub mod program;
pub mod router;
pub mod runtime;
pub mod screens;
pub mod secret;
pub(crate) mod sight;
pub mod signals;
mod start;
pub mod terminal;
#[doc(hidden)]
pub mod testing;
pub mod theme;
pub mod toast;
pub mod widgets;

pub use self::located::Located;
pub use self::runtime::Ending;
pub use self::start::{Start, Store, TuiError, run};
