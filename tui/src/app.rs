//! The screens as one program: session, screens, what lies over them. Knows no terminal: it takes events and draws frames.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use drydock_core::home::Remembered;
use drydock_core::session::{Command, Event as SessionEvent, JobRecord, JobState, Notice, Session};
use drydock_core::tensor::device::DeviceChoice;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::event::Event;
use crate::keymap::{self, Place};
use crate::screens::compare::CompareScreen;
use crate::screens::inspect::InspectScreen;
use crate::screens::jobs::JobsScreen;
use crate::screens::models::ModelsScreen;
use crate::screens::overlay::{Outcome, Overlay};
use crate::screens::predict::PredictScreen;
use crate::screens::profile::ProfileScreen;
use crate::screens::score::ScoreScreen;
use crate::screens::{Context, Screen, View};
use crate::text::cut;
use crate::theme::{SPINNER, Theme};
use crate::widgets::panel;
use drydock_core::session::Task;

pub struct App {
    session: Session,
    config: AppConfig,
    remembered: Remembered,
    task: Task,
    screens: Screens,
    overlay: Option<Overlay>,
    notice: Option<Notice>,
    /// A text on its way to the clipboard.
    clipboard: Option<String>,
    spinner: usize,
    /// Where the screens were last drawn.
    body: Rect,
    /// Something has changed since the last frame.
    wants_frame: bool,
    /// The user was told that quitting stops a job, and may ask again.
    was_warned: bool,
    has_quit: bool,
}

/// What an app is started with.
#[derive(Debug, Clone)]
pub struct AppConfig {
    pub theme: Theme,
    /// Where models are to run.
    pub device: DeviceChoice,
    /// The data home; without one nothing is remembered.
    pub home: Option<PathBuf>,
}

#[derive(Default)]
struct Screens {
    models: ModelsScreen,
    inspect: InspectScreen,
    predict: PredictScreen,
    score: ScoreScreen,
    profile: ProfileScreen,
    compare: CompareScreen,
    jobs: JobsScreen,
}

impl Screens {
    fn get(&self, task: Task) -> &dyn Screen {
        match task {
            Task::Models => &self.models,
            Task::Inspect => &self.inspect,
            Task::Predict => &self.predict,
            Task::Score => &self.score,
            Task::Profile => &self.profile,
            Task::Compare => &self.compare,
            Task::Jobs => &self.jobs,
        }
    }

    fn get_mut(&mut self, task: Task) -> &mut dyn Screen {
        match task {
            Task::Models => &mut self.models,
            Task::Inspect => &mut self.inspect,
            Task::Predict => &mut self.predict,
            Task::Score => &mut self.score,
            Task::Profile => &mut self.profile,
            Task::Compare => &mut self.compare,
            Task::Jobs => &mut self.jobs,
        }
    }
}

/// The parts of an app that a screen may change.
macro_rules! context {
    ($app:ident) => {
        Context { session: &mut $app.session, device: $app.config.device, notice: &mut $app.notice }
    };
}

impl App {
    pub fn new(mut session: Session, config: AppConfig) -> Self {
        let (remembered, notice) = match config.home.as_deref().map(Remembered::load_from) {
            None => (Remembered::default(), None),
            Some(Ok(remembered)) => (remembered, None),
            Some(Err(error)) => (Remembered::default(), Some(Notice::error(&format!("what was remembered can't be used: {error}")))),
        };
        session = session.with_home(config.home.clone());
        session.watch_registry();
        session.restore_recent_models(remembered.recent_models.clone());
        let mut app = Self {
            session,
            config,
            remembered,
            task: Task::Models,
            screens: Screens::default(),
            overlay: None,
            notice,
            clipboard: None,
            spinner: 0,
            body: Rect::default(),
            wants_frame: true,
            was_warned: false,
            has_quit: false,
        };
        app.go(Task::Models);
        app
    }

