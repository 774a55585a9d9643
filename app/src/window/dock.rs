//! How the panes lie: side by side, one above the other, or as tabs; moved by dragging their tabs.
//!
//! Every pane is always somewhere in the tree; one that is closed or has nothing to show keeps its place and takes no
//! room. In a row or column with the view, the others keep their size in points and the view takes what is left, as a
//! window's side panels do; so the shares of the tree (which only their ratio matters of) are sizes in points there.
//! A [`Layout`] is the same without the passing state, as it is saved; what is read back is checked, because it comes
//! from a file: a pane stands once, and what is missing or unknown does no harm.

use std::collections::BTreeSet;

use egui::{CornerRadius, Id, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, WidgetText, vec2};
use egui_tiles::{
    Behavior, Container, EditAction, Linear, LinearDir, ResizeState, SimplificationOptions, TabState, Tabs, Tile,
    TileId, Tiles, Tree, UiResponse,
};
use serde::{Deserialize, Serialize};

use super::app::Studio;
use super::panes::{Pane, Place};
use super::theme::{self, palette};
use super::widgets::icon::{Icon, paint_icon};

/// Height of a row of tabs, points.
const TAB_HEIGHT: f32 = 27.0;
/// Least size of a pane, points.
const LEAST: f32 = 72.0;
/// Least width and height left to the view, points.
const LEAST_VIEW: f32 = 220.0;
/// Width and height of a part that has just been made, points.
const NEW_SIZE: Vec2 = vec2(344.0, 230.0);
/// Height that a pane with a table asks for, and the share of the window's that it gets at most, points.
const TALL: f32 = 360.0;
const TALL_SHARE: f32 = 0.45;
/// Parts within parts in a saved layout.
const DEPTH: usize = 12;

/// The panes' places, and which are closed.
pub struct Dock {
    tree: Tree<Pane>,
    closed: BTreeSet<Pane>,
    /// The pane that was asked for last.
    current: Pane,
    /// The panes that are to come to the front.
    revealed: Vec<Pane>,
    /// A pane that should be taller than a new part is.
    tall: Option<Pane>,
    /// The pane that is to have the keyboard.
    wanted: Option<Pane>,
    is_changed: bool,
}

