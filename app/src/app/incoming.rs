//! What comes from outside: ended jobs, answers of file dialogs, dropped files, keys.

use std::path::PathBuf;

use drydock_core::session::{Command, Event, JobKind, JobState, Task};
use eframe::egui::{Context, ViewportCommand};

use super::DrydockApp;
use crate::action::Action;
use crate::files::{Answer, Purpose};
use crate::saving;
use crate::ui_command::UiCommand;
use crate::ui_state::{Overlay, Toast};
use crate::views::models::packages;
use crate::widgets::plot;

impl DrydockApp {
    pub(super) fn on_event(&mut self, ctx: &Context, event: &Event) {
        match event {
            Event::JobStarted(_) | Event::StateChanged => {}
            Event::Notice(notice) => self.on_notice(&notice.text, notice.is_error),
            Event::JobFinished(id) => {
                let Some(record) = self.session.state().job(*id) else { return };
                let is_done = record.state == JobState::Done;
                match record.kind {
                    JobKind::Open => self.on_open_ended(ctx, is_done),
                    JobKind::Package => self.on_package(ctx, is_done),
                    JobKind::Score if is_done => self.on_scored(ctx),
                    JobKind::Profile if is_done && self.ui_state.page != Task::Profile => {
                        self.toast(ctx, "The model is profiled.", Some(Task::Profile));
                    }
                    JobKind::Compare if is_done && self.ui_state.page != Task::Compare => {
                        self.toast(ctx, "The versions are compared.", Some(Task::Compare));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Errors stand on the page where their cause is; who looks at another page is told in a toast.
    fn on_notice(&mut self, text: &str, is_error: bool) {
        let state = self.session.state();
        let cause = state.jobs.iter().rev().find(|job| matches!(&job.state, JobState::Failed(message) if message == text)).map(|job| job.kind.task());
        if cause != Some(self.ui_state.page) {
            self.ui_state.toasts.push(Toast { is_error, text: text.to_owned(), page: cause, ends_at: None });
        }
    }

    /// A model opened from its list is wanted for something: to be packed, if that was asked for; else predictions, if it can make any.
    fn on_open_ended(&mut self, ctx: &Context, is_done: bool) {
        let to_pack = self.views.models.packages.take_waiting(self.session.state());
        let Some(opened) = self.session.state().opened.as_ref().filter(|_| is_done) else { return };
        let title = format!("{} · Drydock", opened.model.title());
        ctx.send_viewport_cmd(ViewportCommand::Title(title));
        if let Some(request) = to_pack {
            self.session.dispatch(Command::Package(request));
        } else if self.ui_state.page == Task::Models {
            let contract = &opened.model.contract;
            let can_predict = opened.model.plan_error().is_none() && (contract.image.is_some() || !contract.columns.is_empty());
            self.ui_state.page = if can_predict { Task::Predict } else { Task::Inspect };
        }
        self.save_settings();
    }

    /// A package was made or checked.
    fn on_package(&mut self, ctx: &Context, is_done: bool) {
        self.views.models.packages.show_result();
        if is_done && self.ui_state.page != Task::Models {
            let text = packages::latest_sentence(self.session.state());
            self.toast(ctx, &text, Some(Task::Models));
        }
    }

    fn on_scored(&mut self, ctx: &Context) {
        self.views.score.show_scored();
        if self.ui_state.page != Task::Score {
            self.toast(ctx, "The table is scored.", Some(Task::Score));
        }
    }

    pub(super) fn on_file_answer(&mut self, ctx: &Context, purpose: Purpose, answer: Answer) {
        match answer {
            Answer::Dismissed => {}
            Answer::Chosen(path) => self.on_chosen(ctx, purpose, path),
            // What is to be saved is saved, where there is nobody to ask for a name.
            Answer::Unavailable if purpose.is_keeping() => {
                let path = saving::free_name(&self.saving_path());
                self.on_chosen(ctx, purpose, path);
            }
            Answer::Unavailable => {
                let hint = "This desktop offers no file dialog: drop the file on the window, or type its path.";
                match purpose {
                    Purpose::Model => {
                        self.ui_state.page = Task::Models;
                        self.views.models.hint = Some(hint.to_owned());
                        self.views.models.path.wants_focus = true;
                    }
                    Purpose::Package => {
                        self.ui_state.page = Task::Models;
                        self.views.models.packages.wants_path(hint);
                    }
                    Purpose::Table | Purpose::Rows => self.views.score.hint = Some(hint.to_owned()),
                    _ => {}
                }
                if !matches!(purpose, Purpose::Model | Purpose::Package) {
                    self.ui_state.toasts.push(Toast { is_error: false, text: hint.to_owned(), page: None, ends_at: None });
                }
            }
        }
    }

    fn on_chosen(&mut self, ctx: &Context, purpose: Purpose, path: PathBuf) {
        match purpose {
            Purpose::Model => self.outbox.send(Action::OpenModel(path)),
            Purpose::Table => {
                self.ui_state.page = Task::Score;
                self.outbox.core(Command::DescribeTable(path));
            }
            Purpose::Rows => self.outbox.core(Command::DescribeTable(path)),
            Purpose::ProfileRows => self.views.profile.use_rows(&path),
            Purpose::CompareA => self.views.compare.use_a(&path),
            Purpose::CompareB => self.views.compare.use_b(&path),
            Purpose::CompareData => self.views.compare.use_data(&path),
            Purpose::Picture => self.show_picture(path),
            Purpose::Output => self.views.score.write_to(&path),
            Purpose::TestSets => self.verify(path),
            Purpose::Package => self.check_package(path),
            Purpose::PackageRows => self.views.models.packages.use_rows(&path),
            Purpose::PackageFile => self.views.models.packages.write_to(&path),
            Purpose::FigureFile | Purpose::TableFile | Purpose::ReportFile => {
                // A picture is taken of the window, so the window shows what is wanted.
                self.ui_state.page = self.saver.page();
                let drawn = self.saver.figure_name().and_then(|name| plot::drawn(ctx, name));
                self.saver.save_to(ctx, path, drawn);
            }
        }
    }

    pub(super) fn take_drops(&mut self, ctx: &Context) {
        let dropped = ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect::<Vec<_>>());
        for path in dropped {
            self.outbox.send(Action::Take(path));
        }
    }

    pub(super) fn take_shortcuts(&mut self, ctx: &Context) {
        let is_typing = ctx.egui_wants_keyboard_input();
        let has_overlay = !matches!(self.ui_state.overlay, Overlay::None);
        for command in UiCommand::ALL {
            for shortcut in command.shortcuts() {
                // A key that may mean text means text while some is being typed.
                let is_free = !shortcut.conflicts_with_text_editing() || (!is_typing && !has_overlay);
                if is_free && ctx.input_mut(|input| input.consume_shortcut(shortcut)) {
                    self.outbox.ui(command);
                }
            }
        }
    }
}
