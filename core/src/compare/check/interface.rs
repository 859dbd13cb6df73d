//! What callers of one version would notice if the other took its place: columns that it asks for, labels that it may say.

use crate::contract::{Column, ColumnKind, Contract, Task};

/// Each change that a caller would notice, as a sentence. Empty where `new` can be called wherever `old` is.
pub fn changes(old: &Contract, new: &Contract) -> Vec<String> {
    let mut changes = Vec::new();
    if old.task != new.task {
        changes.push(format!("it is {}, the other is {}", task(new.task), task(old.task)));
    }
    for column in &new.columns {
        match old.columns.iter().find(|known| known.name == column.name) {
            None if column.may_be_missing => {}
            None => changes.push(format!("it needs the column '{}', which the other does not", column.name)),
            Some(known) => changes.extend(column_changes(known, column)),
        }
    }
    for label in new.labels.iter().filter(|label| !old.labels.contains(label)) {
        changes.push(format!("it may say '{label}', which the other never does"));
    }
    for label in old.labels.iter().filter(|label| !new.labels.contains(label)) {
        changes.push(format!("it never says '{label}', which the other may"));
    }
    if let (Some(old), Some(new)) = (&old.unit, &new.unit)
        && old != new
    {
        changes.push(format!("it predicts in {new}, the other in {old}"));
    }
    changes
}

fn column_changes(old: &Column, new: &Column) -> Vec<String> {
    let name = &new.name;
    let mut changes = Vec::new();
    // Whatever holds whole numbers or yes and no can be read as a number.
    let is_wider = new.kind == ColumnKind::Text || (new.kind == ColumnKind::Number && old.kind != ColumnKind::Text);
    if new.kind != old.kind && !is_wider {
        changes.push(format!("the column '{name}' has to be {}, for the other {} will do", kind(new.kind), kind(old.kind)));
    }
    if old.may_be_missing && !new.may_be_missing {
        changes.push(format!("the column '{name}' may not be empty, for the other it may"));
    }
    if let (Some(old), Some(new)) = (&old.unit, &new.unit)
        && old != new
    {
        changes.push(format!("the column '{name}' is in {new}, for the other in {old}"));
    }
    changes
}

const fn task(task: Task) -> &'static str {
    match task {
        Task::Classification => "a classification",
        Task::Regression => "a regression",
        Task::Other => "neither a classification nor a regression",
    }
}

const fn kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Number => "a number",
        ColumnKind::Integer => "a whole number",
        ColumnKind::Text => "text",
        ColumnKind::Boolean => "true or false",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> Contract {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind, may_be_missing: true, ..Column::default() };
        Contract {
            task: Task::Classification,
            labels: vec!["no".to_owned(), "yes".to_owned()],
            columns: vec![column("age", ColumnKind::Integer), column("city", ColumnKind::Text)],
            ..Contract::default()
        }
    }

    #[test]
    fn a_version_that_asks_for_no_more_changes_nothing() {
        let old = contract();
        assert_eq!(changes(&old, &old), [""; 0]);
        let mut new = contract();
        new.columns.pop();
        new.columns[0].kind = ColumnKind::Number;
        assert_eq!(changes(&old, &new), [""; 0]);
    }

    #[test]
    fn what_a_caller_would_notice_is_said() {
        let old = contract();
        let mut new = contract();
        new.task = Task::Regression;
        new.labels = vec!["no".to_owned(), "maybe".to_owned()];
        new.columns[0].may_be_missing = false;
        new.columns[1].kind = ColumnKind::Number;
        new.columns.push(Column { name: "income".to_owned(), ..Column::default() });
        assert_eq!(
            changes(&old, &new),
            [
                "it is a regression, the other is a classification",
                "the column 'age' may not be empty, for the other it may",
                "the column 'city' has to be a number, for the other text will do",
                "it needs the column 'income', which the other does not",
                "it may say 'maybe', which the other never does",
                "it never says 'yes', which the other may",
            ]
        );
    }
}
