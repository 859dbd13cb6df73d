//! How the program looks: every colour, size and font in one place.
//!
//! Spacing follows a 4-point grid. There is one accent colour. Green, amber and red are for verdicts only, and never alone:
//! a shape or a word always says the same. Categories use the Okabe-Ito palette, which colour-blind eyes can tell apart.

use std::sync::Arc;

use eframe::egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, FontTweak, Margin, RichText, Shadow, Stroke, Style, TextStyle,
    Theme, Ui, Vec2, Visuals, style::HandleShape, style::ScrollStyle, style::WidgetVisuals,
};

/// The step of the spacing grid, and its multiples by name.
pub const STEP: f32 = 4.0;
pub const SMALL_GAP: f32 = 2.0 * STEP;
pub const GAP: f32 = 4.0 * STEP;
pub const LARGE_GAP: f32 = 6.0 * STEP;

/// Height of a control, and of a table row.
pub const CONTROL_HEIGHT: f32 = 28.0;
pub const ROW_HEIGHT: f32 = 28.0;

pub const CONTEXT_BAR_HEIGHT: f32 = 48.0;
pub const NAVIGATION_WIDTH: f32 = 152.0;
pub const RESULT_WIDTH: f32 = 288.0;

const RADIUS: u8 = 6;
const CARD_RADIUS: u8 = 8;

/// The colours of one theme.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    /// Behind everything in the centre.
    pub ground: Color32,
    /// Behind the bar on top, the navigation and the result.
    pub side: Color32,
    /// Cards.
    pub surface: Color32,
    /// Buttons and rails.
    pub raised: Color32,
    pub raised_hovered: Color32,
    /// Where one types.
    pub field: Color32,
    pub line: Color32,
    pub text: Color32,
    pub weak_text: Color32,
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// A breath of accent: what is selected.
    pub accent_soft: Color32,
    pub pass: Color32,
    pub warn: Color32,
    pub fail: Color32,
    /// A breath of red: behind an error.
    pub fail_soft: Color32,
}

const DARK: Palette = Palette {
    ground: Color32::from_rgb(0x16, 0x19, 0x1E),
    side: Color32::from_rgb(0x10, 0x13, 0x17),
    surface: Color32::from_rgb(0x1C, 0x20, 0x27),
    raised: Color32::from_rgb(0x29, 0x2F, 0x39),
    raised_hovered: Color32::from_rgb(0x34, 0x3C, 0x49),
    field: Color32::from_rgb(0x10, 0x13, 0x17),
    line: Color32::from_rgb(0x2B, 0x31, 0x3B),
    text: Color32::from_rgb(0xE7, 0xEA, 0xEF),
    weak_text: Color32::from_rgb(0x9A, 0xA5, 0xB4),
    accent: Color32::from_rgb(0x56, 0xA8, 0xF5),
    on_accent: Color32::from_rgb(0x08, 0x17, 0x26),
    accent_soft: Color32::from_rgb(0x1B, 0x33, 0x4B),
    pass: Color32::from_rgb(0x4C, 0xC3, 0x8A),
    warn: Color32::from_rgb(0xE3, 0xAA, 0x3F),
    fail: Color32::from_rgb(0xF4, 0x74, 0x6B),
    fail_soft: Color32::from_rgb(0x37, 0x20, 0x22),
};

const LIGHT: Palette = Palette {
    ground: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    side: Color32::from_rgb(0xF4, 0xF6, 0xF8),
    surface: Color32::from_rgb(0xF8, 0xF9, 0xFB),
    raised: Color32::from_rgb(0xE9, 0xEC, 0xF0),
    raised_hovered: Color32::from_rgb(0xDD, 0xE2, 0xE8),
    field: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    line: Color32::from_rgb(0xDE, 0xE2, 0xE8),
    text: Color32::from_rgb(0x1A, 0x20, 0x29),
    weak_text: Color32::from_rgb(0x5B, 0x66, 0x76),
    accent: Color32::from_rgb(0x0B, 0x69, 0xC7),
    on_accent: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    accent_soft: Color32::from_rgb(0xDF, 0xEC, 0xFA),
    pass: Color32::from_rgb(0x15, 0x7A, 0x46),
    warn: Color32::from_rgb(0x94, 0x63, 0x00),
    fail: Color32::from_rgb(0xC0, 0x32, 0x29),
    fail_soft: Color32::from_rgb(0xFC, 0xEA, 0xE8),
};

