//! Runs one thing again and again until what it takes is known, or it is known to be unstable.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::statistics::{STABLE_WINDOWS, Unsteady, Window, median, steadiness};

/// What tells the time: the system, or a test.
pub trait Clock {
    /// Time since some beginning.
    fn now(&self) -> Duration;
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Monotonic(Instant);

impl Default for Monotonic {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// How long to measure one configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Runs before the first window: as many as this takes, three at least.
    pub warm_up: Duration,
    /// A window lasts so long at least,
    pub window: Duration,
    /// and has so many runs.
    pub window_runs: usize,
    /// Windows at most; three have to agree.
    pub max_windows: usize,
    /// No window goes on beyond its share of this.
    pub limit: Duration,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurement {
    /// Seconds of each run of the last three windows.
    pub samples: Vec<f64>,
    /// From the beginning of the first of those windows to the end of the last.
    pub seconds: f64,
    pub windows: Vec<Window>,
    /// Why it is not stable, if it is not.
    pub unsteady: Option<Unsteady>,
    /// What something that never changes took at best, over three windows; `None` where nobody asked.
    pub machine_seconds: Option<f64>,
    /// What it took over the last three windows, in terms of the best that is known: 1.1 is 10 % slower.
    pub machine_slowdown: Option<f64>,
    /// Seconds of the first runs, warm-up included.
    pub first: Vec<f64>,
}

/// Runs kept to show how the first ones became faster.
const FIRST_RUNS: usize = 200;
const WARM_UP_RUNS: usize = 3;

/// Something that never changes, timed beside the runs: it tells how fast the machine is.
pub trait Beside {
    /// Fits itself to runs of this length. Returns the shortest time that is known of earlier measurements.
    fn fit(&mut self, run_seconds: f64) -> Option<f64>;
    /// Seconds that it takes now.
    fn seconds(&mut self) -> f64;
}

/// How often that is timed in a window.
const LOOKS: u32 = 5;

/// Measures. `run` does the work once and returns how long the work itself took; `on_window` hears of each window.
pub fn measure<E>(
    clock: &impl Clock,
    pace: &Pace,
    mut beside: Option<&mut dyn Beside>,
    mut run: impl FnMut() -> Result<Duration, E>,
    mut on_window: impl FnMut(&[Window]),
) -> Result<Measurement, E> {
    let mut measurement = Measurement::default();
    let begun = clock.now();
    let mut n_warm_up = 0;
    while n_warm_up < WARM_UP_RUNS || clock.now() - begun < pace.warm_up {
        measurement.note_first(run()?.as_secs_f64());
        n_warm_up += 1;
    }
    let typical = median(&measurement.first).unwrap_or_default();
    let known_best = beside.as_mut().and_then(|beside| beside.fit(typical));
    let limit = pace.limit / pace.max_windows.clamp(1, STABLE_WINDOWS) as u32;
    let mut recent: VecDeque<Taken> = VecDeque::new();
    while measurement.windows.len() < pace.max_windows {
        let started = clock.now();
        let mut taken = Taken::default();
        let mut away = Duration::ZERO;
        let mut next_look = pace.window / (2 * LOOKS);
        taken.seconds = loop {
            taken.samples.push(run()?.as_secs_f64());
            let elapsed = clock.now() - started - away;
            if (elapsed >= pace.window && taken.samples.len() >= pace.window_runs) || elapsed >= limit {
                break elapsed.as_secs_f64();
            }
            if let Some(beside) = beside.as_mut().filter(|_| elapsed >= next_look) {
                let looked = clock.now();
                taken.looks.push(beside.seconds());
                // What the model had in the caches may be gone: that is not the model's fault.
                run()?;
                away += clock.now() - looked;
                next_look = elapsed + pace.window / LOOKS;
            }
        };
        for sample in taken.samples.iter().take(FIRST_RUNS) {
            measurement.note_first(*sample);
        }
        let per_second = taken.samples.len() as f64 / taken.seconds.max(1e-9);
        let median_ms = median(&taken.samples).unwrap_or_default() * 1e3;
        measurement.windows.push(Window { n: taken.samples.len(), median_ms, runs_per_second: per_second });
        if recent.len() == STABLE_WINDOWS {
            recent.pop_front();
        }
        recent.push_back(taken);
        on_window(&measurement.windows);
        let looks: Vec<f64> = recent.iter().flat_map(|window| window.looks.iter().copied()).collect();
        let machine_now = median(&looks);
        measurement.machine_seconds = measurement.machine_seconds.into_iter().chain(machine_now).min_by(f64::total_cmp);
        let best = measurement.machine_seconds.into_iter().chain(known_best).min_by(f64::total_cmp);
        measurement.machine_slowdown = machine_now.zip(best).map(|(now, best)| now / best);
        measurement.unsteady = steadiness(&measurement.windows, measurement.machine_slowdown).err();
        let is_over = measurement.windows.len() >= STABLE_WINDOWS && clock.now() - begun >= pace.limit;
        if measurement.is_stable() || is_over {
            break;
        }
    }
    measurement.seconds = recent.iter().map(|window| window.seconds).sum();
    measurement.samples = recent.into_iter().flat_map(|window| window.samples).collect();
    Ok(measurement)
}

/// What was measured in one window.
#[derive(Default)]
struct Taken {
    samples: Vec<f64>,
    /// Of the runs alone.
    seconds: f64,
    looks: Vec<f64>,
}

impl Measurement {
    pub fn is_stable(&self) -> bool {
        self.unsteady.is_none()
    }

