//! Tables as people have them: what is read out of each, and what is a mistake.

use super::*;

fn names(text: impl AsRef<[u8]>) -> Vec<(u64, String)> {
    let sheet = read(text.as_ref(), Said::default()).unwrap();
    sheet.names.into_iter().map(|(line, name)| (line, name.unwrap())).collect()
}

fn told(text: &str, column: Option<&str>, first: Option<First>) -> Result<Vec<String>, Mistake> {
    let column = column.map(|column| column.parse().unwrap());
    let sheet = read(text.as_bytes(), Said { column: column.as_ref(), first, ..Said::default() })?;
    Ok(sheet.names.into_iter().map(|(_, name)| name.unwrap()).collect())
}

fn column(text: &str, column: &str) -> Vec<String> {
    told(text, Some(column), None).unwrap()
}

fn mistake(text: impl AsRef<[u8]>) -> Mistake {
    read(text.as_ref(), Said::default()).map_or_else(
        |mistake| mistake,
        |sheet| {
            let (line, name) = sheet.names.into_iter().find(|(_, name)| name.is_err()).unwrap();
            (line, name.unwrap_err())
        },
    )
}

#[test]
fn a_list_from_a_spreadsheet_is_read_whatever_it_was_saved_as() {
    let wanted: Vec<(u64, String)> =
        vec![(2, "Berlin".into()), (3, "Köln; Deutz".into()), (5, "Rome".into())];
    let text = "city,Name\n1,Berlin\n2,\"Köln; Deutz\"\n\n3,Rome\n";
    let semicolons = "city;Name\n1;Berlin\n2;\"Köln; Deutz\"\n\n3;Rome\n".to_owned();
    let tabs = text.replace(',', "\t");
    for plain in [text.to_owned(), semicolons, tabs] {
        for ends in ["\n", "\r\n", "\r"] {
            let text = plain.replace('\n', ends);
            assert_eq!(names(&text), wanted, "{text:?}");
            assert_eq!(names(format!("\u{feff}{text}")), wanted, "{text:?}");
            let wide = |order: fn(u16) -> [u8; 2]| {
                "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
            };
            assert_eq!(names(wide(u16::to_le_bytes)), wanted, "{text:?}");
            assert_eq!(names(wide(u16::to_be_bytes)), wanted, "{text:?}");
        }
    }
}

#[test]
fn the_column_is_found_by_the_headings_people_use() {
    for heading in
        ["name", "Location", "branch_name", "branchName", "Branch Name", "Standort", "LOCATION NAME"]
    {
        assert_eq!(names(format!("id,{heading}\n7,Berlin\n")), [(2, "Berlin".into())], "{heading}");
        assert_eq!(names(format!("{heading}\nBerlin\n")), [(2, "Berlin".into())], "{heading}");
    }
    assert_eq!(column("id;Wo\n1;Berlin\n", "wo"), ["Berlin"]);
    assert_eq!(column("1;Berlin\n2;Rome\n", "2"), ["Berlin", "Rome"]);
    assert_eq!(column("name;location\nx;Berlin\n", "location"), ["Berlin"]);
    assert_eq!(names("sep=;\nid,x;name\n1;Berlin\n"), [(3, "Berlin".into())]);
    // Where two of them stand side by side, the heading tells which parts the columns.
    assert_eq!(names("id;name;a,b\n1;Berlin;c\n"), [(2, "Berlin".into())]);
    let only = |column: &str| told("id,name\n", Some(column), None).unwrap_err();
    assert_eq!(only("wo"), (1, "no column is called `wo`; the headings are `id`, `name`".into()));
    assert_eq!(only("3"), (1, "there is no column 3; it has 2".into()));
    assert_eq!(only("0"), (1, "there is no column 0; it has 2".into()));
}