/// The Okabe-Ito palette without its black and its yellow, which vanish on one ground or the other; in the order of saved figures.
const CATEGORIES: [Color32; 6] = [
    Color32::from_rgb(0x00, 0x72, 0xB2),
    Color32::from_rgb(0xD5, 0x5E, 0x00),
    Color32::from_rgb(0x00, 0x9E, 0x73),
    Color32::from_rgb(0xCC, 0x79, 0xA7),
    Color32::from_rgb(0xE6, 0x9F, 0x00),
    Color32::from_rgb(0x56, 0xB4, 0xE9),
];

/// The colour of the series or category with this index. Never alone: a shape, a dash or a word says the same.
pub fn category(ui: &Ui, index: usize) -> Color32 {
    let n = CATEGORIES.len();
    // On a dark ground the dark blue and the light one change places.
    let place = match index % n {
        0 if ui.visuals().dark_mode => n - 1,
        last if ui.visuals().dark_mode && last == n - 1 => 0,
        place => place,
    };
    CATEGORIES[place]
}

/// How wide text and forms grow here, whatever the width of the window.
pub fn reading_width(ui: &Ui) -> f32 {
    const WIDEST: f32 = 760.0;
    ui.available_width().min(WIDEST)
}

/// The colours in use.
pub fn palette(ui: &Ui) -> &'static Palette {
    palette_of(ui.visuals().dark_mode)
}

fn palette_of(is_dark: bool) -> &'static Palette {
    if is_dark { &DARK } else { &LIGHT }
}

/// Installs fonts and both themes.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    for theme in [Theme::Dark, Theme::Light] {
        ctx.set_style_of(theme, style(theme));
    }
}

/// Text of more weight: headings, the answer.
pub fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).family(strong_family())
}

/// The title of a page.
pub fn title(text: impl Into<String>) -> RichText {
    strong(text).size(20.0)
}

/// The title of a section.
pub fn section_title(text: impl Into<String>) -> RichText {
    strong(text).size(14.0)
}

/// The quiet name above or beside a value.
pub fn caption(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).size(12.0).color(palette(ui).weak_text)
}

/// A figure that should be seen from across the room.
pub fn headline(text: impl Into<String>) -> RichText {
    strong(text).size(26.0)
}

pub fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// A bordered box on the ground.
pub fn card(ui: &Ui) -> eframe::egui::Frame {
    let palette = palette(ui);
    eframe::egui::Frame::new()
        .fill(palette.surface)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CardRadius::card())
        .inner_margin(Margin::same(16))
}

/// Makes the sliders of this `ui` slim, with what lies left of the handle in the accent's colour.
pub fn slim_sliders(ui: &mut Ui) {
    const HANDLE: f32 = 16.0;
    let palette = palette(ui);
    ui.spacing_mut().interact_size.y = HANDLE;
    let visuals = ui.visuals_mut();
    visuals.selection.bg_fill = palette.accent;
    let widgets = &mut visuals.widgets;
    for widget in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
        widget.fg_stroke = Stroke::new(2.0, palette.accent);
        widget.bg_stroke = Stroke::NONE;
    }
    widgets.hovered.bg_fill = palette.ground;
    widgets.active.bg_fill = palette.accent;
}

/// The frame of a panel beside the centre.
pub fn side_frame(ui: &Ui, margin: i8) -> eframe::egui::Frame {
    eframe::egui::Frame::new().fill(palette(ui).side).inner_margin(Margin::same(margin))
}

/// Corner radii.
struct CardRadius;

impl CardRadius {
    const fn card() -> CornerRadius {
        CornerRadius::same(CARD_RADIUS)
    }

