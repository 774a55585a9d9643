//! The window.
//!
//! One struct, [`Studio`], holds the state; each file here shows one part of the window or does one kind of work for
//! it. What the user edits is a [`document::Document`] with a [`history::History`] around it; what takes time runs in
//! [`background`] lanes and comes back as a [`message::Message`]; predictions are jobs in a queue ([`jobs`], [`run`]).

mod action;
mod app;
mod background;
mod command;
mod compare;
mod complexes_panel;
mod derived;
mod dialogs;
mod dock;
mod document;
mod ensemble;
mod export;
mod files;
pub(crate) mod format;
mod history;
mod jobs;
mod legend;
mod lessons;
mod library;
mod measure;
mod message;
mod modal;
mod notices;
mod numbers;
mod opaque;
pub(crate) mod outcome;
mod palette;
mod panes;
mod preferences;
mod problems;
mod query;
pub(crate) mod reading;
mod region;
pub(crate) mod results_panel;
mod run;
mod saved_views;
mod scene;
mod selection;
pub(crate) mod series;
mod session;
mod settings_panel;
mod shown;
mod style;
pub(crate) mod theme;
mod top_bar;
mod tour;
mod view;
mod viewport;
mod widgets;

use std::path::PathBuf;
use std::sync::Arc;

pub use app::Studio;
pub use document::Document;
pub use files::Places;
pub use panes::Pane;

/// How the panels are drawn. Dithering is for gradients, of which there are none, and costs a software adapter a third of
/// each pixel.
pub(crate) const DITHERING: bool = false;

/// What the window is to the system.
pub(crate) fn native_options() -> eframe::NativeOptions {
    let viewport = egui::ViewportBuilder::default()
        .with_title("K-Fold Studio")
        .with_app_id("kfold-studio")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([960.0, 600.0])
        .with_drag_and_drop(true);
    let mut graphics = egui_wgpu::WgpuConfiguration::default();
    if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut graphics.wgpu_setup {
        // The view draws faster where the device has more than egui asks for.
        let asked = Arc::clone(&setup.device_descriptor);
        setup.device_descriptor = Arc::new(move |adapter| {
            let mut descriptor = asked(adapter);
            descriptor.required_features |= kfold_viewer::Gpu::wanted_features(adapter);
            descriptor
        });
    }
    eframe::NativeOptions { viewport, wgpu_options: graphics, dithering: DITHERING, ..eframe::NativeOptions::default() }
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// When no window can be opened: no display, or no graphics adapter that can draw it.
pub fn run(open: Option<PathBuf>) -> anyhow::Result<()> {
    let options = native_options();
    eframe::run_native(
        "K-Fold Studio",
        options,
        Box::new(move |creation| {
            let mut studio =
                Studio::new(&creation.egui_ctx, creation.wgpu_render_state.as_ref(), Places::of_this_user())?;
            if let Some(path) = &open {
                studio.open(path);
            }
            Ok(Box::new(studio))
        }),
    )
    .map_err(|error| {
        anyhow::anyhow!("the window cannot be opened: {error}; without a display, use `predict` or `dock`")
    })
}
