//! The form of one row: what stands in it, how it moves, what it refuses.

use drydock_core::contract::{Column, ColumnKind, Contract};
use drydock_tui::screens::predict::form::{Field, Form, Stride};

fn field(column: Column) -> Field {
    Form::new(&Contract { columns: vec![column], ..Contract::default() }).fields.remove(0)
}

fn number(min: f64, max: f64, default: &str) -> Column {
    Column { name: "x".to_owned(), min: Some(min), max: Some(max), default: Some(default.to_owned()), ..Column::default() }
}

#[track_caller]
fn steps(mut field: Field, moves: &[(i8, Stride)], expected: &[&str]) {
    let seen: Vec<String> = moves
        .iter()
        .map(|(direction, stride)| {
            field.step(*direction, *stride);
            field.value.clone()
        })
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_form_begins_with_what_the_contract_suggests() {
    assert_eq!(field(number(0.0, 10.0, "7")).value, "7");
    assert_eq!(field(Column { default: None, ..number(0.0, 10.0, "") }).value, "5");
    assert_eq!(field(Column { default: None, kind: ColumnKind::Integer, ..number(0.0, 23.0, "") }).value, "12");
    assert_eq!(field(Column { kind: ColumnKind::Text, categories: vec!["a".to_owned(), "b".to_owned()], ..Column::default() }).value, "a");
    assert_eq!(field(Column { kind: ColumnKind::Boolean, ..Column::default() }).value, "false");
    assert_eq!(field(Column::default()).value, "");
}

#[test]
fn numbers_move_in_even_steps_and_stop_at_the_usual_range() {
    use Stride::{Leap, Step};
    steps(field(number(0.0, 2000.0, "42.5")), &[(1, Step), (1, Leap), (-1, Leap), (-1, Leap)], &["92.5", "592.5", "92.5", "0"]);
    steps(field(number(0.0, 1.0, "0.5")), &[(1, Step), (-1, Step)], &["0.52", "0.5"]);
    steps(field(Column { kind: ColumnKind::Integer, ..number(0.0, 23.0, "22") }), &[(1, Step), (1, Step)], &["23", "23"]);
    // A value beyond the range that somebody typed is left there until it moves back by itself.
    steps(field(number(0.0, 10.0, "50")), &[(1, Step), (-1, Step)], &["50", "49.8"]);
}

#[test]
fn numbers_of_which_nothing_is_known_move_by_their_size() {
    let of = |value: &str| field(Column { default: Some(value.to_owned()), ..Column::default() });
    steps(of("1234"), &[(1, Stride::Step)], &["1334"]);
    steps(of("0"), &[(1, Stride::Step), (-1, Stride::Step)], &["0.1", "0.09"]);
    steps(of(""), &[(1, Stride::Step)], &["0"]);
}

#[test]
fn choices_go_round() {
    let text = field(Column { kind: ColumnKind::Text, categories: ["a", "b", "c"].map(str::to_owned).to_vec(), ..Column::default() });
    steps(text, &[(-1, Stride::Step), (1, Stride::Step), (1, Stride::Step)], &["c", "a", "b"]);
    let boolean = field(Column { kind: ColumnKind::Boolean, default: Some("0".to_owned()), ..Column::default() });
    steps(boolean, &[(1, Stride::Step), (1, Stride::Step)], &["1", "0"]);
    let free = field(Column { kind: ColumnKind::Text, default: Some("as it is".to_owned()), ..Column::default() });
    steps(free, &[(1, Stride::Step)], &["as it is"]);
}

#[test]
fn what_cannot_stand_is_said() {
    let problem = |kind: ColumnKind, may_be_missing: bool, value: &str| {
        field(Column { kind, may_be_missing, default: Some(value.to_owned()), ..Column::default() }).problem()
    };
    for (kind, value) in [(ColumnKind::Number, "1e3"), (ColumnKind::Integer, "-4"), (ColumnKind::Text, "anything"), (ColumnKind::Boolean, "True")] {
        assert_eq!(problem(kind, false, value), None, "{value}");
        assert!(problem(kind, false, "").is_some(), "{kind:?} needs a value");
        assert_eq!(problem(kind, true, ""), None, "{kind:?} may be missing");
    }
    for (kind, value) in [(ColumnKind::Number, "1,5"), (ColumnKind::Integer, "1.5"), (ColumnKind::Boolean, "maybe")] {
        assert!(problem(kind, true, value).is_some_and(|problem| problem.contains(value)), "{value}");
    }
}

#[test]
fn a_row_of_a_table_fills_by_name() {
    let columns = ["a", "b"].map(|name| Column { name: name.to_owned(), ..Column::default() }).to_vec();
    let mut form = Form::new(&Contract { columns, ..Contract::default() });
    assert_eq!(form.fill([("b", "2"), ("c", "3")].into_iter()), 1);
    assert_eq!(form.row().0.into_iter().collect::<Vec<_>>(), [("b".to_owned(), "2".to_owned())]);
    assert_eq!(form.problem().map(|(index, _)| index), Some(0));
}
