//! On which machine, and by whom: enough to know again where a number comes from.

use std::sync::OnceLock;

use crate::machine::Machine;

/// A machine, as a record names it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct RecordedMachine {
    /// [`Machine::hash`]: the same for machines whose measurements may be compared.
    pub id: String,
    /// "build-7 · AMD EPYC 9654 · AVX-512 · 8 cores · 64 GB".
    pub description: String,
}

impl RecordedMachine {
    /// This one.
    pub fn here() -> &'static Self {
        static HERE: OnceLock<RecordedMachine> = OnceLock::new();
        HERE.get_or_init(|| {
            let machine = Machine::here();
            Self { description: format!("{} · {}", host(), machine.describe()), id: machine.hash }
        })
    }
}

/// `user@host`.
pub fn who() -> String {
    format!("{}@{}", user().unwrap_or_else(|| "somebody".to_owned()), host())
}

fn user() -> Option<String> {
    ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable).or_else(user_of_process)
}

/// The owner of this process, by the list of users.
#[cfg(target_os = "linux")]
fn user_of_process() -> Option<String> {
    let id = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").ok()?).to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find(|line| line.split(':').nth(2) == Some(id.as_str())).and_then(|line| line.split(':').next());
    Some(named.map_or_else(|| format!("user {id}"), str::to_owned))
}

#[cfg(not(target_os = "linux"))]
fn user_of_process() -> Option<String> {
    None
}

fn host() -> String {
    let named = ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().find_map(|path| {
        let name = std::fs::read_to_string(path).ok()?.trim().to_owned();
        (!name.is_empty()).then_some(name)
    });
    named.or_else(|| ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(variable)).unwrap_or_else(|| "this machine".to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_where_and_by_whom() {
        let machine = RecordedMachine::here();
        assert!(machine.id.len() == 12 && machine.description.ends_with(&Machine::here().describe()), "{machine:?}");
        let who = who();
        assert!(who.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()), "{who}");
    }
}