    /// Begins to open a model.
    pub fn open_model(&mut self, path: PathBuf) {
        let mut cx = context!(self);
        self.screens.models.open(path, &mut cx);
        self.wants_frame = true;
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    pub fn task(&self) -> Task {
        self.task
    }

    /// Takes in what the session has done since the last time.
    pub fn poll(&mut self) {
        let events = self.session.poll();
        if events.is_empty() {
            return;
        }
        for event in events {
            if let SessionEvent::Notice(notice) = event {
                self.notice = Some(notice);
            }
        }
        for task in Task::ALL {
            let mut cx = context!(self);
            self.screens.get_mut(task).refresh(&mut cx);
        }
        if self.screens.models.take_opened(self.session.state()) {
            self.remember();
            if self.task == Task::Models {
                self.go(Task::Inspect);
            }
        }
        if self.task == Task::Predict {
            let mut cx = context!(self);
            self.screens.predict.enter(&mut cx);
        }
        self.wants_frame = true;
    }

    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Key(key) => {
                self.notice = None;
                if let Some(overlay) = &mut self.overlay {
                    match overlay.key(key, self.body) {
                        Outcome::Stay => {}
                        Outcome::Close => self.overlay = None,
                        Outcome::Do(action) => {
                            self.overlay = None;
                            self.act(action);
                        }
                    }
                } else {
                    let place = self.screens.get(self.task).place();
                    match keymap::action_of(place, key) {
                        Some(action) => self.act(action),
                        None if place == Place::Typing => {
                            let mut cx = context!(self);
                            self.screens.get_mut(self.task).type_key(key, &mut cx);
                        }
                        None => {}
                    }
                }
            }
            Event::Paste(text) => {
                let mut cx = context!(self);
                self.screens.get_mut(self.task).paste(&text, &mut cx);
            }
            Event::Redraw => {}
            // The news is taken in by `poll`, which decides whether there is anything to draw.
            Event::Wake => return,
            Event::Terminate => self.has_quit = true,
        }
        self.wants_frame = true;
    }

    fn act(&mut self, action: Action) {
        if action != Action::Back {
            self.was_warned = false;
        }
        let is_taken = {
            let mut cx = context!(self);
            self.screens.get_mut(self.task).act(action, &mut cx)
        };
        if is_taken {
            return;
        }
        match action {
            Action::Go(task) => self.go(task),
            Action::Help => self.overlay = Some(Overlay::help(self.task.into())),
            Action::Palette => self.overlay = Some(Overlay::palette(self.task.into())),
            Action::CopyCommand => self.copy_command(),
            Action::Back => self.back(),
            Action::Quit => self.has_quit = true,
            Action::CloseModel => self.close_model(),
            Action::Verify => {
                self.go(Task::Jobs);
                let mut cx = context!(self);
                self.screens.jobs.ask_for_test_sets(&mut cx);
            }
            _ => {}
        }
    }

    fn close_model(&mut self) {
        let Some(opened) = &self.session.state().opened else {
            self.notice = Some(Notice { is_error: false, text: "no model is open".to_owned() });
            return;
        };
        self.notice = Some(Notice { is_error: false, text: format!("{} is closed", opened.model.title()) });
        self.session.dispatch(Command::CloseModel);
        // So that no screen shows the form of a model that is gone.
        self.poll();
        self.go(Task::Models);
    }

    fn go(&mut self, task: Task) {
        self.task = task;
        let mut cx = context!(self);
        self.screens.get_mut(task).enter(&mut cx);
    }

    /// Quits, but not over a running job without a word.
    fn back(&mut self) {
        match self.running_job() {
            Some(job) if !self.was_warned => {
                self.notice = Some(Notice { is_error: false, text: format!("{} is not done; q again stops it and quits", job.label) });
                self.was_warned = true;
            }
            _ => self.has_quit = true,
        }
    }

    fn copy_command(&mut self) {
        let line = self.screens.get(self.task).command_line(self.session.state());
        self.notice = Some(match &line {
            Some(line) => Notice { is_error: false, text: format!("copied: {line}") },
            None => Notice { is_error: false, text: "there is nothing to copy as a command here yet".to_owned() },
        });
        self.clipboard = line;
    }

    /// Writes down the recent models for the next time.
    fn remember(&mut self) {
        let Some(home) = &self.config.home else { return };
        let recent = &self.session.state().recent_models;
        // Absolute, so that they are found from any folder.
        self.remembered.recent_models = recent.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())).collect();
        if let Err(error) = self.remembered.save_to(home) {
            self.notice = Some(Notice::error(&format!("the recent models can't be remembered: {error}")));
        }
    }

    fn running_job(&self) -> Option<&JobRecord> {
        self.session.state().jobs.iter().find(|record| record.state == JobState::Running)
    }

    /// Whether progress may move by itself.
    pub fn is_busy(&self) -> bool {
        self.running_job().is_some()
    }

    /// A moment has passed while something runs.
    pub fn tick(&mut self) {
        if self.is_busy() {
            self.spinner = (self.spinner + 1) % SPINNER.len();
            self.wants_frame = true;
        }
    }

    /// Whether anything has changed since the last frame.
    pub fn wants_frame(&self) -> bool {
        self.wants_frame
    }

    pub fn has_quit(&self) -> bool {
        self.has_quit
    }

    pub fn take_clipboard(&mut self) -> Option<String> {
        self.clipboard.take()
    }

    /// Cancels what runs and waits, not for ever, until it has cleaned up.
    pub fn say_farewell(&mut self, patience: Duration) {
        self.session.cancel_all();
        let deadline = Instant::now() + patience;
        while !self.session.running().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
            self.session.poll();
        }
    }

    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        self.wants_frame = false;
        let area = frame.area();
        // What there is no room for is left out, from the outside to the inside.
        let (header, tabs, footer) = match area.height {
            0..4 => (0, 0, 0),
            4..8 => (0, 0, 1),
            8..12 => (1, 0, 1),
            _ => (1, 1, 1),
        };
        let rows = Layout::vertical([Constraint::Length(header), Constraint::Length(tabs), Constraint::Fill(1), Constraint::Length(footer)]);
        let [header, tabs, body, footer] = rows.areas(area);
        self.body = body;
        self.draw_header(frame, header);
        self.draw_tabs(frame, tabs);
        let view = View { session: &self.session, theme: self.config.theme, spinner: self.spinner };
        self.screens.get(self.task).draw(frame, body, view);
        if let Some(overlay) = &self.overlay {
            overlay.draw(frame, body, self.config.theme);
        }
        self.draw_footer(frame, footer);
        self.config.theme.finish(frame.buffer_mut());
    }

    /// ` drydock  payment-fraud v3 · CPU · AVX-512                ⠙ 71 % scoring march.csv`.
    fn draw_header(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = usize::from(area.width);
        let job = self.running_job().map(|job| {
            let spinner = SPINNER.get(self.spinner).copied().unwrap_or_default();
            let share = self.session.progress(job.id).and_then(|progress| progress.latest().fraction());
            let share = share.map_or_else(String::new, |share| format!(" {:.0} %", share * 100.0));
            cut(&format!("{spinner}{share} {} ", job.label), width / 2)
        });
        let job = job.unwrap_or_default();
        let model = match &self.session.state().opened {
            Some(opened) => format!("{} · {}", opened.model.title(), opened.model.device.label()),
            None => "no model open".to_owned(),
        };
        let used = " drydock  ".len();
        let room = width.saturating_sub(used + job.chars().count());
        let model = crate::text::padded(&model, room, crate::text::Align::Left);
        let line = Line::from(vec![
            Span::styled(" drydock  ", self.config.theme.accent().patch(self.config.theme.heading())),
            Span::raw(model),
            Span::styled(job, self.config.theme.accent()),
        ]);
        panel::lines(frame, area, vec![line]);
    }

    /// ` 1 Models 2 Inspect [3 Predict] 4 Score 9 Jobs`: the digit alone where there is no room.
    fn draw_tabs(&self, frame: &mut Frame<'_>, area: Rect) {
        let is_short = area.width < 48;
        let mut spans = Vec::new();
        for task in Task::ALL {
            let is_current = task == self.task;
            let name = if is_short && !is_current { task.digit().to_string() } else { format!("{} {}", task.digit(), task.name()) };
            spans.push(if is_current {
                Span::styled(format!("[{name}]"), self.config.theme.accent().patch(self.config.theme.heading()))
            } else {
                Span::styled(format!(" {name} "), self.config.theme.faint())
            });
        }
        panel::lines(frame, area, vec![Line::from(spans)]);
    }

    fn draw_footer(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = usize::from(area.width);
        if let Some(notice) = &self.notice {
            let style = if notice.is_error { self.config.theme.bad() } else { self.config.theme.warning() };
            panel::lines(frame, area, vec![Line::styled(cut(&format!(" {}", notice.text), width), style)]);
            return;
        }
        panel::lines(frame, area, vec![Line::styled(self.hint_line(width), self.config.theme.faint())]);
    }

    /// As many hints as fit, most important first; help is always among them.
    fn hint_line(&self, width: usize) -> String {
        if let Some(overlay) = &self.overlay {
            return match overlay {
                Overlay::Help { .. } => " ↑↓ scroll · esc close".to_owned(),
                Overlay::Palette { .. } => " type to narrow down · ↑↓ select · enter do it · esc close".to_owned(),
            };
        }
        let screen = self.screens.get(self.task);
        let place = screen.place();
        let mut hints: Vec<String> = screen.hints(self.session.state()).into_iter().filter_map(|action| keymap::hint(place, action)).collect();
        let always: Vec<String> = [Action::Palette, Action::Help].into_iter().filter_map(|action| keymap::hint(place, action)).collect();
        let length = |hints: &[String]| hints.iter().map(|hint| hint.chars().count() + 3).sum::<usize>();
        while !hints.is_empty() && length(&hints) + length(&always) > width + 2 {
            hints.pop();
        }
        hints.extend(always);
        format!(" {}", hints.join(" · "))
    }
}
