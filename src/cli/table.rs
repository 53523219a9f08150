//! Tables for people: columns as wide as their widest cell, two spaces between them.

/// Rows below a heading; without rows, what to say instead.
pub fn table(heading: &[&str], rows: &[Vec<String>], if_empty: &str) -> String {
    if rows.is_empty() {
        return format!("{if_empty}\n");
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let heading: Vec<String> = heading.iter().map(|cell| cell.to_uppercase()).collect();
    let mut text = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Names with what belongs to them, one a line, those without anything left out.
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    facts.iter().filter(|(_, what)| !what.is_empty()).map(|(name, what)| format!("{name:<width$}  {what}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_without_spaces() {
        let rows = [vec!["a".to_owned(), "bbb".to_owned()], vec!["市町".to_owned(), String::new()]];
        assert_eq!(table(&["x", "y"], &rows, "nothing"), "X   Y\na   bbb\n市町\n");
        assert_eq!(table(&["x"], &[], "nothing"), "nothing\n");
        assert_eq!(facts(&[("a", "1".into()), ("none", String::new()), ("bb", "2".into())]), "a     1\nbb    2\n");
    }
}
