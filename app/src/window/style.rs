//! How things are drawn: everything that the viewer can do, in one pane, as commands, and as ready-made styles.

use std::sync::Arc;

use egui::{Align, ComboBox, Layout, Margin, RichText, Ui, vec2};
use kfold_molecule::ResidueKind;
use kfold_molecule::assemblies::Assembly;
use kfold_viewer::{BaseStyle, Preset, Stereo};

use super::app::Studio;
use super::document::{Backbone, ColourBy, Representation, SurfacePart, ViewSettings};
use super::scene::RECEPTOR;
use super::theme::{self, GAP_SMALL, palette};
use super::widgets::{checkbox, field, note, section, segmented};
use crate::texts::Texts;

/// Height of a list of choices, points: all of them are seen.
pub const LIST_HEIGHT: f32 = 480.0;

/// Opacity of a surface that is put around something else, until the user says otherwise.
const GLASS: f32 = 0.4;

/// What surfaces can be coloured by; none is the molecule's own colours.
const SURFACE_COLOURS: [Option<ColourBy>; 10] = [
    None,
    Some(ColourBy::Chain),
    Some(ColourBy::Element),
    Some(ColourBy::Hydropathy),
    Some(ColourBy::Electrostatics),
    Some(ColourBy::Charge),
    Some(ColourBy::ResidueClass),
    Some(ColourBy::Plddt),
    Some(ColourBy::PlddtScale),
    Some(ColourBy::BFactor),
];

/// Several settings at once, under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadyMade {
    /// Ribbons by chain, the ligand's surroundings as sticks.
    Overview,
    /// The pocket's surface, by hydropathy.
    Pocket,
    /// A surface of glass around ribbons.
    Glass,
    /// The surface by electrostatic potential.
    Potential,
    /// A tube as thick as the structure is unsure, or moves.
    Certainty,
    /// Plain colours and dark lines.
    Drawn,
}

impl ReadyMade {
    const ALL: [Self; 6] = [Self::Overview, Self::Pocket, Self::Glass, Self::Potential, Self::Certainty, Self::Drawn];

    const fn name(self) -> &'static str {
        match self {
            Self::Overview => "style-overview",
            Self::Pocket => "style-pocket",
            Self::Glass => "style-glass",
            Self::Potential => "style-potential",
            Self::Certainty => "style-certainty",
            Self::Drawn => "style-drawn",
        }
    }

    /// What is shown stays; how it is drawn becomes this style's.
    fn apply(self, view: &mut ViewSettings, has_plddt: bool, has_fluctuation: bool) {
        let usual = ViewSettings::default();
        let ViewSettings { interactions, search_box, waters, glycan_symbols, overlay, stereo, axes, bases, .. } = *view;
        let (hidden, assembly) = (view.hidden.take(), view.assembly.take());
        *view = ViewSettings {
            interactions,
            search_box,
            waters,
            glycan_symbols,
            overlay,
            stereo,
            axes,
            bases,
            hidden,
            assembly,
            ..usual
        };
        match self {
            Self::Overview => {}
            Self::Pocket => {
                view.surface.part = SurfacePart::Pocket;
                view.surface.colour = Some(ColourBy::Hydropathy);
            }
            Self::Glass => {
                view.colour = ColourBy::SecondaryStructure;
                view.surface.part = SurfacePart::Whole;
                view.surface.opacity = GLASS;
                view.surface.colour = Some(ColourBy::Chain);
            }
            Self::Potential => {
                view.representation = Representation::Surface;
                view.colour = ColourBy::Electrostatics;
            }
            Self::Certainty => {
                (view.backbone, view.colour) = if has_plddt {
                    (Backbone::PuttyPlddt, ColourBy::PlddtScale)
                } else if has_fluctuation {
                    (Backbone::PuttyFluctuation, ColourBy::Fluctuation)
                } else {
                    (Backbone::PuttyBFactor, ColourBy::BFactor)
                };
            }
            Self::Drawn => {
                view.backbone = Backbone::TubularHelices;
                view.look = Some(Preset::Cartoon);
            }
        }
    }
}

