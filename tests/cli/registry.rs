//! The registry under duress: processes killed at any moment, and many at once.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::models::Home;
use crate::run::Ended;

/// A small model whose content is its own: a field that nobody reads is added to the sample's bytes.
fn variant(home: &Home, number: usize) -> (PathBuf, String) {
    let mut bytes = std::fs::read(drydock_tests::sample_model("diabetes").model()).unwrap();
    // `doc_string` of a model is its field 6, of bytes: the key is 0x32.
    let text = format!("variant {number}");
    bytes.extend([0x32, u8::try_from(text.len()).unwrap()]);
    bytes.extend(text.bytes());
    let path = PathBuf::from(home.folder.write(&format!("variant{number}.onnx"), &bytes));
    (path, drydock_core::model::sha256(&bytes))
}

/// Kills in each test, and how long it may take whatever the machine.
const KILLS: usize = 200;
const TIME: Duration = Duration::from_secs(25);

#[test]
fn what_was_reported_survives_a_kill_at_any_moment() {
    let home = Home::new();
    let started = Instant::now();
    let mut reported: Vec<(u64, String)> = Vec::new();
    let mut kills = 0;
    // How long an undisturbed one takes: moments are spread over that.
    let (path, hash) = variant(&home, 0);
    let before = Instant::now();
    let ended = home.run(&["models", "add", &path.display().to_string(), "--name", "m", "--json"]).succeeded();
    let mut usual = before.elapsed();
    reported.push((ended.json()["version"].as_u64().unwrap(), hash));
    for number in 1..=KILLS {
        if started.elapsed() > TIME {
            break;
        }
        let (path, hash) = variant(&home, number);
        let mut child = home
            .command(&["models", "add", &path.display().to_string(), "--name", "m", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A multiplicative sequence: uneven, and the same in every run.
        let share = (number * 7919 % 1000) as f64 / 1000.0;
        std::thread::sleep(usual.mul_f64(share * 1.1));
        let _ = child.kill();
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        let was_killed = !child.wait().unwrap().success();
        kills += usize::from(was_killed);
        // A machine with other work to do is slow at one moment and fast at the next: who came too late comes earlier.
        usual = usual.mul_f64(if was_killed { 1.05 } else { 0.7 });
        if let Ok(document) = serde_json::from_str::<serde_json::Value>(&text) {
            reported.push((document["version"].as_u64().unwrap(), hash));
        }
    }
    assert!(kills > 20, "only {kills} were killed");
    home.run(&["models", "verify"]).succeeded();
    let shown = home.run(&["models", "show", "m", "--json"]).succeeded().json();
    for (version, hash) in &reported {
        let found = shown["versions"].as_array().unwrap().iter().find(|found| found["version"].as_u64() == Some(*version));
        assert_eq!(found.unwrap_or_else(|| panic!("version {version} was reported and is gone"))["hash"], hash.as_str());
    }
    let (last, _) = reported.last().unwrap();
    home.run(&["inspect", &format!("m:{last}")]).succeeded();
    // What the killed ones left goes with the next removal.
    home.run(&["models", "remove", &format!("m:{last}")]).succeeded();
    let blobs = std::fs::read_dir(PathBuf::from(home.folder.path("home")).join("blobs")).unwrap();
    let left = blobs.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(left, 0, "half-written files");
    assert!(reported.len() > 1, "{kills} killed, none reported");
}

#[test]
fn thirty_two_processes_lose_no_update() {
    const PROCESSES: usize = 32;
    let home = Home::new();
    let variants: Vec<(PathBuf, String)> = (0..PROCESSES).map(|number| variant(&home, number)).collect();
    // All begin at once, with no registry there yet.
    let all = |arguments: &dyn Fn(usize) -> Vec<String>| -> Vec<Ended> {
        let children: Vec<_> = (0..PROCESSES)
            .map(|number| {
                let arguments = arguments(number);
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                home.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        children.into_iter().map(|child| Ended::of(child.wait_with_output().unwrap())).collect()
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let added = all(&|number| words(&["models", "add", &variants[number].0.display().to_string(), "--name", "m", "--json"]));
    let mut versions: Vec<u64> = added.into_iter().map(|ended| ended.succeeded().json()["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=PROCESSES as u64).collect::<Vec<_>>());

    let moved = all(&|number| match number % 4 {
        // Each third process goes back while the others go on; that there is nothing to go back to is an answer too.
        3 => words(&["models", "rollback", "m", "champion", "--json"]),
        _ => words(&["models", "promote", &format!("m:{}", number + 1), "champion", "--json"]),
    });
    for ended in &moved {
        assert!(!ended.stderr.contains("locked") && !ended.stderr.contains("busy"), "{ended:#?}");
        let is_answer = ended.code == 0 || ended.stderr.contains("no earlier version") || ended.stderr.contains("no alias");
        assert!(is_answer, "{ended:#?}");
    }
    let history = home.run(&["models", "history", "m", "champion", "--json"]).succeeded().json();
    let n_moves = moved.iter().filter(|ended| ended.code == 0).filter(|ended| ended.json()["has_changed"] == true).count();
    assert_eq!(history["moves"].as_array().unwrap().len(), n_moves);
    // Each move begins where the one before ended, and the alias is where the last one led: the self-check follows them.
    home.run(&["models", "verify"]).succeeded();
}
