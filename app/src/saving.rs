//! Saving what is shown: a figure as lines (SVG), numbers (CSV) or a picture of its part of the window (PNG), a table as CSV, a whole report
//! as one page (HTML) or as Markdown.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use drydock_core::report::{Document, Figure, Table};
use drydock_core::session::Task;
use eframe::egui::{ColorImage, Context, Rect};

use crate::files::Purpose;

const NO_PICTURE: &str = "the window gave no picture of the figure; save it as .svg instead";

/// What can be saved from the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Savable {
    Figure(ShownFigure),
    Table(Table),
    Report(Box<Document>),
}

/// A figure, and the name that it is drawn and saved under.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownFigure {
    pub figure: Figure,
    pub name: String,
}

impl Savable {
    /// What the file dialog asks for.
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Figure(_) => Purpose::FigureFile,
            Self::Table(_) => Purpose::TableFile,
            Self::Report(_) => Purpose::ReportFile,
        }
    }

    /// The file's name, unless the user gives another.
    fn file_name(&self) -> String {
        match self {
            Self::Figure(shown) => format!("{}.svg", shown.name),
            Self::Table(table) => format!("{}.csv", table.title.to_lowercase()),
            Self::Report(document) => format!("{}.html", document.title.to_lowercase()),
        }
    }

    fn extension(&self) -> &'static str {
        match self {
            Self::Figure(_) => "svg",
            Self::Table(_) => "csv",
            Self::Report(_) => "html",
        }
    }
}

/// What is being saved: one thing at a time.
#[derive(Debug, Default)]
pub struct Saver {
    wanted: Option<Savable>,
    /// The page that shows it.
    page: Task,
    /// Where it went, or a sentence that says why not.
    result: Option<Receiver<Result<PathBuf, String>>>,
}

impl Saver {
    /// Notes what is to be saved while the user is asked where it goes.
    pub fn want(&mut self, savable: Savable, page: Task) {
        self.wanted = Some(savable);
        self.page = page;
    }

    pub fn page(&self) -> Task {
        self.page
    }

    /// The name of the figure that is to be saved, if it is one.
    pub fn figure_name(&self) -> Option<&str> {
        match &self.wanted {
            Some(Savable::Figure(shown)) => Some(&shown.name),
            _ => None,
        }
    }

    /// Where it is saved unless the user says otherwise: beside `model`, named after both.
    pub fn path(&self, model: Option<(&Path, &str)>) -> PathBuf {
        let name = self.wanted.as_ref().map_or_else(String::new, Savable::file_name);
        // A report's title names its model already.
        let prefix = model.filter(|(_, title)| !name.contains(&title.to_lowercase()));
        let name = prefix.map_or_else(|| name.clone(), |(_, title)| format!("{title}-{name}"));
        let clean = clean_name(&name);
        model.map_or_else(|| PathBuf::from(&clean), |(path, _)| path.with_file_name(&clean))
    }

    /// Writes it in the format that the name says. `drawn`: where the window shows a figure, in points, for a picture.
    pub fn save_to(&mut self, ctx: &Context, path: PathBuf, drawn: Option<Rect>) {
        let Some(savable) = self.wanted.take() else { return };
        let path = if path.extension().is_none() { path.with_extension(savable.extension()) } else { path };
        let extension = path_extension(&path);
        let (sender, receiver) = sync_channel(1);
        self.result = Some(receiver);
        let waker = ctx.clone();
        let write = move |content: Result<Vec<u8>, String>| {
            let saved = content.and_then(|content| std::fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display())));
            let _ = sender.send(saved.map(|()| path));
            waker.request_repaint();
        };
        match (savable, extension.as_str()) {
            (Savable::Figure(shown), "csv") => in_background(move || write(Ok(shown.figure.to_csv().into_bytes()))),
            (Savable::Figure(shown), "svg") => in_background(move || write(Ok(shown.figure.to_svg().into_bytes()))),
            (Savable::Figure(_), "png") => match drawn {
                Some(drawn) => {
                    let pixels_per_point = ctx.pixels_per_point();
                    ctx.request_screenshot(move |image| in_background(move || write(png(&image, drawn, pixels_per_point))));
                }
                None => write(Err("the figure is not on the screen".to_owned())),
            },
            (Savable::Figure(_), other) => write(Err(format!("a figure is saved as .svg, .png or .csv, not as '.{other}'"))),
            (Savable::Table(table), "csv") => in_background(move || write(Ok(table.to_csv().into_bytes()))),
            (Savable::Report(document), "html") => in_background(move || write(Ok(document.to_html().into_bytes()))),
            (Savable::Report(document), "md") => in_background(move || write(Ok(document.to_markdown().into_bytes()))),
            (Savable::Report(_), other) => write(Err(format!("a report is saved as .html or .md, not as '.{other}'"))),
            (Savable::Table(_), other) => write(Err(format!("a table is saved as .csv, not as '.{other}'"))),
        }
    }

    /// How the saving ended, once.
    pub fn poll(&mut self) -> Option<Result<PathBuf, String>> {
        let result = match self.result.as_ref()?.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(NO_PICTURE.to_owned()),
        };
        self.result = None;
        Some(result)
    }
}

/// A name for a file with nothing in it that shells and file systems read in their own ways.
pub fn clean_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect()
}

/// A name beside `near` that is free: for a desktop that can't ask for one.
pub fn free_name(near: &Path) -> PathBuf {
    let part = |part: Option<&OsStr>, otherwise: &str| part.and_then(OsStr::to_str).unwrap_or(otherwise).to_owned();
    let (stem, extension) = (part(near.file_stem(), "drydock"), part(near.extension(), "csv"));
    let numbered = (2..1000).map(|number| near.with_file_name(format!("{stem}-{number}.{extension}")));
    std::iter::once(near.to_owned()).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| near.to_owned())
}

fn path_extension(path: &Path) -> String {
    path.extension().map_or_else(String::new, |extension| extension.to_string_lossy().to_lowercase())
}

fn in_background(work: impl FnOnce() + Send + 'static) {
    // Where the system gives no thread, the sender inside goes with the closure, and the poll says so.
    let _ = std::thread::Builder::new().name("saving".to_owned()).spawn(work);
}

/// A part of the window, given in points, as a PNG file.
fn png(window: &Arc<ColorImage>, part: Rect, pixels_per_point: f32) -> Result<Vec<u8>, String> {
    let whole = Rect::from_min_size(eframe::egui::Pos2::ZERO, eframe::egui::vec2(window.width() as f32, window.height() as f32) / pixels_per_point);
    let part = part.intersect(whole);
    if !part.is_positive() {
        return Err(NO_PICTURE.to_owned());
    }
    let part = window.region(&part, Some(pixels_per_point));
    let (width, height) = (u32::try_from(part.width()).unwrap_or(0), u32::try_from(part.height()).unwrap_or(0));
    let bytes: Vec<u8> = part.pixels.iter().flat_map(eframe::egui::Color32::to_array).collect();
    let picture = image::RgbaImage::from_raw(width, height, bytes).ok_or(NO_PICTURE)?;
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).map_err(|error| error.to_string())?;
    Ok(file.into_inner())
}