/// A change of how things are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A style.
    ReadyMade(ReadyMade),
    /// A representation that has no command of its own.
    Representation(Representation),
    /// How the backbone is drawn.
    Backbone(Backbone),
    /// How bases are drawn.
    Bases(BaseStyle),
    /// Symbols of sugars on or off.
    Glycans,
    /// The part of the surface.
    Surface(SurfacePart),
    /// Gaussian or solvent-excluded.
    Gaussian,
    /// The net on or off.
    Net,
    /// Cavities on or off.
    Cavities,
    /// The look.
    Look(Option<Preset>),
    /// For one eye or two.
    Stereo(Stereo),
    /// The axes on or off.
    Axes,
    /// All samples at once, or one.
    Overlay,
}

const LOOKS: [Option<Preset>; 6] = [
    None,
    Some(Preset::Publication),
    Some(Preset::Cartoon),
    Some(Preset::Soft),
    Some(Preset::Flat),
    Some(Preset::Dark),
];

const BASES: [BaseStyle; 4] = [BaseStyle::FilledRings, BaseStyle::Slabs, BaseStyle::Ladder, BaseStyle::Hidden];

const fn representation_name(representation: Representation) -> &'static str {
    match representation {
        Representation::Cartoon => "command-cartoon",
        Representation::BallAndStick => "style-ball-and-stick",
        Representation::Sticks => "command-sticks",
        Representation::Lines => "style-lines",
        Representation::Spheres => "command-spheres",
        Representation::Surface => "command-surface",
    }
}

const fn backbone_name(backbone: Backbone) -> &'static str {
    match backbone {
        Backbone::Ribbon => "style-ribbon",
        Backbone::TubularHelices => "style-tubular-helices",
        Backbone::Trace => "style-trace",
        Backbone::PuttyBFactor => "style-putty-b-factor",
        Backbone::PuttyPlddt => "style-putty-plddt",
        Backbone::PuttyFluctuation => "style-putty-fluctuation",
    }
}

const fn base_name(bases: BaseStyle) -> &'static str {
    match bases {
        BaseStyle::FilledRings => "style-bases-rings",
        BaseStyle::Slabs => "style-bases-slabs",
        BaseStyle::Ladder => "style-bases-ladder",
        BaseStyle::Hidden => "style-bases-hidden",
    }
}

const fn part_name(part: SurfacePart) -> &'static str {
    match part {
        SurfacePart::Off => "style-surface-off",
        SurfacePart::Pocket => "style-surface-pocket",
        SurfacePart::Whole => "style-surface-whole",
    }
}

const fn look_name(look: Option<Preset>) -> &'static str {
    match look {
        None => "style-look-window",
        Some(Preset::Publication) => "style-look-publication",
        Some(Preset::Cartoon) => "style-look-cartoon",
        Some(Preset::Soft) => "style-look-soft",
        Some(Preset::Flat) => "style-look-flat",
        Some(Preset::Dark) => "style-look-dark",
    }
}

const fn stereo_name(stereo: Stereo) -> &'static str {
    match stereo {
        Stereo::Off => "style-stereo-off",
        Stereo::Parallel => "style-stereo-parallel",
        Stereo::CrossEyed => "style-stereo-cross-eyed",
    }
}

impl Change {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ReadyMade::ALL
            .map(Self::ReadyMade)
            .into_iter()
            .chain([Representation::BallAndStick, Representation::Lines].map(Self::Representation))
            .chain(Backbone::ALL.map(Self::Backbone))
            .chain(BASES.map(Self::Bases))
            .chain([Self::Glycans])
            .chain(SurfacePart::ALL.map(Self::Surface))
            .chain([Self::Gaussian, Self::Net, Self::Cavities])
            .chain(LOOKS.map(Self::Look))
            .chain(Stereo::ALL.map(Self::Stereo))
            .chain([Self::Axes, Self::Overlay])
    }

    /// Key of its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadyMade(style) => style.name(),
            Self::Representation(representation) => representation_name(representation),
            Self::Backbone(backbone) => backbone_name(backbone),
            Self::Bases(bases) => base_name(bases),
            Self::Glycans => "style-glycans",
            Self::Surface(part) => part_name(part),
            Self::Gaussian => "style-gaussian",
            Self::Net => "style-net",
            Self::Cavities => "style-cavities",
            Self::Look(look) => look_name(look),
            Self::Stereo(stereo) => stereo_name(stereo),
            Self::Axes => "style-axes",
            Self::Overlay => "style-overlay",
        }
    }
}

