//! Memory as the program asks for it, counted at the allocator while somebody wants to know. Unlike resident memory it does not depend on what
//! was freed before and kept for later, so two models measured one after the other compare. Files that are mapped are not part of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, TryLockError};

/// The system's allocator with a meter, which costs a look at a flag while nobody measures. A program installs it:
/// `#[global_allocator] static ALLOCATOR: MeteredAllocator = MeteredAllocator;`
#[derive(Debug, Clone, Copy)]
pub struct MeteredAllocator;

static IS_METERED: AtomicBool = AtomicBool::new(false);
/// Bytes allocated less bytes freed since the measurement began. Below 0 where what was there before is freed.
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
/// One measurement at a time.
static METER: Mutex<()> = Mutex::new(());

fn allocated(bytes: usize) {
    if IS_METERED.load(Ordering::Relaxed) {
        // No layout is larger than isize::MAX.
        let live = LIVE.fetch_add(bytes as i64, Ordering::Relaxed) + bytes as i64;
        PEAK.fetch_max(live, Ordering::Relaxed);
    }
}

fn freed(bytes: usize) {
    if IS_METERED.load(Ordering::Relaxed) {
        LIVE.fetch_sub(bytes as i64, Ordering::Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator with the very arguments that came, and its answer goes back unchanged.
unsafe impl GlobalAlloc for MeteredAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // As if both were there at once, which they are where the block has to move.
        allocated(new_size);
        // SAFETY: the caller keeps the contract of `realloc`.
        let moved = unsafe { System.realloc(pointer, layout, new_size) };
        freed(layout.size());
        moved
    }
}

/// Does the work and tells the most bytes that were alive at once during it, beyond what was there before; `None` where the program has no
/// metered allocator, or another measurement is under way. What other threads allocate meanwhile is part of it.
pub fn peak_bytes_of<T>(work: impl FnOnce() -> T) -> (T, Option<u64>) {
    let _meter = match METER.try_lock() {
        Ok(meter) => meter,
        // Work that broke down leaves nothing behind that the next measurement would not set anew.
        Err(TryLockError::Poisoned(meter)) => meter.into_inner(),
        Err(TryLockError::WouldBlock) => return (work(), None),
    };
    LIVE.store(0, Ordering::Relaxed);
    PEAK.store(0, Ordering::Relaxed);
    IS_METERED.store(true, Ordering::Relaxed);
    let _off = Off;
    let done = work();
    let peak = PEAK.load(Ordering::Relaxed);
    // Whatever a model is opened with, it takes a byte: nothing counted means that nobody counts.
    (done, u64::try_from(peak).ok().filter(|peak| *peak > 0))
}

/// Turns the meter off, also when the work panics.
struct Off;

impl Drop for Off {
    fn drop(&mut self) {
        IS_METERED.store(false, Ordering::Relaxed);
    }
}
