//! A figure on the screen: any series that a report has, over axes with units, with a legend of shapes, and a read-out under the pointer.

use std::sync::Arc;

use drydock_core::format;
use drydock_core::report::{Axis, Figure, Level};
use eframe::egui::{
    Align, Color32, Context, FontId, Galley, Id, Label, Layout, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, accesskit::Role, pos2,
    vec2,
};

use crate::action::{Action, Outbox};
use crate::saving::{Savable, ShownFigure};
use crate::theme::{self, Palette};
use crate::widgets::icon::{self, Icon};
use crate::widgets::sections::capital;

mod legend;
mod marks;
mod read_out;

/// Height of a line of small text: names of axes, the legend.
const LINE: f32 = 18.0;

/// A figure under its title, with buttons that save and copy it. `name` tells it from others of the program, and names the file it is saved to.
pub fn titled(ui: &mut Ui, outbox: &Outbox, name: &str, figure: &Figure, height: f32) {
    let title = ui.horizontal_top(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            buttons(ui, outbox, name, figure);
            ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
                ui.set_min_height(theme::CONTROL_HEIGHT);
                ui.add(Label::new(theme::section_title(capital(&figure.title))).wrap());
            });
        });
    });
    let plot = self::ui(ui, figure, height);
    remember(ui, name, title.response.rect.union(plot));
}

/// What can be done with a figure, from the right.
pub fn buttons(ui: &mut Ui, outbox: &Outbox, name: &str, figure: &Figure) {
    if icon::icon_button(ui, Icon::Copy, "Copy the figure as CSV").clicked() {
        outbox.copy(figure.to_csv(), "the figure as CSV");
    }
    if icon::icon_button(ui, Icon::Save, "Save the figure…").clicked() {
        let shown = ShownFigure { figure: figure.clone(), name: name.to_owned() };
        outbox.send(Action::Save(Box::new(Savable::Figure(shown))));
    }
}

/// Notes where a figure with its title stands, for a picture of it.
pub fn remember(ui: &Ui, name: &str, drawn: Rect) {
    ui.data_mut(|data| data.insert_temp(place_id(name), drawn.expand(theme::SMALL_GAP)));
}

/// Where a figure was drawn last, in points.
pub fn drawn(ctx: &Context, name: &str) -> Option<Rect> {
    ctx.data(|data| data.get_temp(place_id(name)))
}

fn place_id(name: &str) -> Id {
    Id::unique(("figure", name))
}

/// Draws a figure over the width that there is; returns where. Its title, which stands elsewhere, is its accessible name.
pub fn ui(ui: &mut Ui, figure: &Figure, height: f32) -> Rect {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, &figure.title));
    if !ui.is_rect_visible(rect) {
        return rect;
    }
    let frame = Frame::new(ui, figure, rect);
    let colours = (0..figure.series.len()).map(|index| theme::category(ui, index)).collect();
    let canvas = Canvas { figure, plot: frame.plot, palette: theme::palette(ui), colours, painter: ui.painter().clone() };
    frame.paint(&canvas);
    for (index, series) in figure.series.iter().enumerate() {
        marks::series(&canvas, index, series);
    }
    for level in &figure.levels {
        canvas.level(level);
    }
    if let Some(now) = figure.now() {
        let at = canvas.place(now);
        canvas.painter.vline(at.x, canvas.plot.y_range(), Stroke::new(1.0, canvas.palette.weak_text));
        canvas.painter.circle(at, 4.0, canvas.colour(0), Stroke::new(2.0, canvas.palette.ground));
    }
    read_out::ui(&canvas, response);
    rect
}

fn small() -> FontId {
    FontId::proportional(11.0)
}

/// Where the series are drawn, and in what.
struct Canvas<'a> {
    figure: &'a Figure,
    plot: Rect,
    palette: &'static Palette,
    /// One for each series.
    colours: Vec<Color32>,
    painter: Painter,
}

