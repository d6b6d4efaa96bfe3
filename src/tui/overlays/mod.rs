//! What comes up above the screens. Each file is one overlay.

pub mod app_form;
pub mod audit_entry;
pub mod chooser;
pub mod confirm;
pub mod create_key;
pub mod guard;
pub mod help;
pub mod how_to;
pub mod key_edit;
pub mod leak_desk;
pub mod location_add;
pub mod location_rename;
pub mod lockdown;
pub mod matrix;
pub mod operator;
pub mod policy_edit;
pub mod protect;
pub mod reader;
pub mod report_only;
pub mod rescope;
pub mod rotate;
pub mod scope_tree;
pub mod secret;
pub mod sign_off;
pub mod tail;
pub mod test_token;