impl Studio {
    /// Changes how things are drawn.
    pub(super) fn change_style(&mut self, change: Change) {
        let has_plddt = self.ensemble.is_none() && self.shown_complex().is_some();
        let has_fluctuation = self.ensemble.is_some();
        if change == Change::ReadyMade(ReadyMade::Pocket) {
            self.viewport.frame_focus();
        }
        let view = &mut self.document.view;
        match change {
            Change::ReadyMade(style) => style.apply(view, has_plddt, has_fluctuation),
            Change::Representation(representation) => view.representation = representation,
            Change::Backbone(backbone) => {
                (view.representation, view.backbone) = (Representation::Cartoon, backbone);
            }
            Change::Bases(bases) => (view.representation, view.bases) = (Representation::Cartoon, bases),
            Change::Glycans => view.glycan_symbols = !view.glycan_symbols,
            Change::Surface(part) => show_surface(view, part),
            Change::Gaussian => view.surface.gaussian = !view.surface.gaussian,
            Change::Net => view.surface.net = !view.surface.net,
            Change::Cavities => view.surface.cavities = !view.surface.cavities,
            Change::Look(look) => view.look = look,
            Change::Stereo(stereo) => view.stereo = stereo,
            Change::Axes => view.axes = !view.axes,
            Change::Overlay => view.overlay = !view.overlay,
        }
    }

    /// The pane.
    pub(super) fn style_panel_ui(&mut self, ui: &mut Ui) {
        let texts = Arc::clone(&self.texts);
        let topology = self.viewport.topology_of(RECEPTOR);
        let has = |kinds: &[ResidueKind]| {
            topology.is_some_and(|topology| topology.residues.iter().any(|residue| kinds.contains(&residue.kind)))
        };
        let has_bases = has(&[ResidueKind::Dna, ResidueKind::Rna]);
        let has_sugars = has(&[ResidueKind::Carbohydrate]);
        let has_fluctuation = self.ensemble.is_some();
        let has_samples = self.sample_count() > 1;
        let assemblies = self.assemblies_in_view();
        let frame = egui::Frame::new().inner_margin(Margin::symmetric(12, 6));
        let scroll = egui::ScrollArea::vertical().id_salt("style").auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            frame.show(ui, |ui| {
                let mut change = None;
                section(ui, &texts.get("style-ready-made"), |ui| {
                    note(ui, &texts.get("style-ready-made-hint"));
                    ui.spacing_mut().item_spacing = vec2(GAP_SMALL, GAP_SMALL);
                    let width = ((ui.available_width() - GAP_SMALL) * 0.5).max(80.0);
                    for pair in ReadyMade::ALL.chunks(2) {
                        ui.horizontal(|ui| {
                            for style in pair {
                                let button = egui::Button::new(texts.get(style.name()));
                                let button = button.min_size(vec2(width, theme::CONTROL_HEIGHT));
                                if ui.add(button).clicked() {
                                    change = Some(Change::ReadyMade(*style));
                                }
                            }
                        });
                    }
                });
                if let Some(change) = change {
                    self.history.commit(&self.document);
                    self.change_style(change);
                }
                let view = &mut self.document.view;
                section(ui, &texts.get("style-molecule"), |ui| {
                    if !assemblies.is_empty() {
                        let name = |assembly: &Arc<Assembly>| {
                            let values = [
                                ("id", assembly.id.clone().into()),
                                ("details", assembly.details.replace('_', " ").into()),
                            ];
                            (Some(assembly.id.clone()), texts.with("style-assembly-of", values))
                        };
                        let names: Vec<_> = std::iter::once((None, texts.get("style-assembly-none")))
                            .chain(assemblies.iter().map(name))
                            .collect();
                        menu_ui(ui, &texts.get("style-assembly"), &mut view.assembly, &names);
                    }
                    let names = Representation::ALL.map(|one| (one, texts.get(representation_name(one))));
                    menu_ui(ui, &texts.get("view-representation"), &mut view.representation, &names);
                    if view.representation == Representation::Cartoon {
                        let held = view.backbone;
                        let wanted =
                            |one: &Backbone| *one != Backbone::PuttyFluctuation || has_fluctuation || *one == held;
                        let names = Backbone::ALL.into_iter().filter(wanted);
                        let names: Vec<_> = names.map(|one| (one, texts.get(backbone_name(one)))).collect();
                        menu_ui(ui, &texts.get("style-backbone"), &mut view.backbone, &names);
                        if has_bases {
                            let names = BASES.map(|one| (one, texts.get(base_name(one))));
                            menu_ui(ui, &texts.get("style-bases"), &mut view.bases, &names);
                        }
                    }
                    if has_sugars {
                        checkbox(ui, &mut view.glycan_symbols, texts.get("style-glycans"));
                    }
                    if has_samples {
                        checkbox(ui, &mut view.overlay, texts.get("style-overlay"))
                            .on_hover_text(texts.get("style-overlay-hint"));
                    }
                });
                section(ui, &texts.get("style-surface"), |ui| surface_ui(ui, &texts, view));
                section(ui, &texts.get("style-picture"), |ui| {
                    menu_ui(
                        ui,
                        &texts.get("style-look"),
                        &mut view.look,
                        &LOOKS.map(|look| (look, texts.get(look_name(look)))),
                    );
                    let names = Stereo::ALL.map(|stereo| (stereo, texts.get(stereo_name(stereo))));
                    menu_ui(ui, &texts.get("style-stereo"), &mut view.stereo, &names);
                    if view.stereo != Stereo::Off {
                        note(ui, &texts.get("style-stereo-hint"));
                    }
                    checkbox(ui, &mut view.axes, texts.get("style-axes"));
                });
            })
        });
    }
}

