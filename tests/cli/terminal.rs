//! The screens in a real terminal (a pseudo-terminal), under a shell that has the terminal back afterwards and says how it is.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::run::{Folder, command, sample};
use crate::signals::long_table;

/// How long anything may take on a busy machine.
const PATIENCE_MS: u64 = 60_000;

/// What the screens say to the terminal when they take it and when they give it back.
const ENTER_SCREEN: &str = "\x1b[?1049h";
const LEAVE_SCREEN: &str = "\x1b[?1049l";
const SHOW_CURSOR: &str = "\x1b[?25h";

/// Stands on the screen once a model is open. Only what has changed is sent to a terminal: this word has no letter in common with what stood
/// in its place.
const OPENED: &str = "opsets";

/// Runs `drydock` in a terminal of 80 × 24 with its data home in a folder, then shows its exit code and the terminal's settings.
fn in_a_terminal(home: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> PtySession {
    let drydock = command(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap : INT; stty rows 24 cols 80 echo; \"$@\"; echo \"code $?\"; stty -a; echo the end", "sh"]).arg(drydock.get_program());
    shell.args(drydock.get_args()).current_dir(drydock.get_current_dir().unwrap());
    shell.env("TERM", "xterm-256color").env("DRYDOCK_HOME", home.path("")).env_remove("NO_COLOR").envs(variables.iter().copied());
    spawn_command(shell, Some(PATIENCE_MS)).unwrap()
}

/// What remains to be said, which has to show a terminal fit for a shell: cooked, echoing.
#[track_caller]
fn rest_of(session: &mut PtySession) -> String {
    let rest = session.exp_string("the end").unwrap();
    let settings = rest.split_once("code ").expect("the shell has gone on").1;
    for (wanted, unwanted) in [("icanon", "-icanon"), (" echo ", "-echo "), ("isig", "-isig"), ("opost", "-opost")] {
        assert!(settings.contains(wanted) && !settings.contains(unwanted), "{wanted} is not set: {settings}");
    }
    rest
}

/// Whether the parts stand in the text in this order.
#[track_caller]
fn says_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} does not come in its turn in {text:?}")).1;
    }
}

#[test]
fn leaving_gives_the_terminal_back() {
    let home = Folder::new();
    let mut session = in_a_terminal(&home, &["--open", &sample("wine/model.onnx")], &[]);
    session.exp_string(ENTER_SCREEN).unwrap();
    session.exp_string(OPENED).unwrap();
    session.send("q").unwrap();
    session.flush().unwrap();
    says_in_order(&rest_of(&mut session), &[LEAVE_SCREEN, SHOW_CURSOR, "code 0"]);
}

#[cfg(debug_assertions)]
#[test]
fn a_breakdown_gives_the_terminal_back_and_says_where_the_log_is() {
    let home = Folder::new();
    let mut session = in_a_terminal(&home, &[], &[("DRYDOCK_BREAK_DOWN", "1")]);
    session.exp_string("sample-models").unwrap();
    session.send("2").unwrap();
    session.flush().unwrap();
    let rest = rest_of(&mut session);
    let log = home.path("drydock.log");
    // The terminal first: what is said before would vanish with the screen.
    says_in_order(&rest, &[LEAVE_SCREEN, SHOW_CURSOR, "error: Drydock broke down: DRYDOCK_BREAK_DOWN is set", "details are in", "code 101"]);
    assert!(rest.contains(&log), "{rest}");
    assert!(std::fs::read_to_string(log).unwrap().contains("DRYDOCK_BREAK_DOWN is set"));
}

#[test]
fn ctrl_c_at_the_keyboard_cancels_a_score() {
    let folder = Folder::new();
    let (data, output) = (long_table(&folder), folder.path("out.csv"));
    let home = Folder::new();
    let mut session = in_a_terminal(&home, &["score", &sample("wine/model.onnx"), &data, "-o", &output], &[]);
    // Progress is on the screen: the work has begun.
    session.exp_string("%").unwrap();
    session.send_control('c').unwrap();
    says_in_order(&rest_of(&mut session), &["cancelled", "code 130"]);
    assert_eq!(folder.names(), ["long.csv"], "nothing half-written");
}

#[test]
fn what_drivers_print_does_not_disturb_the_picture() {
    let home = Folder::new();
    // With this, the loader of graphics drivers tells all that it does on standard error.
    let mut session = in_a_terminal(&home, &["--device", "gpu", "--open", &sample("wine/model.onnx")], &[("VK_LOADER_DEBUG", "all")]);
    session.exp_string(ENTER_SCREEN).unwrap();
    // Opening ends with a model, or with a sentence where there is no adapter.
    let (mut picture, _) = session.exp_regex(&format!("{OPENED}|GPU")).unwrap();
    session.send("q").unwrap();
    session.flush().unwrap();
    let rest = rest_of(&mut session);
    picture.push_str(rest.split(LEAVE_SCREEN).next().unwrap_or_default());
    assert!(!picture.contains("LAYER:") && !picture.contains("vkCreateInstance"), "{picture}");
}
