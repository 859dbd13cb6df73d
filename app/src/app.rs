//! The program: one session, the pages, and what connects them. Views send actions; this is where they are carried out, one short method each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use drydock_core::home::Remembered;
use drydock_core::model::{OpenModel, Origin};
use drydock_core::session::{Command, RegistryCommand, Session, Task};
use drydock_core::tensor::device::DeviceChoice;
use drydock_core::verify::VerifyRequest;
use eframe::egui::{CentralPanel, Context, Frame, Margin, Panel, Ui, ViewportCommand};

use crate::action::{Action, Outbox};
use crate::background::Latest;
use crate::files::{FileDialogs, Purpose};
use crate::panels::context_bar::ContextBar;
use crate::panels::drop_overlay::{self, Intent};
use crate::panels::palette::Palette;
use crate::panels::{help, job_tray, navigation, toasts};
use crate::samples::{self, Sample};
use crate::saving::Saver;
use crate::settings::Settings;
use crate::theme;
use crate::ui_command::UiCommand;
use crate::ui_state::{Overlay, ThemeChoice, Toast, UiState};
use crate::view_context::{RunningJob, ViewContext, running_jobs};
use crate::views::Views;

mod incoming;
mod running;

/// At most this often is the window redrawn while a job runs.
const FRAME_WHILE_RUNNING: Duration = Duration::from_millis(33);

pub struct DrydockApp {
    session: Session,
    ui_state: UiState,
    views: Views,
    context_bar: ContextBar,
    outbox: Outbox,
    dialogs: FileDialogs,
    saver: Saver,
    samples: Latest<Option<PathBuf>, Arc<[Sample]>>,
    options: Options,
    /// What was last written to the data home.
    saved: Settings,
}

/// What the program is started with.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub model: Option<PathBuf>,
    pub table: Option<PathBuf>,
    /// The folder of sample models; `None` looks for it.
    pub samples: Option<PathBuf>,
    /// Where settings are kept; `None` keeps none.
    pub home: Option<PathBuf>,
}

impl DrydockApp {
    pub fn new(ctx: &Context, options: Options) -> Self {
        theme::install(ctx);
        let waker = ctx.clone();
        let mut session = Session::new(move || waker.request_repaint()).with_home(options.home.clone());
        session.watch_registry();
        let saved = options.home.as_deref().map(Settings::load).unwrap_or_default();
        session.restore_recent_models(saved.remembered.recent_models.clone());
        ctx.set_theme(eframe::egui::ThemePreference::from(saved.preferences.theme));
        let ui_state = UiState { preferences: saved.preferences, ..UiState::default() };
        let app = Self {
            session,
            ui_state,
            views: Views::default(),
            context_bar: ContextBar::default(),
            outbox: Outbox::default(),
            dialogs: FileDialogs::default(),
            saver: Saver::default(),
            samples: Latest::default(),
            options,
            saved,
        };
        if let Some(model) = &app.options.model {
            app.outbox.send(Action::OpenModel(model.clone()));
        }
        if let Some(table) = &app.options.table {
            app.outbox.core(Command::DescribeTable(table.clone()));
        }
        app
    }

    /// The session, for tests.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What the window remembers, for tests.
    pub fn ui_state(&self) -> &UiState {
        &self.ui_state
    }

    fn samples(&mut self, ctx: &Context) -> Arc<[Sample]> {
        let found = self.samples.get(ctx, &self.options.samples, |folder| folder.as_deref().map_or_else(samples::find, samples::below).into());
        found.cloned().unwrap_or_default()
    }
}

impl eframe::App for DrydockApp {
    fn logic(&mut self, ctx: &Context, frame: &mut eframe::Frame) {
        for event in self.session.poll() {
            self.on_event(ctx, &event);
        }
        if let Some((purpose, answer)) = self.dialogs.poll() {
            self.on_file_answer(ctx, purpose, answer);
        }
        if let Some(saved) = self.saver.poll() {
            match saved {
                Ok(path) => self.toast(ctx, &format!("Saved {}.", path.display()), None),
                Err(why) => self.ui_state.toasts.push(Toast { is_error: true, text: why, page: Some(self.saver.page()), ends_at: None }),
            }
        }
        self.take_drops(ctx);
        self.take_shortcuts(ctx);
        self.carry_out(ctx, frame);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let running = running_jobs(&self.session);
        let samples = self.samples(ui.ctx());
        self.window(ui, &running, &samples);
        if !running.is_empty() {
            ui.ctx().request_repaint_after(FRAME_WHILE_RUNNING);
        }
        let ctx = ui.ctx().clone();
        self.carry_out(&ctx, frame);
    }

