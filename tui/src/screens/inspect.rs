//! 2 Inspect: what goes in and out, what is inside, what each part weighs, whether it can run here.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use drydock_core::format;
use drydock_core::inspect::{InspectReport, NodeReport};
use drydock_core::session::{Command, OpenedModel, State};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Context, Screen, View, WIDE};
use crate::action::Action;
use crate::cli::inspect::{describe, shape_text};
use crate::keymap::Place;
use crate::page::Page;
use crate::text::{Align, padded};
use crate::theme::Theme;
use crate::widgets::scroll::Scroll;
use crate::widgets::text_field::TextField;
use crate::widgets::{list, panel};
use drydock_core::session::Task;

#[derive(Default)]
pub struct InspectScreen {
    pane: Pane,
    /// First visible line of the overview.
    scroll: Scroll,
    filter: TextField,
    is_typing: bool,
    /// The filter before it was edited, to put back.
    filter_before: String,
    /// Nodes that pass the filter.
    shown: Vec<usize>,
    selected: usize,
    report: Option<Arc<InspectReport>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pane {
    #[default]
    Overview,
    Nodes,
}

impl InspectScreen {
    fn apply_filter(&mut self) {
        let wanted = self.filter.text().to_lowercase();
        let passes = |node: &NodeReport| node.name.to_lowercase().contains(&wanted) || node.operator.to_lowercase().contains(&wanted);
        let nodes = self.report.iter().flat_map(|report| report.nodes.iter().enumerate());
        self.shown = nodes.filter(|(_, node)| passes(node)).map(|(index, _)| index).collect();
        self.selected = self.selected.min(self.shown.len().saturating_sub(1));
    }

    fn selected_node<'a>(&self, report: &'a InspectReport) -> Option<&'a NodeReport> {
        report.nodes.get(*self.shown.get(self.selected)?)
    }

    fn draw_overview(&self, frame: &mut Frame<'_>, area: Rect, opened: &OpenedModel, theme: Theme, title: &str) {
        let inner = panel::panel(frame, area, title, self.pane == Pane::Overview, theme);
        let mut page = Page::new(usize::from(inner.width));
        describe(opened, &mut page);
        self.scroll.draw_page(frame, inner, &page, theme);
    }

    fn draw_nodes(&self, frame: &mut Frame<'_>, area: Rect, report: &InspectReport, theme: Theme, title: &str) {
        let inner = panel::panel(frame, area, title, self.pane == Pane::Nodes, theme);
        let width = usize::from(inner.width);
        let mut lines = vec![self.filter_line(frame, inner, report, theme)];
        let columns = NodeColumns::for_width(width);
        lines.push(Line::styled(columns.header(), theme.faint()));
        let height = usize::from(inner.height).saturating_sub(lines.len());
        let window = list::window(self.selected, self.shown.len(), height);
        for (row, &index) in self.shown.iter().enumerate().take(window.end).skip(window.start) {
            let Some(node) = report.nodes.get(index) else { continue };
            let style = if row != self.selected {
                if node.placement == "unsupported" { theme.bad() } else { Style::new() }
            } else if self.pane == Pane::Nodes {
                theme.selected()
            } else {
                theme.marked()
            };
            lines.push(Line::styled(columns.row(index, node), style));
        }
        if self.shown.is_empty() {
            lines.push(Line::styled("no node has this text in its name or operator", theme.faint()));
        }
        panel::lines(frame, inner, lines);
    }

    fn filter_line(&self, frame: &mut Frame<'_>, inner: Rect, report: &InspectReport, theme: Theme) -> Line<'static> {
        let count = format!("{} of {}", format::count(self.shown.len() as u64), format::counted(report.nodes.len() as u64, "node"));
        if !self.is_typing && self.filter.text().is_empty() {
            return Line::styled(count, theme.faint());
        }
        let room = usize::from(inner.width).saturating_sub(count.len() + 4);
        let (typed, cursor) = self.filter.visible(room);
        let column = u16::try_from(cursor + 1).unwrap_or(u16::MAX);
        if self.is_typing && column < inner.width && inner.height > 0 {
            frame.set_cursor_position((inner.x + column, inner.y));
        }
        Line::from(vec![
            Span::styled("/", theme.accent()),
            Span::raw(padded(&typed, room, Align::Left)),
            Span::styled(format!("  {count}"), theme.faint()),
        ])
    }

    fn draw_details(&self, frame: &mut Frame<'_>, area: Rect, report: &InspectReport, theme: Theme) {
        let inner = panel::panel(frame, area, "Node", false, theme);
        let Some(node) = self.selected_node(report) else { return };
        let mut page = Page::new(usize::from(inner.width));
        page.fact("name", if node.name.is_empty() { "(none)" } else { &node.name });
        page.fact("operator", &node.operator);
        for output in &node.outputs {
            page.fact("output", &format!("{} {} {}", output.name, output.element_type, shape_text(output)));
        }
        page.fact("weights", &format!("{} ({})", format::counted(node.parameters, "parameter"), format::bytes(node.weight_bytes)));
        page.fact("MACs", &node.macs.map_or_else(|| "unknown".to_owned(), |macs| format::quantity(macs as f64)));
        page.fact("runs on", &node.runs_on());
        panel::page(frame, inner, &page, theme);
    }
}