/// A name and a list to choose from.
fn menu_ui<T: PartialEq + Clone>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, String)]) {
    let colours = palette(ui);
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(vec2(128.0, theme::CONTROL_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
            ui.set_width(128.0);
            ui.label(RichText::new(name).color(colours.text_muted));
        });
        let held = choices.iter().find(|(choice, _)| choice == value).map_or("", |(_, text)| text);
        ComboBox::from_id_salt(name)
            .selected_text(held)
            .height(LIST_HEIGHT)
            .width((ui.available_width() - 8.0).clamp(80.0, 180.0))
            .show_ui(ui, |ui| {
                for (choice, text) in choices {
                    ui.selectable_value(value, choice.clone(), text);
                }
            })
            .response
            .accessible_name(name);
    });
}

fn show_surface(view: &mut ViewSettings, part: SurfacePart) {
    // What lies inside should be seen.
    if part == SurfacePart::Whole && view.surface.part != part && view.surface.opacity >= 1.0 {
        view.surface.opacity = GLASS;
    }
    if part != SurfacePart::Off && view.representation == Representation::Surface {
        view.representation = Representation::Cartoon;
    }
    view.surface.part = part;
}

fn surface_ui(ui: &mut Ui, texts: &Texts, view: &mut ViewSettings) {
    let is_only = view.representation == Representation::Surface;
    if !is_only {
        let mut part = view.surface.part;
        let parts = SurfacePart::ALL.map(|part| (part, texts.get(part_name(part))));
        if segmented(ui, &texts.get("style-surface"), &mut part, &parts) {
            show_surface(view, part);
        }
        if part == SurfacePart::Off {
            return;
        }
        ui.add_space(GAP_SMALL);
    }
    let surface = &mut view.surface;
    let kinds = [(false, texts.get("style-excluded")), (true, texts.get("style-gaussian"))];
    menu_ui(ui, &texts.get("style-surface-kind"), &mut surface.gaussian, &kinds);
    let name = |colour: Option<ColourBy>| texts.get(colour.map_or("style-surface-same", ColourBy::name));
    let colours = SURFACE_COLOURS.map(|colour| (colour, name(colour)));
    menu_ui(ui, &texts.get("style-surface-colour"), &mut surface.colour, &colours);
    field(ui, &texts.get("style-opacity"), |ui| {
        let mut percent = (surface.opacity * 100.0).round();
        let response = ui.add(egui::Slider::new(&mut percent, 10.0..=100.0).suffix(" %").integer());
        if response.changed() {
            surface.opacity = percent / 100.0;
        }
        response
    });
    ui.horizontal_wrapped(|ui| {
        checkbox(ui, &mut surface.net, texts.get("style-net"));
        checkbox(ui, &mut surface.cavities, texts.get("style-cavities"))
            .on_hover_text(texts.get("style-cavities-hint"));
    });
    if is_only {
        ui.label(RichText::new(texts.get("style-surface-only")).small().weak());
    }
}
