//! An allocator that remembers the largest request of each thread, so that a test can prove that no allocation follows a number
//! that a file merely claims.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Install with `#[global_allocator]` in a test binary.
pub struct WatchedAllocator;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

static LARGEST_ANYWHERE: AtomicUsize = AtomicUsize::new(0);

/// Requests below this are not worth an access to shared memory.
const LARGE: usize = 1 << 20;

fn note(size: usize) {
    if size >= LARGE {
        LARGEST_ANYWHERE.fetch_max(size, Ordering::Relaxed);
    }
    // A thread that is ending has no cell any more; nobody asks about it either.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every call is passed on to the system's allocator unchanged; noting a size allocates nothing.
unsafe impl GlobalAlloc for WatchedAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs `work` and returns its result with the size of the largest single allocation that this thread asked for meanwhile.
pub fn largest_allocation<T>(work: impl FnOnce() -> T) -> (T, usize) {
    LARGEST.set(0);
    let result = work();
    (result, LARGEST.get())
}

/// Size of the largest single allocation that any thread of the process has asked for so far; 0 while none was above a megabyte.
pub fn largest_allocation_anywhere() -> usize {
    LARGEST_ANYWHERE.load(Ordering::Relaxed)
}
