//! What if one number were different: the rows to ask about, and the answer as a figure.

use super::{PredictReport, PredictRequest, Prediction, Row};
use crate::contract::{Column, Contract, Task};
use crate::format;
use crate::report::{Axis, Figure, Series};

/// Points of the curve.
const POINTS: u16 = 41;

/// The row with one column set to values over its usual range, one row for each; nothing for a column without such a range.
pub fn request(column: &Column, row: &Row) -> Option<PredictRequest> {
    let (min, max) = column.usual_range()?;
    let value = |step: u16| min + (max - min) * f64::from(step) / f64::from(POINTS - 1);
    let mut values: Vec<String> = (0..POINTS).map(|step| column.number_text(value(step))).collect();
    values.dedup();
    let with_value = |value: String| {
        let mut row = row.clone();
        row.0.insert(column.name.clone(), value);
        row
    };
    Some(PredictRequest::Rows(values.into_iter().map(with_value).collect()))
}

/// The answer over the column; nothing if it answers another question or has no number to draw. `row`: the present one.
pub fn figure(contract: &Contract, column: &Column, row: &Row, request: &PredictRequest, report: &PredictReport) -> Option<Figure> {
    let PredictRequest::Rows(rows) = request else { return None };
    let xs: Vec<f64> = rows.iter().map(|row| row.0.get(&column.name)?.parse().ok()).collect::<Option<_>>()?;
    let (first, last) = (*xs.first()?, *xs.last()?);
    if first >= last || xs.len() != report.predictions.len() {
        return None;
    }
    let label = (contract.task == Task::Classification).then(|| most_moved(&report.predictions)).flatten();
    let height = |prediction: &Prediction| match &label {
        Some(label) => prediction.probabilities.iter().find(|(name, _)| name == label).map(|(_, probability)| *probability),
        None => prediction.prediction.as_ref()?.parse().ok(),
    };
    let ys: Vec<f64> = report.predictions.iter().map(height).collect::<Option<_>>()?;
    if ys.iter().any(|y| !y.is_finite()) {
        return None;
    }
    let unit = contract.unit.clone().filter(|_| label.is_none());
    let y = match &label {
        Some(label) => Axis::new(format!("probability_{label}"), None, (0.0, 1.0)),
        None => Axis::new("prediction", unit.as_deref(), readable(bounds(&ys))),
    };
    let title = finding(column, label.as_deref(), y.unit.as_deref(), &ys);
    let x = Axis::new(column.name.clone(), column.unit.as_deref(), (first, last));
    let line = Series::line(y.name.clone(), xs.into_iter().zip(ys).collect());
    Some(Figure { x_now: row.0.get(&column.name).and_then(|text| text.trim().parse().ok()), ..Figure::of(title, x, y, line) })
}

/// One sentence that says what the figure shows. `label`: whose probability the heights are; none for a regression.
fn finding(column: &Column, label: Option<&str>, unit: Option<&str>, ys: &[f64]) -> String {
    let (low, high) = bounds(ys);
    let (first, last) = (ys.first().copied().unwrap_or(0.0), ys.last().copied().unwrap_or(0.0));
    let subject = label.unwrap_or("prediction");
    let show = |value: f64| match (label, unit) {
        (Some(_), _) => format::probability(value),
        (None, Some(unit)) => format!("{} {unit}", format::number(value)),
        (None, None) => format::number(value),
    };
    let name = &column.name;
    let is_flat = if label.is_some() { high - low < 0.005 } else { high - low < 1e-3 * high.abs().max(low.abs()) };
    if is_flat {
        return format!("{name} makes no difference to {subject} here: {}", show(first));
    }
    let tolerance = (high - low) * 0.02;
    if (last - high).abs() <= tolerance && (first - low).abs() <= tolerance {
        format!("{subject} rises from {} to {} as {name} grows", show(first), show(last))
    } else if (first - high).abs() <= tolerance && (last - low).abs() <= tolerance {
        format!("{subject} falls from {} to {} as {name} grows", show(first), show(last))
    } else {
        format!("{subject} moves between {} and {} over {name}", show(low), show(high))
    }
}

/// The label whose probability changes most; of equals the last, which of two labels is the positive one.
fn most_moved(predictions: &[Prediction]) -> Option<String> {
    let first = predictions.first()?;
    let span = |index: usize| {
        let (low, high) = bounds(&predictions.iter().filter_map(|prediction| Some(prediction.probabilities.get(index)?.1)).collect::<Vec<_>>());
        // Rounded, so that two labels that mirror each other count as equal.
        ((high - low) * 1e6).round()
    };
    let index = (0..first.probabilities.len()).max_by(|&a, &b| span(a).total_cmp(&span(b)))?;
    first.probabilities.get(index).map(|(label, _)| label.clone())
}

