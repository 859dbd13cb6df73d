//! What to measure, and for how long.

use std::path::{Path, PathBuf};

use drydock_core::data::is_table_path;
use drydock_core::profile::{Effort, ProfileOption, ProfileRequest};
use drydock_core::tensor::device::DeviceChoice;
use eframe::egui::Ui;

use crate::files::Purpose;
use crate::view_context::ViewContext;
use crate::widgets::combo::combo;
use crate::widgets::form::{PathLine, line, more_button, path_line, text_line};
use crate::widgets::path_field::PathField;

#[derive(Debug, Default)]
pub struct ProfileForm {
    batch: String,
    threads: String,
    max_latency: String,
    effort: Effort,
    devices: Devices,
    /// Whether the options that one seldom needs are shown.
    shows_more: bool,
    data: PathField,
    trace: PathField,
    dims: String,
    seed: String,
    fit_memory: String,
    fit_threads: String,
    fit_slowdown: String,
}

/// Where to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Devices {
    /// Where the model was opened.
    #[default]
    Opened,
    Cpu,
    Gpu,
    Both,
}

impl Devices {
    const ALL: [Self; 4] = [Self::Opened, Self::Cpu, Self::Gpu, Self::Both];

    fn name(self) -> &'static str {
        match self {
            Self::Opened => "where the model is open",
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Both => "CPU and GPU",
        }
    }

    fn choices(self) -> &'static [DeviceChoice] {
        match self {
            Self::Opened => &[],
            Self::Cpu => &[DeviceChoice::Cpu],
            Self::Gpu => &[DeviceChoice::Gpu(None)],
            Self::Both => &[DeviceChoice::Cpu, DeviceChoice::Gpu(None)],
        }
    }
}

impl ProfileForm {
    /// What a run would measure. What can't stand is left out: [`Self::has_problem`] says so before anything runs.
    pub fn request(&self) -> ProfileRequest {
        let mut request =
            ProfileRequest { effort: self.effort, operators: true, devices: self.devices.choices().to_vec(), ..ProfileRequest::default() };
        for (option, text) in self.written() {
            let _ = option.set(&mut request, text);
        }
        request.data = path_of(&self.data);
        request.trace = path_of(&self.trace);
        request
    }

    /// The same, as fast as it goes.
    pub fn quick_request(&self) -> ProfileRequest {
        ProfileRequest { effort: Effort::Quick, ..self.request() }
    }

    fn written(&self) -> [(ProfileOption, &str); 8] {
        [
            (ProfileOption::Batch, &self.batch),
            (ProfileOption::Threads, &self.threads),
            (ProfileOption::MaxLatency, &self.max_latency),
            (ProfileOption::Dims, &self.dims),
            (ProfileOption::Seed, &self.seed),
            (ProfileOption::FitMemory, &self.fit_memory),
            (ProfileOption::FitThreads, &self.fit_threads),
            (ProfileOption::FitSlowdown, &self.fit_slowdown),
        ]
    }

    /// Whether something is written that can't stand; it is said where it is written.
    pub fn has_problem(&self) -> bool {
        self.written().into_iter().any(|(option, text)| option.problem(text).is_some())
    }

    /// A table was dropped or chosen for its rows.
    pub fn use_rows(&mut self, path: &Path) {
        self.data.text = path.display().to_string();
        self.shows_more = true;
    }

    pub fn rows(&self) -> Option<PathBuf> {
        path_of(&self.data)
    }

    pub fn ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let effort = self.effort;
        option_ui(ui, ProfileOption::Batch, ("Batches", "Batch sizes"), effort, &mut self.batch);
        option_ui(ui, ProfileOption::Threads, ("Threads", "Numbers of threads"), effort, &mut self.threads);
        option_ui(ui, ProfileOption::MaxLatency, ("Budget", "Latency budget"), effort, &mut self.max_latency);
        line(ui, "Effort", |ui| {
            for effort in Effort::ALL {
                ui.selectable_value(&mut self.effort, effort, effort.name()).on_hover_text(effort.describe());
            }
            more_button(ui, &mut self.shows_more, "Where the rows come from, devices, another machine, a trace");
        });
        if self.shows_more {
            self.more_ui(ui, cx);
        }
    }

    fn more_ui(&mut self, ui: &mut Ui, cx: &ViewContext<'_>) {
        let effort = self.effort;
        let rows = PathLine {
            name: "Rows from",
            accessible_name: "Table with the rows",
            choose: "Choose the table with the rows",
            purpose: Purpose::ProfileRows,
            hint: ProfileOption::Data.default_meaning(effort),
        };
        path_line(ui, cx.outbox, &rows, &mut self.data, is_table_path);
        line(ui, "Device", |ui| {
            let list = combo("profile devices").selected_text(self.devices.name()).width(200.0);
            let inner = list.show_ui(ui, |ui| {
                for devices in Devices::ALL {
                    ui.selectable_value(&mut self.devices, devices, devices.name());
                }
            });
            inner.response.accessible_name("Devices to measure on").on_hover_text("Where to measure");
        });
        for (option, names, text) in [
            (ProfileOption::Dims, ("Dimensions", "Sizes of dimensions"), &mut self.dims),
            (ProfileOption::Seed, ("Seed", "Seed of what is drawn"), &mut self.seed),
            (ProfileOption::FitMemory, ("Fit: memory", "Memory of the other machine"), &mut self.fit_memory),
            (ProfileOption::FitThreads, ("Fit: threads", "Threads of the other machine"), &mut self.fit_threads),
            (ProfileOption::FitSlowdown, ("Fit: slower", "How much slower the other machine is"), &mut self.fit_slowdown),
        ] {
            option_ui(ui, option, names, effort, text);
        }
        line(ui, "Trace", |ui| {
            let hint = "where to write one run for Perfetto, such as trace.json";
            self.trace.ui(ui, "File of the trace", hint, |path| path.extension().is_some_and(|extension| extension == "json"));
        });
    }
}

fn path_of(field: &PathField) -> Option<PathBuf> {
    (!field.text.trim().is_empty()).then(|| field.path())
}

/// An option that is written, with what holds without it and, below, why it can't stand.
fn option_ui(ui: &mut Ui, option: ProfileOption, (name, accessible_name): (&str, &str), effort: Effort, text: &mut String) {
    let hint = format!("{}; for example {}", option.default_meaning(effort), option.example());
    let problem = option.problem(text);
    text_line(ui, name, accessible_name, text, &hint, problem.as_deref());
}
