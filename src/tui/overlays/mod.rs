//! What comes up above the screens. Each file is one overlay.

pub mod app_form;
pub mod app_secret;
pub mod audit_entry;
pub mod chooser;
pub mod confirm;
pub mod create_key;
pub mod help;
pub mod how_to;
pub mod location_add;
pub mod location_rename;
pub mod meanwhile;
pub mod operator;
pub mod policy_edit;
pub mod question;
pub mod reader;
pub mod recovery;
pub mod rescope;
pub mod scope_tree;
pub mod secret;
pub mod small_form;
pub mod test_token;