    fn save(&mut self, _storage: &mut dyn eframe::Storage) {
        self.save_settings();
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.save_settings();
        self.session.cancel_all();
    }
}

/// Drawing.
impl DrydockApp {
    fn window(&mut self, ui: &mut Ui, running: &[RunningJob], samples: &[Sample]) {
        let page = self.ui_state.page;
        let cx = ViewContext { state: self.session.state(), running, samples, outbox: &self.outbox };
        let bar = theme::side_frame(ui, 8).inner_margin(Margin::symmetric(16, 8));
        Panel::top("context bar").exact_size(theme::CONTEXT_BAR_HEIGHT).resizable(false).frame(bar).show(ui, |ui| {
            self.context_bar.ui(ui, &cx, self.ui_state.device);
        });
        if running.iter().any(job_tray::shows) {
            let frame = theme::side_frame(ui, 8).inner_margin(Margin::symmetric(16, 8));
            Panel::bottom("job tray").resizable(false).frame(frame).show(ui, |ui| job_tray::ui(ui, &cx));
        }
        let frame = theme::side_frame(ui, 8);
        Panel::left("navigation").exact_size(theme::NAVIGATION_WIDTH).resizable(false).frame(frame).show(ui, |ui| {
            navigation::ui(ui, &cx, page);
        });
        if self.views.has_result(&cx, page) {
            let frame = theme::side_frame(ui, 16);
            // Never more than its part of a narrow window, which has to hold the page as well.
            let most = (ui.available_width() * 0.36).clamp(200.0, 480.0);
            let panel = Panel::right("result").default_size(theme::RESULT_WIDTH).size_range(200.0..=most).resizable(true).frame(frame);
            panel.show(ui, |ui| {
                // As wide as it was left, whatever is in it.
                ui.take_available_width();
                self.views.result_ui(ui, &cx, page);
            });
        }
        let centre = Frame::new().fill(theme::palette(ui).ground).inner_margin(Margin::symmetric(24, 16));
        CentralPanel::default().frame(centre).show(ui, |ui| self.views.ui(ui, &cx, page));
        match &mut self.ui_state.overlay {
            Overlay::None => {}
            Overlay::Palette(palette) => palette.ui(ui, &cx),
            Overlay::Help => help::ui(ui, &self.outbox),
        }
        toasts::ui(ui.ctx(), &self.outbox, &mut self.ui_state.toasts);
        drop_overlay::ui(ui, self.session.state(), page);
    }
}

/// Carrying out actions.
impl DrydockApp {
    fn carry_out(&mut self, ctx: &Context, frame: &eframe::Frame) {
        for action in self.outbox.take() {
            match action {
                Action::Core(command) => {
                    self.session.dispatch(*command);
                }
                Action::Ui(command) => self.on_ui_command(ctx, command),
                Action::OpenModel(path) => {
                    self.session.dispatch(Command::OpenModel { path, device: self.ui_state.device });
                }
                Action::Take(path) => self.take(ctx, &path),
                Action::Verify(folder) => self.verify(folder),
                Action::CheckPackage(path) => self.check_package(path),
                Action::Choose(purpose) => self.choose(ctx, frame, purpose),
                Action::UseDevice(device) => self.use_device(device),
                Action::Save(savable) => {
                    let purpose = savable.purpose();
                    self.saver.want(*savable, self.ui_state.page);
                    self.choose(ctx, frame, purpose);
                }
                Action::Copy { text, what } => {
                    ctx.copy_text(text);
                    self.toast(ctx, &format!("Copied {what}."), None);
                }
            }
            ctx.request_repaint();
        }
    }