#[test]
fn a_heading_in_no_list_does_not_become_a_location() {
    for heading in ["Filialen", "Nom", "拠点", "Sede"] {
        let (line, why) = mistake(format!("{heading}\nBerlin\nRome\n"));
        assert!(line == 1 && why.contains(heading) && why.contains("say which"), "{why}");
    }
    let list = "Nom\nBerlin\n";
    assert_eq!(told(list, None, Some(First::Heading)).unwrap(), ["Berlin"]);
    assert_eq!(told(list, None, Some(First::Name)).unwrap(), ["Nom", "Berlin"]);
    assert_eq!(told("nr;Wo\n1;Berlin\n", Some("2"), Some(First::Heading)).unwrap(), ["Berlin"]);
    assert!(told("nr;Wo\n1;Berlin\n", Some("2"), None).unwrap_err().1.contains("`Wo` may be"));
    assert!(told("nr;Wo\n1;Berlin\n", Some("wo"), Some(First::Name)).is_err());
    assert_eq!(names("name|city\nBerlin|Mitte\n"), [(2, "Berlin".into())]);
    // A name alone is no heading, and neither is what stands beside a number.
    assert_eq!(names("Berlin\n"), [(1, "Berlin".into())]);
    assert_eq!(names("Branch 7\n"), [(1, "Branch 7".into())]);
    assert_eq!(told("Site\nBerlin\n", None, Some(First::Name)).unwrap(), ["Site", "Berlin"]);
}

#[test]
fn what_was_taken_for_what_is_said() {
    let taken = |text: &str, first| read(text.as_bytes(), Said { first, ..Said::default() }).unwrap().taken;
    assert_eq!(
        taken("id;Standort\n1;Berlin\n", None),
        "The names are read from column 2 of 2, parted by semicolons; its heading is `Standort`."
    );
    assert_eq!(
        taken("Berlin\nRome\n", Some(First::Name)),
        "The names are read from the only column; the first line, `Berlin`, is a name and no heading."
    );
}

#[test]
fn what_would_be_stored_as_something_else_is_a_mistake_with_its_line() {
    for (text, line, why) in [
        ("name,city\nBerlin,Mitte\nRome,\"x\nParis,y\nOslo,z\n", 3, "never closed"),
        ("name\nBerlin\nSmith, Jones & Co\n", 3, "a comma parts it"),
        ("site\nRome;Roma\n", 2, "a semicolon parts it"),
        ("site\nRome\tRoma\n", 2, "a tab parts it"),
        ("site\nRome|Roma\n", 2, "a bar parts it"),
        ("name,city\nSmith, Jones & Co,Berlin\n", 2, "it has 3 columns"),
        ("id,name\n1,Berlin\n2\n", 3, "it ends before column 2"),
        ("name,city\nThe \"Best\" Shop,x\n", 2, "within a field"),
        ("name,city\n\"The\" Shop,x\n", 2, "text follows"),
        ("a;b\n1;2\n", 1, "none of `a`, `b`"),
        ("name;location\n1;2\n", 1, "several columns may hold the names"),
        ("a,b;c\n1,2;3\n", 1, "side by side"),
        ("sep=/\nname/x\n", 1, "`sep=` must be followed"),
        ("name\nB\0e\0", 2, "no text has"),
    ] {
        let (found, said) = mistake(text);
        assert!(found == line && said.contains(why), "{text:?}: {found} {said}");
    }
    let (line, said) = mistake(b"name\nBerlin\nM\xfcnchen\n");
    assert!(line == 3 && said.contains("UTF-8"), "{line} {said}");
    assert_eq!(mistake(b"\xff\xfea\0b").1, "it ends within a character");
    assert_eq!(mistake(b"\xff\xfea\0\0\xd8a\0").1, "it is not UTF-16 text as it says");
    // In quotes each of them is a name.
    assert_eq!(names("name\n\"Smith, Jones & Co\"\n\"A;B\"\n").len(), 2);
    assert_eq!(names("name\n\"The \"\"Best\"\" Shop\"\n"), [(2, "The \"Best\" Shop".into())]);
    assert!(read(b"", Said::default()).unwrap().names.is_empty());
}