impl Canvas<'_> {
    fn place(&self, (x, y): (f64, f64)) -> Pos2 {
        pos2(self.x(x), self.y(y))
    }

    fn x(&self, x: f64) -> f32 {
        self.plot.left() + self.plot.width() * self.figure.x.share(x) as f32
    }

    fn y(&self, y: f64) -> f32 {
        self.plot.bottom() - self.plot.height() * self.figure.y.share(y) as f32
    }

    /// The number on x below a place on the screen.
    fn x_at(&self, x: f32) -> f64 {
        self.figure.x.at(f64::from((x - self.plot.left()) / self.plot.width().max(1.0)))
    }

    /// A series' colour: the accent's where there is one only.
    fn colour(&self, index: usize) -> Color32 {
        if self.figure.has_legend() { self.colours.get(index).copied().unwrap_or(self.palette.accent) } else { self.palette.accent }
    }

    /// A dashed line with its name at the end, on the side where there is room for it.
    fn level(&self, level: &Level) {
        let stroke = Stroke::new(1.0, self.palette.text);
        let name = self.painter.layout_no_wrap(level.name.clone(), small(), self.palette.text);
        let (ends, at) = if level.is_on_x {
            let x = self.x(level.at);
            let fits = x + theme::STEP + name.size().x <= self.plot.right();
            let left = if fits { x + theme::STEP } else { x - theme::STEP - name.size().x };
            ([pos2(x, self.plot.top()), pos2(x, self.plot.bottom())], pos2(left, self.plot.top()))
        } else {
            let y = self.y(level.at);
            let fits = y - name.size().y - 2.0 >= self.plot.top();
            let top = if fits { y - name.size().y - 2.0 } else { y + 2.0 };
            ([pos2(self.plot.left(), y), pos2(self.plot.right(), y)], pos2(self.plot.right() - name.size().x, top))
        };
        self.painter.extend(Shape::dashed_line(&ends, stroke, 6.0, 4.0));
        // Words over lines are hard to read.
        self.painter.rect_filled(Rect::from_min_size(at, name.size()).expand(1.0), 2.0, self.palette.ground.gamma_multiply(0.8));
        self.painter.galley(at, name, self.palette.text);
    }
}

/// Whether x counts something, so that nothing stands between two whole numbers.
fn counts_on_x(figure: &Figure) -> bool {
    let mut places = figure.series.iter().flat_map(|series| &series.points).map(|(x, _)| *x).peekable();
    figure.x.unit.is_none() && places.peek().is_some() && places.all(|x| x.fract() == 0.0)
}

/// What stands around the series: the legend, the names of the axes, and their numbers.
struct Frame {
    plot: Rect,
    legend: legend::Legend,
    y_name: Arc<Galley>,
    x_name: Arc<Galley>,
    y_ticks: Vec<(f64, Arc<Galley>)>,
    x_ticks: Vec<(f64, Arc<Galley>)>,
}

impl Frame {
    fn new(ui: &Ui, figure: &Figure, rect: Rect) -> Self {
        let weak = theme::palette(ui).weak_text;
        let lay_out = |text: String| ui.painter().layout_no_wrap(text, small(), weak);
        let ticks = |axis: &Axis, n: f32| -> Vec<_> {
            let n = n.clamp(2.0, 8.0) as u16;
            axis.ticks(n).into_iter().map(|tick| (tick, lay_out(format::number(tick)))).collect()
        };
        let y_name = lay_out(figure.y.label());
        let legend = legend::Legend::new(ui, figure, rect.left_top(), rect.width(), y_name.size().x + theme::GAP);
        let top = rect.top() + legend.height() + theme::SMALL_GAP;
        let bottom = (rect.bottom() - 2.0 * LINE).max(top + 1.0);
        let y_ticks = ticks(&figure.y, (bottom - top) / 28.0);
        let gutter = y_ticks.iter().map(|(_, text)| text.size().x).fold(0.0, f32::max) + theme::SMALL_GAP;
        let plot =
            Rect::from_min_max(pos2(rect.left() + gutter, top), pos2((rect.right() - theme::SMALL_GAP).max(rect.left() + gutter + 1.0), bottom));
        let mut x_ticks = ticks(&figure.x, plot.width() / 96.0);
        if counts_on_x(figure) {
            x_ticks.retain(|(tick, _)| tick.fract() == 0.0);
        }
        Self { plot, legend, y_name, x_name: lay_out(figure.x.label()), y_ticks, x_ticks }
    }

    fn paint(&self, canvas: &Canvas<'_>) {
        let Canvas { plot, palette, painter, .. } = canvas;
        let weak = palette.weak_text;
        let grid = Stroke::new(1.0, palette.line);
        for (tick, text) in &self.y_ticks {
            let y = canvas.y(*tick);
            painter.hline(plot.x_range(), y, grid);
            painter.galley(pos2(plot.left() - theme::STEP - text.size().x, y - text.size().y / 2.0), Arc::clone(text), weak);
        }
        painter.hline(plot.x_range(), plot.bottom(), Stroke::new(1.0, weak.gamma_multiply(0.6)));
        let mut free_from = f32::NEG_INFINITY;
        let end = plot.right() + theme::SMALL_GAP;
        for (tick, text) in &self.x_ticks {
            let x = canvas.x(*tick);
            painter.vline(x, plot.bottom()..=plot.bottom() + 3.0, Stroke::new(1.0, weak.gamma_multiply(0.6)));
            let left = (x - text.size().x / 2.0).min(end - text.size().x);
            if left >= free_from {
                painter.galley(pos2(left, plot.bottom() + 5.0), Arc::clone(text), weak);
                free_from = left + text.size().x + theme::SMALL_GAP;
            }
        }
        let x_name = pos2(plot.center().x - self.x_name.size().x / 2.0, plot.bottom() + LINE + 2.0);
        painter.galley(x_name, Arc::clone(&self.x_name), weak);
        self.legend.paint(canvas);
        painter.galley(self.legend.y_name_at(), Arc::clone(&self.y_name), weak);
    }
}
