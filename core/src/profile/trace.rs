//! One run in the trace event format, which `chrome://tracing` and Perfetto draw:
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{OperatorReport, ProfileError};
use crate::data::{AtomicFile, write_error};
use crate::engine::{RunTrace, RunsOn};

/// Writes a run; an existing file is replaced.
pub(super) fn write(path: &Path, operators: &[OperatorReport], trace: &RunTrace, device: &str) -> Result<(), ProfileError> {
    let mut file = AtomicFile::create(path, true)?;
    serde_json::to_writer(&mut file, &events(operators, trace, device)).map_err(|error| write_error(path, &error))?;
    file.commit()?;
    Ok(())
}

/// The run and, inside it, its operators. On a GPU each was waited for, and says so.
fn events(operators: &[OperatorReport], trace: &RunTrace, device: &str) -> Value {
    let microseconds = |time: Duration| time.as_nanos() as f64 / 1e3;
    let run = json!({
        "name": "run", "cat": "run", "ph": "X", "pid": 1, "tid": 1, "ts": 0.0, "dur": microseconds(trace.total), "args": {"device": device},
    });
    let steps = operators.iter().zip(&trace.steps).map(|(operator, (begin, end))| {
        let category = match operator.runs_on {
            RunsOn::Gpu if trace.is_complete => "GPU, each waited for",
            RunsOn::Gpu => "GPU, time to submit only",
            other => other.name(),
        };
        json!({
            "name": operator.operator, "cat": category, "ph": "X", "pid": 1, "tid": 1,
            "ts": microseconds(*begin), "dur": microseconds(end.saturating_sub(*begin)),
            "args": {
                "node": operator.node, "origins": operator.origins, "inputs": operator.inputs, "outputs": operator.outputs,
                "macs": operator.macs, "bytes": operator.bytes,
            },
        })
    });
    let events: Vec<Value> = std::iter::once(run).chain(steps).collect();
    json!({"displayTimeUnit": "ms", "traceEvents": events})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_an_event_inside_its_run() {
        let operator = OperatorReport {
            node: "n".to_owned(),
            operator: "Conv+Relu".to_owned(),
            origins: vec!["conv".to_owned(), "relu".to_owned()],
            runs_on: RunsOn::Gpu,
            inputs: vec!["float32[1]".to_owned()],
            outputs: Vec::new(),
            calls_per_run: 1,
            time_ms: None,
            share: None,
            macs: Some(3),
            bytes: 4,
            weight_bytes: 0,
            gflops: None,
            gigabytes_per_second: None,
            intensity: None,
            roof_share: None,
            bound: None,
        };
        let trace =
            RunTrace { steps: vec![(Duration::from_micros(2), Duration::from_nanos(3500))], total: Duration::from_micros(10), is_complete: false };
        let events = super::events(std::slice::from_ref(&operator), &trace, "CPU");
        assert_eq!(events["traceEvents"][0]["dur"], 10.0);
        let event = &events["traceEvents"][1];
        assert_eq!((&event["ts"], &event["dur"], &event["ph"], &event["name"]), (&json!(2.0), &json!(1.5), &json!("X"), &json!("Conv+Relu")));
        assert_eq!(event["args"]["origins"], json!(["conv", "relu"]));
        assert_eq!(event["cat"], "GPU, time to submit only");
        let waited = RunTrace { is_complete: true, ..trace };
        assert_eq!(super::events(&[operator], &waited, "GPU")["traceEvents"][1]["cat"], "GPU, each waited for");
    }
}