#[test]
fn a_table_out_of_a_text_is_read_by_its_heading_and_not_with_its_bars() {
    let table = "| No | Branch name |\n|:---|---:|\n| 1 | Berlin |\n| 2 | Rome \\| Roma |\n\n| 3 | Oslo |\n";
    let wanted: Vec<(u64, String)> =
        vec![(3, "Berlin".into()), (4, "Rome | Roma".into()), (6, "Oslo".into())];
    assert_eq!(names(table), wanted);
    assert_eq!(names("Name | City\n--- | ---\nBerlin | x\n"), [(3, "Berlin".into())]);
    // One column, and a heading that no list knows.
    assert_eq!(names("| Filialen |\n| --- |\n| Berlin |\n"), [(3, "Berlin".into())]);
    let (line, why) = mistake("| Name | City |\n|---|---|\n| A | B | C |\n");
    assert!(line == 3 && why.contains("it has 3 columns"), "{why}");
    assert!(mistake("| a | b |\n|---|---|\n| A | B |\n").1.contains("none of `a`, `b`"));
    assert_eq!(column("| a | b |\n|---|---|\n| A | B |\n", "b"), ["B"]);
    // Without the line of dashes it is a table with bars between its columns.
    assert_eq!(names("name|city\nRome|x\n"), [(2, "Rome".into())]);
}

#[test]
fn a_pasted_table_is_told_from_names_one_on_each_line() {
    let read = |text: &str| {
        let sheet = pasted(text, Ways::default())?;
        Some(sheet.map(|sheet| sheet.names.into_iter().map(|(_, name)| name.unwrap()).collect::<Vec<_>>()))
    };
    for table in [
        "id,Standort\n1,Berlin\n2,Rome",
        "id;Standort\r\n1;Berlin\r\n2;Rome\r\n",
        "id\tStandort\r1\tBerlin\r2\tRome",
        "| id | Standort |\n|---|---|\n| 1 | Berlin |\n| 2 | Rome |",
        "sep=;\nid;Standort\n1;Berlin\n2;Rome",
        "Name\nBerlin\nRome",
        "\"Berlin\"\nRome",
    ] {
        assert_eq!(read(table), Some(Ok(vec!["Berlin".to_owned(), "Rome".to_owned()])), "{table}");
    }
    for plain in ["Berlin\nRome", "Smith, Jones & Co\nMiller", "Filialen\nBerlin"] {
        assert_eq!(read(plain), None, "{plain}");
    }
    for unclear in ["Berlin;Mitte\nRome;Roma", "Berlin, Mitte\nBerlin, Wedding", "A\tB\nC\tD", "A | B\nRome"]
    {
        let (line, why) = read(unclear).unwrap().unwrap_err();
        assert!(line == 1 && why.contains("say which column"), "{unclear}: {why}");
    }
}

#[test]
fn what_draws_a_table_or_a_list_on_a_screen_is_no_name() {
    for text in [
        " name \n--------\n Berlin\n(1 row)\n",
        " name | city\n------+-----\n Berlin | x\n(1 row)\n",
        " city | name\n------+-----\n x | Berlin\n(1 row)\n",
    ] {
        let sheet = read(text.as_bytes(), Said::default()).unwrap();
        let wrong: Vec<_> = sheet
            .names
            .iter()
            .filter_map(|(line, name)| name.as_ref().err().map(|why| (*line, why)))
            .collect();
        assert_eq!(wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4], "{text}");
        assert!(wrong.iter().all(|(_, why)| why.contains("drawn for a screen")), "{wrong:?}");
    }
    for bullet in ["-", "*", "+", "•"] {
        let (line, why) = mistake(format!("name\n{bullet} Berlin\n"));
        assert!(line == 2 && why.contains("bullet"), "{why}");
    }
    for name in ["-", "A - B", "(12)", "(Rows)", "1+1", "Berlin (2 rows)"] {
        assert_eq!(whole(name).as_deref(), Ok(name));
    }
}

#[test]
fn a_byte_that_no_text_has_is_told_with_its_line() {
    assert_eq!(mistake("name\nBerlin\nRo\0me\n").0, 3);
}
