//! Conditions in one line of a form: `size=10MB p95=5ms agreement=0.99 min.accuracy=0.9 drop.f1=0.01`.

use std::str::FromStr;

use super::Budgets;
use crate::budget;

impl Budgets {
    /// How conditions are written.
    pub const EXAMPLE: &'static str = "size=10MB p95=5ms agreement=0.99 min.accuracy=0.9 drop.f1=0.01";
}

impl FromStr for Budgets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut budgets = Self::default();
        for part in text.split([' ', ',']).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("'{part}': expected a name, '=' and a limit, as in {}", Self::EXAMPLE))?;
            let wrong = |message: String| format!("{name}: {message}");
            let number =
                || value.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(|| format!("{name}: expected a number, found '{value}'"));
            match name.split_once('.') {
                None if name == "size" => budgets.max_size_bytes = Some(budget::parse_bytes(value).map_err(wrong)?),
                None if name == "memory" => budgets.max_memory_bytes = Some(budget::parse_bytes(value).map_err(wrong)?),
                None if name == "p95" => budgets.max_p95 = Some(budget::parse_duration(value).map_err(wrong)?),
                None if name == "agreement" => budgets.min_agreement = Some(budget::parse_share(value).map_err(wrong)?),
                None if name == "contract" => {
                    let limit =
                        value.parse().map_err(|_| format!("contract: expected how many changes callers may notice, such as 0, found '{value}'"))?;
                    budgets.max_contract_changes = Some(limit);
                }
                Some(("min", metric)) => budgets.min_metrics.push((metric.parse()?, number()?)),
                Some(("drop", metric)) => budgets.max_drops.push((metric.parse()?, number()?)),
                _ => {
                    return Err(format!(
                        "there is no condition '{name}'; the conditions are size, memory, p95, agreement, contract, min.METRIC and drop.METRIC"
                    ));
                }
            }
        }
        Ok(budgets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Metric;

    #[test]
    fn the_example_is_read() {
        let budgets: Budgets = Budgets::EXAMPLE.parse().unwrap();
        assert_eq!(budgets.max_size_bytes, Some(10_000_000));
        assert_eq!(budgets.max_p95, Some(std::time::Duration::from_millis(5)));
        assert_eq!((budgets.min_agreement, budgets.max_memory_bytes), (Some(0.99), None));
        assert_eq!((budgets.min_metrics, budgets.max_drops), (vec![(Metric::Accuracy, 0.9)], vec![(Metric::F1, 0.01)]));
        assert_eq!("contract=0".parse::<Budgets>().unwrap().max_contract_changes, Some(0));
        for wrong in ["size", "size=big", "speed=1", "min.acc=1", "drop.f1=x", "contract=few"] {
            assert!(wrong.parse::<Budgets>().is_err(), "{wrong}");
        }
    }
}