impl Screen for InspectScreen {
    fn task(&self) -> Task {
        Task::Inspect
    }

    fn place(&self) -> Place {
        if self.is_typing { Place::Typing } else { Place::Inspect }
    }

    fn refresh(&mut self, cx: &mut Context<'_>) {
        let report = cx.session.state().opened.as_ref().map(|opened| Arc::clone(&opened.report));
        let is_same = match (&self.report, &report) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !is_same {
            *self = Self { report, ..Self::default() };
            self.apply_filter();
        }
    }

    fn act(&mut self, action: Action, _cx: &mut Context<'_>) -> bool {
        match (action, self.pane) {
            (Action::NextPane | Action::PreviousPane, Pane::Overview) => self.pane = Pane::Nodes,
            (Action::NextPane | Action::PreviousPane, Pane::Nodes) => self.pane = Pane::Overview,
            (Action::Filter, _) => {
                self.pane = Pane::Nodes;
                self.filter_before = self.filter.text().to_owned();
                self.is_typing = true;
            }
            (Action::Accept, _) => self.is_typing = false,
            (Action::Discard, _) => {
                self.is_typing = false;
                self.filter.set(&std::mem::take(&mut self.filter_before));
                self.apply_filter();
            }
            (Action::Back, Pane::Nodes) if !self.filter.text().is_empty() => {
                self.filter.set("");
                self.apply_filter();
            }
            (action, Pane::Overview) => return self.scroll.act(action),
            (action, Pane::Nodes) => match list::moved(self.selected, self.shown.len(), action) {
                Some(selected) => self.selected = selected,
                None => return false,
            },
        }
        true
    }

    fn type_key(&mut self, key: KeyEvent, _cx: &mut Context<'_>) {
        if self.filter.handle(key) {
            self.apply_filter();
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Context<'_>) {
        if self.is_typing {
            self.filter.insert(text);
            self.apply_filter();
        }
    }

    fn draw(&self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let Some(opened) = &view.state().opened else {
            let inner = panel::panel(frame, area, "Inspect", true, theme);
            let text = "Inspect shows what a model takes and gives, what it is made of, and what each part weighs. Open a model first: press 1.";
            panel::lines(frame, inner, panel::sentence(text, usize::from(inner.width), theme.faint()));
            return;
        };
        let report = &opened.report;
        if area.width >= WIDE {
            let [left, middle, right] = Layout::horizontal([Constraint::Percentage(38), Constraint::Fill(1), Constraint::Percentage(24)]).areas(area);
            self.draw_overview(frame, left, opened, theme, "Overview");
            self.draw_nodes(frame, middle, report, theme, "Nodes");
            self.draw_details(frame, right, report, theme);
            return;
        }
        match self.pane {
            Pane::Overview => self.draw_overview(frame, area, opened, theme, "[Overview] Nodes"),
            Pane::Nodes => {
                let details = if area.height >= 18 { 8 } else { 0 };
                let [nodes, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(details)]).areas(area);
                self.draw_nodes(frame, nodes, report, theme, "Overview [Nodes]");
                if details > 0 {
                    self.draw_details(frame, below, report, theme);
                }
            }
        }
    }

    fn hints(&self, state: &State) -> Vec<Action> {
        if self.is_typing {
            return vec![Action::Accept, Action::Discard];
        }
        if state.opened.is_none() {
            return vec![Action::Go(Task::Models)];
        }
        vec![Action::NextPane, Action::Filter, Action::CopyCommand]
    }

    fn command(&self, state: &State) -> Option<Command> {
        let opened = state.opened.as_ref()?;
        Some(Command::OpenModel { path: opened.model.path.clone(), device: opened.device })
    }
}

/// Widths of the node list. They follow from the room alone, so that nothing jumps while scrolling.
struct NodeColumns {
    name: usize,
    operator: usize,
    shape: usize,
    has_cost: bool,
}

impl NodeColumns {
    fn for_width(width: usize) -> Self {
        let has_cost = width >= 60;
        let rest = width.saturating_sub(if has_cost { 5 + 2 + 18 } else { 5 + 2 });
        let operator = (rest / 3).min(24);
        let shape = (rest / 3).min(20);
        Self { name: rest.saturating_sub(operator + shape + 4), operator, shape, has_cost }
    }

    fn header(&self) -> String {
        self.line("#", "node", "operator", "output", ["weights", "MACs"])
    }

    fn row(&self, index: usize, node: &NodeReport) -> String {
        let shape = node.outputs.first().map(shape_text).unwrap_or_default();
        let macs = node.macs.map_or_else(|| "?".to_owned(), |macs| format::quantity(macs as f64));
        self.line(&(index + 1).to_string(), &node.name, &node.operator, &shape, [&format::bytes(node.weight_bytes), &macs])
    }

    fn line(&self, number: &str, name: &str, operator: &str, shape: &str, cost: [&str; 2]) -> String {
        let left = |text: &str, width: usize| padded(text, width, Align::Left);
        let mut line =
            format!("{}  {}  {}  {}", padded(number, 5, Align::Right), left(name, self.name), left(operator, self.operator), left(shape, self.shape));
        if self.has_cost {
            let [weights, macs] = cost;
            line.push_str(&format!("{}{}", padded(weights, 10, Align::Right), padded(macs, 8, Align::Right)));
        }
        line
    }
}