    fn note_first(&mut self, seconds: f64) {
        if self.first.len() < FIRST_RUNS {
            self.first.push(seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    /// A clock that only moves when something runs.
    #[derive(Default)]
    struct Still(Cell<Duration>);

    impl Clock for Still {
        fn now(&self) -> Duration {
            self.0.get()
        }
    }

    const PACE: Pace = Pace {
        warm_up: Duration::from_millis(50),
        window: Duration::from_millis(100),
        window_runs: 5,
        max_windows: 10,
        limit: Duration::from_secs(10),
    };

    /// Measures runs that take what `milliseconds` says of their number.
    fn measured(pace: &Pace, milliseconds: impl Fn(u64) -> f64) -> Measurement {
        let clock = Still::default();
        let mut n = 0;
        let run = || -> Result<Duration, Infallible> {
            let taken = Duration::from_secs_f64(milliseconds(n) / 1e3);
            n += 1;
            clock.0.set(clock.0.get() + taken);
            Ok(taken)
        };
        let Ok(measurement) = measure(&clock, pace, None, run, |_| {});
        measurement
    }

    #[test]
    fn a_steady_run_is_measured_in_three_windows() {
        let measurement = measured(&PACE, |_| 10.0);
        assert!(measurement.is_stable());
        assert_eq!((measurement.windows.len(), measurement.samples.len()), (3, 30));
        assert!((measurement.seconds - 0.3).abs() < 1e-9);
        assert!((measurement.windows[0].runs_per_second - 100.0).abs() < 1e-6);
    }

    #[test]
    fn slow_first_runs_are_not_among_the_samples() {
        let measurement = measured(&PACE, |n| if n < 3 { 100.0 } else { 10.0 });
        assert!(measurement.is_stable() && measurement.samples.iter().all(|sample| *sample < 0.011));
        assert_eq!(measurement.first[..4], [0.1, 0.1, 0.1, 0.01]);
    }

    #[test]
    fn what_never_settles_is_not_stable_and_ends() {
        let measurement = measured(&PACE, |n| 10.0 + n as f64);
        assert!(!measurement.is_stable());
        assert_eq!(measurement.windows.len(), 10);
        // Only what the last three windows hold.
        assert_eq!(measurement.samples.len(), measurement.windows[7..].iter().map(|window| window.n).sum::<usize>());
    }

    #[test]
    fn slow_models_are_measured_within_the_limit() {
        let measurement = measured(&PACE, |_| 2000.0);
        assert_eq!(measurement.windows.len(), 3);
        assert!(measurement.is_stable() && measurement.samples.len() < 3 * PACE.window_runs, "{}", measurement.samples.len());
        assert!(measurement.seconds < 15.0);
    }

    /// A machine of which one looks at the speed: what each look sees, and what was known before.
    struct Machine<F>(usize, F, Option<f64>);

    impl<F: FnMut(usize) -> f64> Beside for Machine<F> {
        fn fit(&mut self, _: f64) -> Option<f64> {
            self.2
        }

        fn seconds(&mut self) -> f64 {
            self.0 += 1;
            (self.1)(self.0 - 1)
        }
    }

    /// Measures runs of 10 ms.
    fn beside(best_seconds: Option<f64>, look: impl FnMut(usize) -> f64) -> Measurement {
        let clock = Still::default();
        let run = || -> Result<Duration, Infallible> {
            clock.0.set(clock.0.get() + Duration::from_millis(10));
            Ok(Duration::from_millis(10))
        };
        let Ok(measurement) = measure(&clock, &PACE, Some(&mut Machine(0, look, best_seconds)), run, |_| {});
        measurement
    }

    #[test]
    fn a_machine_that_slows_down_is_waited_for() {
        let steady = beside(Some(1.0), |_| 1.02);
        assert!(steady.is_stable());
        assert_eq!((steady.windows.len(), steady.machine_seconds), (3, Some(1.02)));
        // Looking takes time that is not the model's.
        assert!((steady.windows[0].runs_per_second - 100.0).abs() < 1e-6, "{:?}", steady.windows);
        // Disturbed during the first three windows: most of what counts has to come later.
        let recovered = beside(Some(1.0), |n| if n < 15 { 1.3 } else { 1.0 });
        assert!(recovered.is_stable());
        assert_eq!(recovered.windows.len(), 5);
        // A hiccup now and then is no slower machine.
        assert!(beside(Some(1.0), |n| if n % 4 == 0 { 2.0 } else { 1.0 }).is_stable());
    }

    #[test]
    fn a_machine_that_is_slower_than_it_was_is_told() {
        let slow = beside(Some(1.0), |_| 1.2);
        assert!(matches!(slow.unsteady, Some(Unsteady::SlowMachine(share)) if (share - 0.2).abs() < 1e-9), "{:?}", slow.unsteady);
        assert_eq!(slow.windows.len(), PACE.max_windows);
        // Where nothing is known of earlier times, only this measurement's own count.
        assert!(beside(None, |_| 1.2).is_stable());
    }
}
