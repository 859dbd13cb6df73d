//! Ctrl-C and readers that go away.

#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::{Ended, Folder, command, sample};

/// A table that takes much longer to score than a test waits.
pub fn long_table(folder: &Folder) -> String {
    let wine = std::fs::read_to_string(drydock_tests::sample_model("wine").table("new")).unwrap();
    let (header, rows) = wine.split_once('\n').unwrap();
    let path = folder.path("long.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    writeln!(file, "{header}").unwrap();
    for _ in 0..60_000 {
        file.write_all(rows.as_bytes()).unwrap();
    }
    file.flush().unwrap();
    path
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits until a condition holds; fails the test when it never does.
#[track_caller]
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ctrl_c_cancels_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let data = long_table(&folder);
    let output = folder.path("out.csv");
    for name in ["INT", "TERM"] {
        let mut child =
            command(&["score", &sample("wine/model.onnx"), &data, "-o", &output]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The work has begun when its temporary file is there.
        wait_until("the scoring has begun", || folder.names().len() > 1 || child.try_wait().unwrap().is_some());
        signal(&child, name);
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert_eq!(ended.code, 130, "{ended:#?}");
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", "cancelled\n"));
        assert_eq!(folder.names(), ["long.csv"], "nothing half-written");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = command(&["inspect", &sample("digits/model.onnx"), "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
    assert_eq!((first.as_str(), stderr.as_str()), ("{\n", ""));

    // Closed before anything was written.
    let mut child = command(&["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
