//! What screens and overlays both need to look at keys, apps and entries, below the two: neither is known here.
//!
//! - [`seen`]: one look at the state, and how a key stands. [`subset`]: which keys are meant. [`app_standing`]: an app.
//! - [`usage`]: how they were used. [`radius`]: what stops with them. [`wanted`]: what is read of the selected one.
//! - [`review`]: what a review says of one. [`matrix`]: several side by side. [`report_only`]: what fewer scopes would have refused.
//! - [`jump`]: what can be jumped to, [`verb`]: with something to be done to it. [`values`]: what may be asked for in a filter line. [`calendar`]: what comes on which day.
//!   [`report`]: how many there are, by state, end, use, age and risk.
//! - [`deeds`], [`app_deeds`]: what can be done to them now, and why not. [`plan`]: the same of many, worked out elsewhere. [`words`]: what an audit entry says.

pub mod app_deeds;
pub mod app_standing;
pub mod calendar;
pub mod deeds;
pub mod export;
pub mod jump;
pub mod matrix;
pub mod plan;
pub mod radius;
pub mod report;
pub mod report_only;
pub mod review;
pub mod seen;
pub mod subset;
pub mod usage;
pub mod values;
pub mod verb;
pub mod wanted;
pub mod words;
