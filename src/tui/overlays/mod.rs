//! What comes up above the screens. Each file is one overlay.

pub mod audit_entry;
pub mod confirm;
pub mod create_key;
pub mod help;
pub mod leave;
pub mod location_add;
pub mod location_remove;
pub mod location_rename;
pub mod operator;
pub mod palette;
pub mod policy_edit;
pub mod question;
pub mod reader;
pub mod recovery;
pub mod rescope;
pub mod row_menu;
pub mod scope_tree;
pub mod secret;
pub mod small_form;
