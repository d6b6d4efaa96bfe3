//! Rows that a spreadsheet shows and never runs.

/// A record with its line break.
///
/// # Errors
/// Those of the writer; none is known in memory.
pub fn row(fields: impl IntoIterator<Item = String>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields.into_iter().map(|field| harmless(&field)))?;
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A spreadsheet runs a cell that begins like a formula (OWASP, CSV injection); an apostrophe makes it text. Line
/// breaks would let a name pass for a row.
fn harmless(field: &str) -> String {
    let mut flat = String::with_capacity(field.len() + 1);
    // Where commas are decimal points, spreadsheets part cells by semicolons, within quotes that begin elsewhere too.
    let mut begins = true;
    for c in field.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if begins && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            flat.push('\'');
        }
        flat.push(c);
        begins = c == ';' || begins && c.is_whitespace();
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_nor_a_second_row() {
        for bad in ["=cmd()", "+1", "-1", "@x", " =1+1", "\t=1", "＝1"] {
            assert!(harmless(bad).trim_start().starts_with('\''), "{bad}");
        }
        assert_eq!(harmless("a;=1+41;b"), "a;'=1+41;b");
        assert_eq!(harmless("a; @x;-"), "a; '@x;'-");
        assert_eq!(harmless("a\r\nb"), "a  b");
        assert_eq!(harmless("key Nightly = export"), "key Nightly = export");
        assert_eq!(row(["=1".to_owned(), "a,\"b".to_owned()]).unwrap(), "'=1,\"a,\"\"b\"\n");
    }
}