/// A layout as it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    root: Part,
    closed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Pane(String),
    Tabs { parts: Vec<Part>, open: usize },
    Row(Vec<SizedPart>),
    Column(Vec<SizedPart>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SizedPart {
    size: f32,
    part: Part,
}

impl Default for Dock {
    fn default() -> Self {
        let mut tiles = Tiles::default();
        let mut group = |place: Place| {
            let panes = Pane::ALL.into_iter().filter(|pane| pane.spec().place == place);
            let tabs: Vec<TileId> = panes.map(|pane| tiles.insert_pane(pane)).collect();
            (!tabs.is_empty()).then(|| tiles.insert_tab_tile(tabs))
        };
        let [left, centre, below, right] = [Place::Left, Place::Centre, Place::Below, Place::Right].map(&mut group);
        let mut column = Linear::new(LinearDir::Vertical, centre.into_iter().chain(below).collect());
        if let Some(below) = below {
            column.shares.set_share(below, NEW_SIZE.y);
        }
        let middle = tiles.insert_container(column);
        let mut row = Linear::new(LinearDir::Horizontal, left.into_iter().chain([middle]).chain(right).collect());
        for (part, width) in [(left, theme::QUERY_WIDTH), (right, theme::RESULTS_WIDTH)] {
            if let Some(part) = part {
                row.shares.set_share(part, width);
            }
        }
        let root = tiles.insert_container(row);
        let closed = Pane::ALL.into_iter().filter(|pane| !pane.spec().starts_open).collect();
        Self::of(tiles, root, closed)
    }
}

fn tree_id() -> Id {
    Id::unique("dock")
}

impl Dock {
    fn of(tiles: Tiles<Pane>, root: TileId, closed: BTreeSet<Pane>) -> Self {
        let tree = Tree::new(tree_id(), root, tiles);
        Self { tree, closed, current: Pane::View, revealed: Vec::new(), tall: None, wanted: None, is_changed: false }
    }

    /// The dock of a saved layout; a pane that is not in it comes where it lies by default.
    #[must_use]
    pub fn from_layout(layout: &Layout) -> Self {
        let mut tiles = Tiles::default();
        let mut seen = BTreeSet::new();
        let Some(root) = tile_of(&layout.root, &mut tiles, &mut seen, 0) else { return Self::default() };
        let mut closed: BTreeSet<Pane> = layout.closed.iter().filter_map(|name| Pane::of_name(name)).collect();
        closed.remove(&Pane::View);
        let mut dock = Self::of(tiles, root, closed);
        for pane in Pane::ALL.into_iter().filter(|pane| !seen.contains(pane)) {
            dock.add(pane);
        }
        dock
    }

    /// Puts a pane that lies nowhere beside the first of those that lie where it does by default.
    fn add(&mut self, pane: Pane) {
        let spec = pane.spec();
        if !spec.starts_open {
            self.closed.insert(pane);
        }
        let neighbours = Pane::ALL.into_iter().filter(|other| other.spec().place == spec.place && *other != pane);
        let tiles = &mut self.tree.tiles;
        let beside = neighbours.filter_map(|other| tiles.find_pane(&other)).find_map(|tile| tiles.parent_of(tile));
        let tile = tiles.insert_pane(pane);
        if let Some(beside) = beside
            && let Some(Tile::Container(container)) = tiles.get_mut(beside)
        {
            container.add_child(tile);
            return;
        }
        let tabs = tiles.insert_tab_tile(vec![tile]);
        let Some(root) = self.tree.root else {
            self.tree.root = Some(tabs);
            return;
        };
        let (direction, children) = match spec.place {
            Place::Left => (LinearDir::Horizontal, vec![tabs, root]),
            Place::Centre | Place::Right => (LinearDir::Horizontal, vec![root, tabs]),
            Place::Below => (LinearDir::Vertical, vec![root, tabs]),
        };
        self.tree.root = Some(tiles.insert_container(Linear::new(direction, children)));
    }

    /// The layout as it is saved.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let closed = self.closed.iter().map(|pane| pane.spec().name.to_owned()).collect();
        let root = self.tree.root.and_then(|root| part_of(root, &self.tree.tiles));
        Layout { root: root.unwrap_or_else(|| Part::Row(Vec::new())), closed }
    }

    /// Whether the user has closed it.
    #[must_use]
    pub fn is_closed(&self, pane: Pane) -> bool {
        self.closed.contains(&pane)
    }

    /// Opens a pane and puts it in front, and gives it the keyboard.
    pub fn show(&mut self, pane: Pane) {
        self.reveal(pane);
        self.current = pane;
        self.wanted = Some(pane);
    }

    /// Opens a pane and puts it in front.
    pub fn reveal(&mut self, pane: Pane) {
        self.is_changed |= self.closed.remove(&pane);
        self.revealed.push(pane);
    }

    /// Opens a pane that holds a table and puts it in front; where nobody has chosen a height it gets enough for some rows.
    pub fn reveal_tall(&mut self, pane: Pane) {
        self.reveal(pane);
        self.tall = Some(pane);
    }

    /// Closes a pane; the view stays.
    pub fn close(&mut self, pane: Pane) {
        if pane != Pane::View {
            self.is_changed |= self.closed.insert(pane);
        }
    }

    /// The pane after or before the one that was asked for last, of those that are open.
    #[must_use]
    pub fn neighbour(&self, forward: bool, is_open: impl Fn(Pane) -> bool) -> Pane {
        let panes: Vec<Pane> = Pane::ALL.into_iter().filter(|pane| *pane == self.current || is_open(*pane)).collect();
        let place = panes.iter().position(|pane| *pane == self.current).unwrap_or(0);
        let next = if forward { place + 1 } else { place + panes.len().max(1) - 1 };
        panes.get(next % panes.len().max(1)).copied().unwrap_or(Pane::View)
    }

    /// Whether panes were moved, sized, opened or closed since this was last asked.
    pub const fn take_change(&mut self) -> bool {
        std::mem::replace(&mut self.is_changed, false)
    }
}

/// Gives what lies beside the view its size in points and the view the rest of `size`.
fn hold_sizes(tiles: &mut Tiles<Pane>, mut size: Vec2) {
    let Some(view) = tiles.find_pane(&Pane::View) else { return };
    let mut path = vec![view];
    while let Some(parent) = path.last().and_then(|tile| tiles.parent_of(*tile)) {
        path.push(parent);
    }
    for pair in path.windows(2).rev() {
        let [inner, outer] = [pair[0], pair[1]];
        let Some(Tile::Container(Container::Linear(linear))) = tiles.get(outer) else { continue };
        let is_row = linear.dir == LinearDir::Horizontal;
        let visible: Vec<TileId> =
            linear.children.iter().copied().filter(|tile| tiles.is_visible_in_layout(*tile)).collect();
        let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(outer) else { continue };
        let (length, new_size) = if is_row { (size.x, NEW_SIZE.x) } else { (size.y, NEW_SIZE.y) };
        let mut rest = length - visible.len().saturating_sub(1) as f32;
        for child in visible.into_iter().filter(|child| *child != inner) {
            let share = &mut linear.shares[child];
            // A part that was made by dropping a pane has a share of 1.
            if !(LEAST * 0.5..=20_000.0).contains(share) {
                *share = new_size;
            }
            rest -= *share;
        }
        let rest = rest.max(LEAST_VIEW);
        linear.shares.set_share(inner, rest);
        if is_row { size.x = rest } else { size.y = rest }
    }
}