    const fn control() -> CornerRadius {
        CornerRadius::same(RADIUS)
    }
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let regular = FontData::from_static(include_bytes!("../../assets/fonts/Inter-Regular.otf"));
    let strong = FontData::from_static(include_bytes!("../../assets/fonts/Inter-SemiBold.otf"));
    fonts.font_data.insert("inter".to_owned(), Arc::new(regular));
    fonts.font_data.insert("inter-semibold".to_owned(), Arc::new(strong));
    let hack = FontTweak { scale: 0.95, ..FontTweak::default() };
    if let Some(data) = fonts.font_data.get_mut("Hack") {
        Arc::make_mut(data).tweak = hack;
    }
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let with_fallback = |name: &str| [vec![name.to_owned()], fallback.clone()].concat();
    fonts.families.insert(FontFamily::Proportional, with_fallback("inter"));
    fonts.families.insert(strong_family(), with_fallback("inter-semibold"));
    if let Some(monospace) = fonts.families.get_mut(&FontFamily::Monospace) {
        monospace.push("inter".to_owned());
    }
    fonts
}

fn style(theme: Theme) -> Style {
    let mut style = Style { visuals: visuals(theme), ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(12.0)),
        (TextStyle::Body, FontId::proportional(13.5)),
        (TextStyle::Button, FontId::proportional(13.5)),
        (TextStyle::Heading, FontId::new(20.0, strong_family())),
        (TextStyle::Monospace, FontId::monospace(12.5)),
    ]
    .into();
    style.drag_value_text_style = TextStyle::Body;
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(SMALL_GAP, SMALL_GAP);
    spacing.button_padding = Vec2::new(10.0, 4.0);
    spacing.interact_size = Vec2::new(40.0, CONTROL_HEIGHT);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.icon_width = 18.0;
    spacing.icon_width_inner = 10.0;
    spacing.icon_spacing = SMALL_GAP;
    spacing.slider_rail_height = STEP;
    spacing.combo_width = 120.0;
    spacing.combo_height = 320.0;
    spacing.tooltip_width = 420.0;
    // A thin handle stays where there is more to see; it grows under the pointer.
    spacing.scroll = ScrollStyle { floating: true, bar_width: 8.0, floating_width: 4.0, dormant_handle_opacity: 0.25, ..ScrollStyle::floating() };
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style.animation_time = 0.1;
    style
}

fn visuals(theme: Theme) -> Visuals {
    let palette = palette_of(theme == Theme::Dark);
    let mut visuals = theme.default_visuals();
    let widget = |fill: Color32, line: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: CardRadius::control(),
        fg_stroke: Stroke::new(1.5, text),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = widget(palette.ground, palette.line, palette.text);
    visuals.widgets.noninteractive.fg_stroke.width = 1.0;
    visuals.widgets.inactive = widget(palette.raised, palette.line, palette.text);
    visuals.widgets.hovered = widget(palette.raised_hovered, palette.weak_text, palette.text);
    visuals.widgets.active = widget(palette.raised_hovered, palette.accent, palette.text);
    visuals.widgets.open = widget(palette.raised_hovered, palette.weak_text, palette.text);
    visuals.weak_text_color = Some(palette.weak_text);
    visuals.selection.bg_fill = palette.accent_soft;
    visuals.selection.stroke = Stroke::new(1.5, palette.accent);
    visuals.hyperlink_color = palette.accent;
    visuals.faint_bg_color = palette.surface;
    visuals.extreme_bg_color = palette.field;
    visuals.text_edit_bg_color = Some(palette.field);
    visuals.code_bg_color = palette.raised;
    visuals.warn_fg_color = palette.warn;
    visuals.error_fg_color = palette.fail;
    visuals.window_fill = palette.surface;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.window_corner_radius = CardRadius::card();
    visuals.menu_corner_radius = CardRadius::card();
    visuals.panel_fill = palette.ground;
    let shadow = Shadow { offset: [0, 8], blur: 24, spread: 0, color: Color32::from_black_alpha(if theme == Theme::Dark { 110 } else { 40 }) };
    visuals.popup_shadow = shadow;
    visuals.window_shadow = shadow;
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = HandleShape::Circle;
    visuals.striped = false;
    visuals
}
