//! Standard error, lent out. Graphics drivers are foreign code that prints there whatever it likes: into the picture that the terminal
//! screens draw, into what a script reads. While a loan lasts, what is printed goes into its file. Knows nothing of what is printed.
//!
//! Where the system is not a Unix, nothing is lent and everything is printed as ever.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

/// Standard error goes elsewhere until this is dropped. Loans may overlap, also between threads: the newest that lasts counts.
#[derive(Debug)]
pub struct Loan {
    #[cfg_attr(not(unix), expect(dead_code, reason = "only a Unix lends"))]
    id: u64,
}

impl Loan {
    /// Sends standard error into a file.
    pub fn to(file: &File) -> io::Result<Self> {
        system::lend(file).map(|id| Self { id })
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        #[cfg(unix)]
        system::end(self.id);
    }
}

/// Ends every loan at once: for the moment in which a program breaks down and has something to say.
pub fn take_back() {
    #[cfg(unix)]
    system::end_all();
}

/// What `work` gives, and what was printed to standard error meanwhile, by anyone.
pub fn collected<T>(work: impl FnOnce() -> T) -> (T, String) {
    let Ok(mut file) = tempfile::tempfile() else { return (work(), String::new()) };
    let loan = Loan::to(&file);
    let result = work();
    drop(loan);
    let mut bytes = Vec::new();
    // More than this nobody reads.
    const LIMIT: u64 = 64 << 10;
    if file.rewind().is_err() || file.take(LIMIT).read_to_end(&mut bytes).is_err() {
        bytes.clear();
    }
    (result, String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(unix)]
mod system {
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// The real standard error, while some loan lasts, and the loans, oldest first.
    struct Loans {
        original: Option<OwnedFd>,
        lent: Vec<(u64, OwnedFd)>,
        last_id: u64,
    }

    static LOANS: Mutex<Loans> = Mutex::new(Loans { original: None, lent: Vec::new(), last_id: 0 });

    fn loans() -> MutexGuard<'static, Loans> {
        LOANS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn lend(file: &File) -> io::Result<u64> {
        let mut loans = loans();
        let target = file.as_fd().try_clone_to_owned()?;
        if loans.original.is_none() {
            loans.original = Some(io::stderr().as_fd().try_clone_to_owned()?);
        }
        rustix::stdio::dup2_stderr(&target)?;
        loans.last_id += 1;
        let id = loans.last_id;
        loans.lent.push((id, target));
        Ok(id)
    }

    pub fn end(id: u64) {
        let mut loans = loans();
        loans.lent.retain(|(lent, _)| *lent != id);
        settle(&mut loans);
    }

    pub fn end_all() {
        let mut loans = loans();
        loans.lent.clear();
        settle(&mut loans);
    }

    /// Standard error is the newest loan's, or the real one.
    fn settle(loans: &mut Loans) {
        let owner = loans.lent.last().map(|(_, target)| target).or(loans.original.as_ref());
        if let Some(owner) = owner {
            // It was possible before: there is nothing to do if it is not now, and nobody to tell.
            let _ = rustix::stdio::dup2_stderr(owner);
        }
        if loans.lent.is_empty() {
            loans.original = None;
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub fn lend(_file: &std::fs::File) -> std::io::Result<u64> {
        Ok(0)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// One test, because there is one standard error.
    #[test]
    fn what_is_printed_goes_to_the_newest_loan_that_lasts() {
        let say = |text: &str| io::stderr().write_all(text.as_bytes()).unwrap();
        let ((), outer) = collected(|| {
            say("one ");
            let (answer, inner) = collected(|| {
                say("two");
                2
            });
            assert_eq!((answer, inner.as_str()), (2, "two"));
            say("three ");
            // Loans need not end in the order in which they began.
            let files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
            let [first, second] = files.each_ref().map(|file| Loan::to(file).unwrap());
            drop(first);
            say("four");
            drop(second);
            say("five");
            let lengths = files.map(|file| file.metadata().unwrap().len());
            assert_eq!(lengths, [0, 4]);
        });
        // Other tests may print at the same time.
        for said in ["one ", "three ", "five"] {
            assert!(outer.contains(said), "{said} is not in {outer}");
        }
        assert!(!outer.contains("two") && !outer.contains("four"), "{outer}");
    }
}