/// Widens bounds that lie close together: a tenth of the height is the least that should look like a slope.
fn readable((low, high): (f64, f64)) -> (f64, f64) {
    let least = 0.1 * low.abs().max(high.abs());
    let missing = (least - (high - low)).max(0.0);
    (low - missing / 2.0, high + missing / 2.0)
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::ColumnKind;

    fn column(kind: ColumnKind, min: f64, max: f64) -> Column {
        Column { name: "x".to_owned(), kind, unit: Some("m".to_owned()), min: Some(min), max: Some(max), ..Column::default() }
    }

    fn answer(column: &Column, prediction: impl Fn(f64) -> Prediction) -> (PredictRequest, PredictReport) {
        let request = request(column, &Row::default()).unwrap();
        let PredictRequest::Rows(rows) = &request else { panic!("rows") };
        let predictions = rows.iter().map(|row| prediction(row.0["x"].parse().unwrap())).collect();
        (request, PredictReport { predictions, run_time: Duration::ZERO, device: String::new() })
    }

    #[test]
    fn a_range_is_tried_from_end_to_end_without_repetition() {
        let values = |column: &Column| {
            let Some(PredictRequest::Rows(rows)) = request(column, &Row([("y".to_owned(), "1".to_owned())].into())) else { panic!("rows") };
            assert!(rows.iter().all(|row| row.0["y"] == "1"));
            rows.iter().map(|row| row.0["x"].clone()).collect::<Vec<_>>()
        };
        let fine = values(&column(ColumnKind::Number, 0.0, 2000.0));
        assert_eq!((fine.len(), fine[0].as_str(), fine[1].as_str(), fine[40].as_str()), (41, "0", "50", "2000"));
        assert_eq!(values(&column(ColumnKind::Integer, 0.0, 3.0)), ["0", "1", "2", "3"]);
        assert_eq!(request(&column(ColumnKind::Text, 0.0, 3.0), &Row::default()), None);
        assert_eq!(request(&column(ColumnKind::Number, 3.0, 3.0), &Row::default()), None);
        assert_eq!(request(&column(ColumnKind::Number, 3.0, f64::INFINITY), &Row::default()), None);
    }

    #[test]
    fn a_classification_shows_the_label_that_moves_most() {
        let column = column(ColumnKind::Number, 0.0, 10.0);
        let contract = Contract { task: Task::Classification, ..Contract::default() };
        let (request, report) = answer(&column, |x| Prediction {
            probabilities: vec![("no".to_owned(), 1.0 - x / 20.0), ("yes".to_owned(), x / 20.0)],
            ..Prediction::default()
        });
        let row = Row([("x".to_owned(), "5".to_owned())].into());
        let figure = figure(&contract, &column, &row, &request, &report).unwrap();
        assert_eq!(figure.title, "yes rises from 0.000 to 0.500 as x grows");
        assert_eq!((figure.y.name.as_str(), figure.y.range, figure.x_now), ("probability_yes", (0.0, 1.0), Some(5.0)));
        assert_eq!((figure.x.label().as_str(), figure.x.range), ("x, m", (0.0, 10.0)));
    }

    #[test]
    fn a_regression_shows_its_number_in_its_unit() {
        let column = column(ColumnKind::Number, 0.0, 10.0);
        let contract = Contract { task: Task::Regression, unit: Some("EUR".to_owned()), ..Contract::default() };
        let title = |height: fn(f64) -> f64| {
            let (request, report) = answer(&column, |x| Prediction { prediction: Some(height(x).to_string()), ..Prediction::default() });
            figure(&contract, &column, &Row::default(), &request, &report).map(|figure| figure.title)
        };
        assert_eq!(title(|x| 100.0 - x).as_deref(), Some("prediction falls from 100 EUR to 90 EUR as x grows"));
        assert_eq!(title(|x| (x - 5.0) * (x - 5.0)).as_deref(), Some("prediction moves between 0 EUR and 25 EUR over x"));
        assert_eq!(title(|_| 7.0).as_deref(), Some("x makes no difference to prediction here: 7 EUR"));
        assert_eq!(title(|_| f64::NAN), None);
    }

    #[test]
    fn the_answer_to_another_question_is_no_answer() {
        let asked = column(ColumnKind::Number, 0.0, 10.0);
        let (request, report) = answer(&asked, |x| Prediction { prediction: Some(x.to_string()), ..Prediction::default() });
        let other = Column { name: "z".to_owned(), ..asked };
        assert_eq!(figure(&Contract::default(), &other, &Row::default(), &request, &report), None);
    }
}