/// Gives the part in which a pane lies below others more height, unless somebody has given it one.
fn make_tall(tiles: &mut Tiles<Pane>, pane: Pane, height: f32) {
    let Some(mut tile) = tiles.find_pane(&pane) else { return };
    while let Some(parent) = tiles.parent_of(tile) {
        if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(parent)
            && linear.dir == LinearDir::Vertical
        {
            let share = &mut linear.shares[tile];
            if (*share - NEW_SIZE.y).abs() < 1.0 {
                *share = TALL.min(TALL_SHARE * height).max(NEW_SIZE.y);
            }
            return;
        }
        tile = parent;
    }
}

/// Makes the tiles of a part of a saved layout.
fn tile_of(part: &Part, tiles: &mut Tiles<Pane>, seen: &mut BTreeSet<Pane>, depth: usize) -> Option<TileId> {
    if depth > DEPTH {
        return None;
    }
    match part {
        Part::Pane(name) => {
            let pane = Pane::of_name(name).filter(|pane| seen.insert(*pane))?;
            Some(tiles.insert_pane(pane))
        }
        Part::Tabs { parts, open } => {
            let mut tabs = Tabs::default();
            for (index, part) in parts.iter().enumerate() {
                if let Some(tile) = tile_of(part, tiles, seen, depth + 1) {
                    tabs.add_child(tile);
                    if index == *open {
                        tabs.set_active(tile);
                    }
                }
            }
            (!tabs.children.is_empty()).then(|| tiles.insert_container(tabs))
        }
        Part::Row(parts) | Part::Column(parts) => {
            let direction = if matches!(part, Part::Row(_)) { LinearDir::Horizontal } else { LinearDir::Vertical };
            let mut linear = Linear::new(direction, Vec::new());
            for SizedPart { size, part } in parts {
                if let Some(tile) = tile_of(part, tiles, seen, depth + 1) {
                    linear.add_child(tile);
                    if size.is_finite() && *size > 0.0 {
                        linear.shares.set_share(tile, *size);
                    }
                }
            }
            (!linear.children.is_empty()).then(|| tiles.insert_container(linear))
        }
    }
}

/// A tile as it is saved.
fn part_of(tile: TileId, tiles: &Tiles<Pane>) -> Option<Part> {
    match tiles.get(tile)? {
        Tile::Pane(pane) => Some(Part::Pane(pane.spec().name.to_owned())),
        Tile::Container(Container::Tabs(tabs)) => {
            let open = tabs.children.iter().position(|child| Some(*child) == tabs.active).unwrap_or(0);
            let parts = tabs.children.iter().filter_map(|child| part_of(*child, tiles)).collect();
            Some(Part::Tabs { parts, open })
        }
        Tile::Container(container) => {
            let sized = container.children().filter_map(|child| {
                let size = match container {
                    Container::Linear(linear) => linear.shares[*child],
                    _ => 1.0,
                };
                part_of(*child, tiles).map(|part| SizedPart { size, part })
            });
            let is_column = matches!(container, Container::Linear(linear) if linear.dir == LinearDir::Vertical);
            Some(if is_column { Part::Column(sized.collect()) } else { Part::Row(sized.collect()) })
        }
    }
}

impl Studio {
    /// Whether a pane is open and has something to show.
    pub(super) fn is_pane_open(&self, pane: Pane) -> bool {
        !self.dock.is_closed(pane) && (pane.spec().is_available)(self)
    }

