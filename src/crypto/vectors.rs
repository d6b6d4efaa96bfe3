//! Vectors of others (C2SP/wycheproof), for the tests beside what they are about. They are not part of the project:
//! `KEYDECK_VECTORS` names the directory they are in.

use std::path::Path;

use serde_json::Value;

/// The groups of one file; nothing, and that said, where there are no vectors.
pub(super) fn groups(file: &str) -> Option<Vec<Value>> {
    let Some(dir) = std::env::var_os("KEYDECK_VECTORS") else {
        println!("skipped: needs the vectors, in the directory KEYDECK_VECTORS names");
        return None;
    };
    let text = std::fs::read(Path::new(&dir).join(file)).unwrap();
    let whole: Value = serde_json::from_slice(&text).unwrap();
    let groups = whole["testGroups"].as_array().unwrap().clone();
    let count: usize = groups.iter().map(|group| tests(group).len()).sum();
    assert_eq!(Some(count as u64), whole["numberOfTests"].as_u64(), "{file} is not whole");
    Some(groups)
}

/// The tests of a group.
pub(super) fn tests(group: &Value) -> &[Value] {
    group["tests"].as_array().unwrap()
}

/// What is written there in hexadecimal digits.
pub(super) fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Whether it must be taken. Nothing is left open in these files.
pub(super) fn is_valid(test: &Value) -> bool {
    match test["result"].as_str() {
        Some("valid") => true,
        Some("invalid") => false,
        other => panic!("{other:?}: {test}"),
    }
}

/// What was found of one file, for whoever runs the tests.
pub(super) fn tell(file: &str, run: usize, agreed: usize, odd: &[String]) {
    println!("{file}: {run} run, {agreed} as they say, {} otherwise: {}", odd.len(), odd.join(", "));
}
