//! The second line of defence: a panic inside burn or an operator ends the run, not the program.
//! The first is that operators validate before they compute.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside [`contain`]: its panics are reported as errors and must not print.
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes `Err` with its message. What `work` has half done must be dropped by the caller.
pub(super) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    install_quiet_hook();
    let was_contained = IS_CONTAINED.replace(true);
    let result = std::panic::catch_unwind(AssertUnwindSafe(work));
    IS_CONTAINED.set(was_contained);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
    })
}

/// Wraps the panic hook of the program once: panics that are contained stay silent, all others go to the hook that was there.
fn install_quiet_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IS_CONTAINED.get() {
                previous(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let result = super::contain(|| -> u32 { panic!("shape {}", 3) });
        assert_eq!(result, Err("shape 3".to_owned()));
        assert_eq!(super::contain(|| 4), Ok(4));
    }
}