    /// The panes.
    pub(super) fn dock_ui(&mut self, ui: &mut Ui) {
        // The panes may ask for others while they are shown; that is done in the next frame.
        let mut tree = std::mem::replace(&mut self.dock.tree, Tree::empty(tree_id()));
        for pane in Pane::ALL {
            if let Some(tile) = tree.tiles.find_pane(&pane) {
                tree.tiles.set_visible(tile, self.is_pane_open(pane));
            }
        }
        for pane in std::mem::take(&mut self.dock.revealed) {
            tree.make_active(|_, tile| *tile == Tile::Pane(pane));
        }
        if let Some(pane) = self.dock.tall.take() {
            make_tall(&mut tree.tiles, pane, ui.available_height());
        }
        hold_sizes(&mut tree.tiles, ui.available_size());
        let wanted = self.dock.wanted.take();
        if wanted.is_some() {
            ui.memory_mut(|memory| memory.focused().into_iter().for_each(|id| memory.surrender_focus(id)));
        }
        if wanted == Some(Pane::View) {
            self.viewport.ask_for_keyboard();
        }
        let mut panes = Panes { lone_view: lone_view(&tree.tiles), wanted, studio: self, is_changed: false };
        tree.ui(&mut panes, ui);
        let is_changed = panes.is_changed;
        self.dock.tree = tree;
        self.dock.is_changed |= is_changed;
        if !ui.input(|input| input.pointer.any_down()) && self.dock.take_change() {
            self.preferences.layout = Some(self.dock.layout());
            self.keep_preferences();
        }
    }
}

/// The group of tabs of which the view is the only tab that is there.
fn lone_view(tiles: &Tiles<Pane>) -> Option<TileId> {
    let group = tiles.parent_of(tiles.find_pane(&Pane::View)?)?;
    let Tile::Container(container) = tiles.get(group)? else { return None };
    (container.children().filter(|child| tiles.is_visible(**child)).count() == 1).then_some(group)
}

/// What shows the panes.
struct Panes<'a> {
    studio: &'a mut Studio,
    lone_view: Option<TileId>,
    wanted: Option<Pane>,
    is_changed: bool,
}

