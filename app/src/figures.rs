//! Saving a figure: as lines (SVG) or numbers (CSV) from the figure itself, as a picture (PNG) from what the window shows of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use drydock_core::report::Figure;
use eframe::egui::{ColorImage, Context, Rect};

const NO_PICTURE: &str = "the window gave no picture of the curve; save it as .svg instead";

/// The figure that is being saved: one at a time.
#[derive(Debug, Default)]
pub struct FigureSaver {
    wanted: Option<Figure>,
    /// Where the figure went, or a sentence that says why not.
    result: Option<Receiver<Result<PathBuf, String>>>,
}

impl FigureSaver {
    /// Notes the figure while the user is asked where it goes.
    pub fn want(&mut self, figure: Figure) {
        self.wanted = Some(figure);
    }

    /// Writes the figure in the format that the name says. `drawn`: where the window shows it, in points, for a picture.
    pub fn save_to(&mut self, ctx: &Context, path: PathBuf, drawn: Option<Rect>) {
        let Some(figure) = self.wanted.take() else { return };
        let extension = path_extension(&path);
        let (sender, receiver) = sync_channel(1);
        self.result = Some(receiver);
        let waker = ctx.clone();
        let write = move |content: Result<Vec<u8>, String>| {
            let saved = content.and_then(|content| std::fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display())));
            let _ = sender.send(saved.map(|()| path));
            waker.request_repaint();
        };
        match (extension.as_str(), drawn) {
            ("csv", _) => in_background(move || write(Ok(figure.to_csv().into_bytes()))),
            ("png", Some(drawn)) => {
                let pixels_per_point = ctx.pixels_per_point();
                ctx.request_screenshot(move |image| in_background(move || write(png(&image, drawn, pixels_per_point))));
            }
            ("png", None) => write(Err("the curve is not on the screen".to_owned())),
            ("svg", _) => in_background(move || write(Ok(figure.to_svg().into_bytes()))),
            (other, _) => write(Err(format!("a curve is saved as .svg, .png or .csv, not as '.{other}'"))),
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

/// A name beside `near` that is free: for a desktop that can't ask for one.
pub fn free_name(near: &Path) -> PathBuf {
    let stem = near.file_stem().and_then(OsStr::to_str).unwrap_or("curve").to_owned();
    let numbered = (2..1000).map(|number| near.with_file_name(format!("{stem}-{number}.svg")));
    std::iter::once(near.to_owned()).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| near.to_owned())
}

fn path_extension(path: &Path) -> String {
    path.extension().map_or_else(String::new, |extension| extension.to_string_lossy().to_lowercase())
}

fn in_background(work: impl FnOnce() + Send + 'static) {
    // Where the system gives no thread, the sender inside goes with the closure, and the poll says so.
    let _ = std::thread::Builder::new().name("figure".to_owned()).spawn(work);
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