    fn on_ui_command(&mut self, ctx: &Context, command: UiCommand) {
        match command {
            UiCommand::OpenModel => self.outbox.send(Action::Choose(Purpose::Model)),
            UiCommand::OpenTable => self.outbox.send(Action::Choose(Purpose::Table)),
            UiCommand::OpenPicture => self.outbox.send(Action::Choose(Purpose::Picture)),
            UiCommand::OpenSample => self.open_sample(ctx),
            UiCommand::CloseModel => {
                self.session.dispatch(Command::CloseModel);
                self.ui_state.page = Task::Models;
                ctx.send_viewport_cmd(ViewportCommand::Title("Drydock".to_owned()));
            }
            UiCommand::VerifyRegistry => {
                self.ui_state.page = Task::Models;
                self.session.dispatch(Command::Models(RegistryCommand::SelfCheck));
            }
            UiCommand::Package => self.package(ctx),
            UiCommand::CheckPackage => self.outbox.send(Action::Choose(Purpose::Package)),
            UiCommand::Verify => {
                self.ui_state.page = Task::Jobs;
                self.views.jobs.wants_folder(self.session.state());
            }
            UiCommand::Show(page) => self.ui_state.page = page,
            UiCommand::Run => self.run_page(),
            UiCommand::RunScore => self.run_score(),
            UiCommand::RunProfile => self.run_profile(),
            UiCommand::RunCompare => self.run_compare(),
            UiCommand::CancelJobs => self.session.cancel_all(),
            UiCommand::CopyAsCommand => self.copy_as_command(ctx),
            UiCommand::CommandPalette => self.ui_state.overlay = Overlay::Palette(Palette::default()),
            UiCommand::Search => self.search(),
            UiCommand::ToggleTheme => {
                let is_dark = ctx.theme() == eframe::egui::Theme::Dark;
                self.set_theme(ctx, if is_dark { ThemeChoice::Light } else { ThemeChoice::Dark });
            }
            UiCommand::FollowSystemTheme => self.set_theme(ctx, ThemeChoice::System),
            UiCommand::Help => self.ui_state.overlay = Overlay::Help,
            UiCommand::Dismiss => self.dismiss(),
            UiCommand::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }

    /// Does with a file what it is for.
    fn take(&mut self, ctx: &Context, path: &Path) {
        let intent = Intent::of(path, self.ui_state.page);
        match &intent {
            Intent::OpenModel(path) => self.outbox.send(Action::OpenModel(path.clone())),
            Intent::Score(path) => {
                self.ui_state.page = Task::Score;
                self.views.score.score_when_ready();
                self.session.dispatch(Command::DescribeTable(path.clone()));
            }
            Intent::Profile(path) => self.views.profile.use_rows(path),
            Intent::CompareWith(path) => self.views.compare.use_b(path),
            Intent::CompareOn(path) => self.views.compare.use_data(path),
            Intent::Verify(path) => self.verify(path.clone()),
            Intent::CheckPackage(path) => self.check_package(path.clone()),
            Intent::Predict(path) if self.takes_pictures() => self.show_picture(path.clone()),
            Intent::Predict(_) | Intent::Refuse(_) => {
                let text = intent.sentence(self.session.state());
                self.toast(ctx, &text, None);
            }
        }
    }

    fn takes_pictures(&self) -> bool {
        self.session.state().opened.as_ref().is_some_and(|opened| opened.model.contract.image.is_some())
    }

    fn show_picture(&mut self, path: PathBuf) {
        self.ui_state.page = Task::Predict;
        self.views.predict.show_picture(path);
    }

    fn choose(&mut self, ctx: &Context, frame: &eframe::Frame, purpose: Purpose) {
        let state = self.session.state();
        let near = match purpose {
            Purpose::Model => state.recent_models.first().cloned(),
            Purpose::Output => Some(self.views.score.output()),
            Purpose::FigureFile | Purpose::TableFile | Purpose::ReportFile => Some(self.saving_path()),
            Purpose::Table | Purpose::Rows => state.table.as_ref().map(|table| table.path.clone()),
            Purpose::ProfileRows => self.views.profile.rows(),
            Purpose::CompareData => self.views.compare.data(),
            Purpose::PackageFile => self.views.models.packages.output(),
            Purpose::PackageRows => self.views.models.packages.rows(),
            Purpose::CompareA | Purpose::CompareB | Purpose::Picture | Purpose::TestSets | Purpose::Package => None,
        };
        let near = near.or_else(|| state.opened.as_ref().map(|opened| place_of(&opened.model)));
        self.dialogs.open(ctx, frame, purpose, near.as_deref());
    }

    /// Where a figure or a table is saved unless the user says otherwise.
    fn saving_path(&self) -> PathBuf {
        let model = self.session.state().opened.as_ref().map(|opened| &opened.model);
        let title = model.map(|model| model.title()).unwrap_or_default();
        let place = model.map(|model| place_of(model));
        self.saver.path(place.as_deref().map(|place| (place, title.as_str())))
    }

    fn use_device(&mut self, device: DeviceChoice) {
        self.ui_state.device = device;
        if let Some(opened) = &self.session.state().opened {
            let path = opened.model.argument();
            self.session.dispatch(Command::OpenModel { path, device });
        }
    }

    fn open_sample(&mut self, ctx: &Context) {
        let found = self.samples(ctx);
        match found.iter().find(|sample| sample.name.contains("payment")).or_else(|| found.first()) {
            Some(sample) => self.outbox.send(Action::OpenModel(sample.path.clone())),
            None => self.toast(ctx, "No sample models were found beside the program or in the working folder.", None),
        }
    }

    fn verify(&mut self, folder: PathBuf) {
        self.ui_state.page = Task::Jobs;
        let request = VerifyRequest { folders: vec![folder], device: self.ui_state.device, ..VerifyRequest::default() };
        self.session.dispatch(Command::Verify(request));
    }

    fn check_package(&mut self, path: PathBuf) {
        self.ui_state.page = Task::Models;
        self.views.models.packages.checks(&path);
        self.session.dispatch(Command::CheckPackage { path, device: self.ui_state.device });
    }

    /// Asks how to pack the open model.
    fn package(&mut self, ctx: &Context) {
        match &self.session.state().opened {
            Some(opened) => {
                self.ui_state.page = Task::Models;
                self.views.models.packages.pack_opened(opened);
            }
            None => self.toast(ctx, "Open a model first: a package is made of the open one.", Some(Task::Models)),
        }
    }

    fn search(&mut self) {
        match self.ui_state.page {
            Task::Score => self.views.score.wants_search = true,
            _ => {
                self.ui_state.page = Task::Inspect;
                self.views.inspect.wants_search = true;
            }
        }
    }

    fn dismiss(&mut self) {
        if matches!(self.ui_state.overlay, Overlay::None) {
            self.ui_state.toasts.pop();
        }
        self.ui_state.overlay = Overlay::None;
    }

    fn set_theme(&mut self, ctx: &Context, theme: ThemeChoice) {
        self.ui_state.preferences.theme = theme;
        ctx.set_theme(eframe::egui::ThemePreference::from(theme));
        self.save_settings();
    }

    fn toast(&mut self, ctx: &Context, text: &str, page: Option<Task>) {
        let ends_at = Some(ctx.input(|input| input.time) + toasts::SECONDS);
        self.ui_state.toasts.push(Toast { is_error: false, text: text.to_owned(), page, ends_at });
    }

    /// Writes what changed to the data home. A home that can't be written costs the memory, not the work.
    fn save_settings(&mut self) {
        let Some(home) = &self.options.home else { return };
        let remembered = Remembered { recent_models: self.session.state().recent_models.clone(), ..self.saved.remembered.clone() };
        let settings = Settings { remembered, preferences: self.ui_state.preferences };
        if settings != self.saved {
            settings.save(home);
            self.saved = settings;
        }
    }
}

/// The file beside which something of a model is saved. A version's own file lies in the registry, where nothing else belongs.
fn place_of(model: &OpenModel) -> PathBuf {
    let path = model.argument();
    match &model.origin {
        Origin::Registered { .. } => directories::UserDirs::new().map_or(path, |dirs| dirs.home_dir().join(model.title())),
        Origin::File | Origin::Package { .. } => path,
    }
}