impl Behavior<Pane> for Panes<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, pane: &mut Pane) -> UiResponse {
        ui.push_id(pane.spec().name, |ui| (pane.spec().show)(self.studio, ui));
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        self.studio.texts.get(pane.spec().name).into()
    }

    fn tab_ui(&mut self, tiles: &mut Tiles<Pane>, ui: &mut Ui, id: Id, tile: TileId, state: &TabState) -> Response {
        let colours = palette(ui);
        let Some(pane) = tiles.get_pane(&tile).copied() else {
            return ui.allocate_response(Vec2::ZERO, Sense::hover());
        };
        let title = self.studio.texts.get(pane.spec().name);
        let font = if state.active { theme::strong_style() } else { egui::TextStyle::Body }.resolve(ui.style());
        let ink = if state.active { colours.text } else { colours.text_muted };
        let galley = ui.painter().layout_no_wrap(title.clone(), font, ink);
        let can_close = pane != Pane::View;
        let cross = if can_close { 18.0 } else { 0.0 };
        let (_, rect) = ui.allocate_space(vec2(galley.size().x + 22.0 + cross, ui.available_height()));
        let response = ui.interact(rect, id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, state.active, &title));
        if self.wanted == Some(pane) {
            response.request_focus();
        }
        if response.clicked() {
            self.studio.dock.current = pane;
        }
        if state.is_being_dragged {
            return response;
        }
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        if response.hovered() && !state.active {
            painter.rect_filled(rect.shrink2(vec2(1.0, 3.0)), CornerRadius::same(theme::RADIUS), colours.hover);
        }
        if response.has_focus() {
            let stroke = Stroke::new(1.5, colours.accent);
            let corner = CornerRadius::same(theme::RADIUS);
            painter.rect_stroke(rect.shrink2(vec2(1.0, 3.0)), corner, stroke, egui::StrokeKind::Inside);
        }
        if state.active {
            let line = Stroke::new(2.0, colours.accent);
            painter.hline((rect.left() + 10.0)..=(rect.right() - 8.0), rect.bottom() - 1.0, line);
        }
        let place = egui::pos2(rect.left() + 11.0, rect.center().y - galley.size().y * 0.5);
        painter.galley(place, galley, ink);
        if can_close {
            let place = egui::Rect::from_center_size(rect.right_center() - vec2(13.0, 0.0), Vec2::splat(16.0));
            let close = ui.interact(place, id.with("close"), Sense::click());
            let label = self.studio.texts.with("pane-close", [("name", title.into())]);
            close.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
            if close.hovered() || close.has_focus() {
                painter.rect_filled(place, CornerRadius::same(3), colours.hover);
            }
            let ink = if close.hovered() { colours.text } else { colours.text_muted };
            paint_icon(&painter, Icon::Cross, place.shrink(4.5), ink);
            if close.on_hover_text(label).clicked() || response.middle_clicked() {
                self.studio.dock.close(pane);
            }
        }
        response
    }

    fn tab_hover_cursor_icon(&self) -> egui::CursorIcon {
        egui::CursorIcon::Default
    }

    fn is_tab_bar_visible(&self, tile: TileId, _tabs: &Tabs) -> bool {
        self.lone_view != Some(tile)
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        TAB_HEIGHT
    }

    fn tab_bar_color(&self, _visuals: &egui::Visuals) -> egui::Color32 {
        egui::Color32::TRANSPARENT
    }

    fn min_size(&self) -> f32 {
        LEAST
    }

    fn resize_stroke(&self, style: &egui::Style, state: ResizeState) -> Stroke {
        let visuals = &style.visuals.widgets;
        match state {
            ResizeState::Idle => visuals.noninteractive.bg_stroke,
            ResizeState::Hovering | ResizeState::Dragging => Stroke::new(2.0, visuals.hovered.bg_stroke.color),
        }
    }

    fn drag_preview_color(&self, visuals: &egui::Visuals) -> egui::Color32 {
        visuals.selection.bg_fill.gamma_multiply(0.7)
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions {
            all_panes_must_have_tabs: true,
            flatten_tabs_in_tabs: true,
            ..SimplificationOptions::default()
        }
    }

    fn on_edit(&mut self, _action: EditAction) {
        self.is_changed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(dock: &Dock) -> Vec<Pane> {
        let mut panes: Vec<Pane> = dock
            .tree
            .tiles
            .tiles()
            .filter_map(|tile| match tile {
                Tile::Pane(pane) => Some(*pane),
                Tile::Container(_) => None,
            })
            .collect();
        panes.sort_unstable();
        panes
    }

    fn all_panes() -> Vec<Pane> {
        let mut panes = Pane::ALL.to_vec();
        panes.sort_unstable();
        panes
    }

    #[test]
    fn a_layout_is_read_back_as_it_was() {
        let mut dock = Dock::default();
        dock.close(Pane::Results);
        dock.close(Pane::View);
        let text = serde_json::to_string(&dock.layout()).unwrap();
        let back = Dock::from_layout(&serde_json::from_str(&text).unwrap());
        assert_eq!(back.layout(), dock.layout());
        assert!(back.is_closed(Pane::Results) && !back.is_closed(Pane::View));
        assert_eq!(places(&back), all_panes());
    }

    #[test]
    fn whatever_a_layout_file_says_every_pane_stands_once() {
        let query = || Part::Pane("pane-query".to_owned());
        let mut deep = query();
        for _ in 0..40 {
            deep = Part::Tabs { parts: vec![deep], open: 7 };
        }
        let sized = |size: f32, part: Part| SizedPart { size, part };
        for root in [
            query(),
            deep,
            Part::Row(Vec::new()),
            Part::Pane("the_future".to_owned()),
            Part::Row(vec![sized(f32::NAN, query()), sized(-3.0, query()), sized(1e30, Part::Column(Vec::new()))]),
        ] {
            let dock = Dock::from_layout(&Layout { root, closed: vec!["pane-view".to_owned(), "x".to_owned()] });
            assert_eq!(places(&dock), all_panes());
            assert!(!dock.is_closed(Pane::View));
        }
    }

    #[test]
    fn the_view_takes_what_the_others_leave() {
        let mut dock = Dock::default();
        let share = |dock: &Dock, pane: Pane| {
            let tiles = &dock.tree.tiles;
            let mut tile = tiles.find_pane(&pane).unwrap();
            while let Some(parent) = tiles.parent_of(tile) {
                if let Some(Tile::Container(Container::Linear(linear))) = tiles.get(parent)
                    && linear.dir == LinearDir::Horizontal
                {
                    return linear.shares[tile];
                }
                tile = parent;
            }
            0.0
        };
        for width in [1000.0, 1440.0, 2560.0] {
            hold_sizes(&mut dock.tree.tiles, vec2(width, 800.0));
            assert_eq!(share(&dock, Pane::Query), theme::QUERY_WIDTH);
            assert_eq!(share(&dock, Pane::Results), theme::RESULTS_WIDTH);
            let rest = width - 2.0 - theme::QUERY_WIDTH - theme::RESULTS_WIDTH;
            assert_eq!(share(&dock, Pane::View), rest.max(LEAST_VIEW));
        }
    }
}
