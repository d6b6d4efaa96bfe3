//! What the screens of keys are made of. [`pane::KeyPane`] is a table of keys with its filter line and the
//! detail of the selected key; a screen says which keys and adds what is around it.
//!
//! - [`acts`]: what can be done to them. [`list`]: the table; what its filter line means is [`crate::domain::filter`]'s. [`detail`], [`history`], [`used`]: one key.
//!   [`sparks`]: the last days of those in sight.
//! - `rotation`: the two halves of one that is being replaced. [`places`]: the locations beside their keys.

pub mod acts;
pub mod detail;
pub mod history;
pub mod list;
pub mod pane;
pub mod places;
mod rotation;
pub mod sparks;
pub mod used;
