//! Draws a structure file into a PNG:
//! `cargo run --release -p kfold-viewer --example render -- STRUCTURE [LIGAND.sdf] -o PICTURE.png [options]`
//!
//! Options: `--size 1280x800`, `--samples 9`, `--color chain|rainbow|structure|plddt|element|hydropathy|potential`,
//! `--as cartoon|spheres|sticks|balls|lines|glycans|surface|gaussian` (surfaces: `--net`, `--spacing Å`, `--cavities`,
//! `--pocket Å`, `--time-surfaces`; ribbons: `--backbone tubes|putty|trace`, `--bases ladder|slabs|hidden`), `--focus` (the ligand and its pocket), `--turn DEGREES`, `--zoom FACTOR`, `--background HEX`,
//! `--silhouettes PIXELS`, `--flat`, `--soft`, `--transparent`, `--opacity 0.5`, `--bench FRAMES` (times live
//! pictures while the camera turns; `--half` as while dragging).

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use kfold_molecule::formats::{read_small_molecules, read_structure};
use kfold_viewer::{
    AtomSelection, BackboneStyle, BaseStyle, Camera, CarbonColor, Color, Coloring, Gpu, Lighting, Object, Putty,
    Quality, RenderSettings, Renderer, Representation, Scene, SurfaceSource, SurfaceStyle,
};

type Failure = Box<dyn std::error::Error>;

struct Options {
    inputs: Vec<PathBuf>,
    output: PathBuf,
    size: (u32, u32),
    color: String,
    shape: String,
    focus: bool,
    turn: f32,
    zoom: f32,
    opacity: f32,
    bench: u32,
    half: bool,
    backbone: String,
    bases: String,
    net: bool,
    time_surfaces: bool,
    spacing: f32,
    cavities: bool,
    pocket: f32,
    settings: RenderSettings,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options {
        inputs: Vec::new(),
        output: "picture.png".into(),
        size: (1280, 800),
        color: "chain".into(),
        shape: "cartoon".into(),
        focus: false,
        turn: 0.0,
        zoom: 1.0,
        opacity: 1.0,
        bench: 0,
        half: false,
        backbone: "ribbon".into(),
        bases: String::new(),
        net: false,
        time_surfaces: false,
        spacing: 0.5,
        cavities: false,
        pocket: 0.0,
        settings: RenderSettings::default().still(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "-o" => options.output = value()?.into(),
            "--size" => {
                let text = value()?;
                let (width, height) = text.split_once('x').ok_or("--size is WIDTHxHEIGHT")?;
                options.size = (width.parse()?, height.parse()?);
            }
            "--samples" => options.settings.samples = value()?.parse()?,
            "--color" => options.color = value()?,
            "--as" => options.shape = value()?,
            "--focus" => options.focus = true,
            "--turn" => options.turn = value()?.parse()?,
            "--zoom" => options.zoom = value()?.parse()?,
            "--opacity" => options.opacity = value()?.parse()?,
            "--background" => options.settings.background = Color::hex(u32::from_str_radix(&value()?, 16)?),
            "--silhouettes" => options.settings.silhouette_width = value()?.parse()?,
            "--occlusion" => options.settings.ambient_occlusion = value()?.parse()?,
            "--flat" => options.settings.lighting = Lighting::Flat,
            "--soft" => options.settings.lighting = Lighting::Soft,
            "--transparent" => options.settings.transparent_background = true,
            "--bench" => options.bench = value()?.parse()?,
            "--time-surfaces" => options.time_surfaces = true,
            "--backbone" => options.backbone = value()?,
            "--bases" => options.bases = value()?,
            "--net" => options.net = true,
            "--spacing" => options.spacing = value()?.parse()?,
            "--cavities" => options.cavities = true,
            "--pocket" => options.pocket = value()?.parse()?,
            "--half" => options.half = true,
            _ => options.inputs.push(argument.into()),
        }
    }
    if options.inputs.is_empty() {
        return Err("a structure file is needed".into());
    }
    Ok(options)
}

fn coloring(name: &str) -> Result<Coloring, Failure> {
    Ok(match name {
        "chain" => Coloring::Chain,
        "rainbow" => Coloring::Rainbow,
        "structure" => Coloring::SecondaryStructure,
        "plddt" => Coloring::Plddt,
        "potential" => Coloring::Electrostatics { range: 10.0 },
        "hydropathy" => Coloring::Hydropathy,
        "element" => Coloring::Element(CarbonColor::Chain),
        _ => return Err(format!("no colouring is called {name}").into()),
    })
}

fn backbone(name: &str, model: &kfold_molecule::Model) -> Result<BackboneStyle, Failure> {
    let values = || Arc::new(model.b_factors.clone());
    Ok(match name {
        "ribbon" => BackboneStyle::Ribbon,
        "tubes" => BackboneStyle::TubularHelices,
        "putty" => BackboneStyle::Putty(Putty::of_range(values())),
        "trace" => BackboneStyle::Trace { radius: 0.3 },
        other => return Err(format!("no backbone is called {other}").into()),
    })
}

fn scene(options: &Options) -> Result<(Scene, Camera), Failure> {
    let aspect = options.size.0 as f32 / options.size.1 as f32;
    let is_ligand = |path: &Path| path.extension().is_some_and(|extension| extension == "sdf" || extension == "mol");
    let mut objects = Vec::new();
    let mut ligand_points = Vec::new();
    for path in options.inputs.iter().filter(|path| is_ligand(path)) {
        let molecules = read_small_molecules(path)?;
        let molecule = molecules.first().ok_or("the ligand file is empty")?;
        let structure = molecule.to_structure("L", "LIG");
        let model = structure.first().ok_or("the ligand has no coordinates")?;
        let object = Object::new(100 + objects.len() as u64, model);
        let shown = AtomSelection::All.without_carbon_hydrogens(&object.topology);
        ligand_points.extend(object.points(&shown));
        let sticks =
            Representation::sticks().of(shown).colored(Coloring::Element(CarbonColor::Uniform(Color::hex(0xe0a030))));
        objects.push(object.with(sticks));
    }
    for path in options.inputs.iter().filter(|path| !is_ligand(path)) {
        let structure = read_structure(path)?;
        let model = structure.first().ok_or("the structure is empty")?;
        let mut object = Object::new(objects.len() as u64, model);
        let colors = coloring(&options.color)?;
        object = match options.shape.as_str() {
            "cartoon" => {
                let mut object = object.with_default_representations();
                for representation in &mut object.representations {
                    if let kfold_viewer::Shape::Cartoon(style) = &mut representation.shape {
                        style.backbone = backbone(&options.backbone, model)?;
                        style.bases = match options.bases.as_str() {
                            "ladder" => BaseStyle::Ladder,
                            "slabs" => BaseStyle::Slabs,
                            "hidden" => BaseStyle::Hidden,
                            _ => BaseStyle::FilledRings,
                        };
                        representation.coloring = colors.clone();
                        representation.opacity = options.opacity;
                    }
                }
                object
            }
            "glycans" => {
                object.with(Representation::cartoon().colored(colors).with_opacity(0.5)).with(Representation::glycans())
            }
            "spheres" => object.with(Representation::spheres(1.0).colored(colors)),
            "sticks" => object.with(Representation::sticks().colored(colors)),
            "balls" => object.with(Representation::ball_and_stick().colored(colors)),
            "lines" => object.with(Representation::lines().colored(colors)),
            "surface" | "gaussian" => {
                let mut style =
                    if options.shape == "gaussian" { SurfaceStyle::gaussian() } else { SurfaceStyle::default() };
                style.net = options.net;
                style.spacing = options.spacing;
                style.cavities = options.cavities;
                let polymer = AtomSelection::polymer(&object.topology);
                let mut shown = polymer.clone();
                if options.pocket > 0.0 && !ligand_points.is_empty() {
                    shown = AtomSelection::residues_near(
                        &object.topology,
                        &object.positions,
                        &ligand_points,
                        options.pocket,
                    );
                    style.of = Some(polymer.clone());
                    object = object.with(Representation::cartoon());
                }
                let surface = Representation::surface(style).of(shown).colored(colors).with_opacity(options.opacity);
                object.with(surface)
            }
            other => return Err(format!("nothing is called {other}").into()),
        };
        if options.focus && !ligand_points.is_empty() {
            let near = AtomSelection::side_chains_near(&object.topology, &object.positions, &ligand_points, 4.2)
                .without_carbon_hydrogens(&object.topology);
            object = object.with(
                Representation::new(
                    kfold_viewer::Shape::Sticks { radius: 0.15, bond_orders: false },
                    Coloring::Element(CarbonColor::Chain),
                )
                .of(near),
            );
        }
        objects.push(object);
    }
    let all: Vec<_> = objects.iter().flat_map(|object| object.positions.iter().copied()).collect();
    let around: Vec<_> =
        objects.iter().filter(|object| object.id < 100).flat_map(|object| object.positions.iter().copied()).collect();
    let mut camera = if options.focus && !ligand_points.is_empty() {
        Camera::looking_into_pocket(&ligand_points, &around, aspect)
    } else {
        Camera::looking_at(&all, aspect)
    };
    camera.orbit(options.turn.to_radians(), 0.0);
    camera.zoom(options.zoom);
    Ok((Scene { objects, ..Scene::default() }, camera))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = options()?;
    let gpu = Gpu::headless()?;
    eprintln!("{}", gpu.description());
    let mut renderer = Renderer::new(gpu.clone())?;
    let (scene, mut camera) = scene(&options)?;
    if options.time_surfaces {
        for representation in scene.objects.iter().flat_map(|object| &object.representations) {
            let kfold_viewer::Shape::Surface(style) = &representation.shape else { continue };
            let Some(object) = scene.objects.iter().find(|object| object.representations.contains(representation))
            else {
                continue;
            };
            let source = SurfaceSource {
                topology: Arc::clone(&object.topology),
                positions: Arc::clone(&object.positions),
                atoms: representation.atoms.clone(),
                style: style.clone(),
                potential: matches!(representation.coloring, Coloring::Electrostatics { .. }),
            };
            let atoms = representation.atoms.indices(&object.topology).len();
            // The first time the shaders are compiled.
            for _ in 0..3 {
                let start = Instant::now();
                let mesh = source.build(&gpu, &AtomicBool::new(false))?.unwrap_or_default();
                eprintln!(
                    "{atoms} atoms: {} triangles, {:.0} Å², {:.0} Å³ in {:.0} ms",
                    mesh.triangles.len(),
                    mesh.area(),
                    mesh.volume(),
                    start.elapsed().as_secs_f64() * 1000.0
                );
            }
        }
        return Ok(());
    }
    if options.bench > 0 {
        let mut settings = RenderSettings { samples: 1, quality: Quality::Normal, ..options.settings };
        if options.half {
            settings = settings.while_moving(&gpu);
        }
        // The first picture builds the cartoon and compiles the shaders.
        renderer.render_to_image(&scene, &camera, options.size.0, options.size.1, &settings)?;
        let start = Instant::now();
        for _ in 0..options.bench {
            camera.orbit(0.02, 0.0);
            renderer.render(&scene, &camera, options.size, &settings)?;
            renderer.pick(options.size.0 as f32 * 0.5, options.size.1 as f32 * 0.5)?;
        }
        eprintln!("{:.1} ms a frame", start.elapsed().as_secs_f64() * 1000.0 / f64::from(options.bench));
        return Ok(());
    }
    let start = Instant::now();
    let picture = renderer.render_to_image(&scene, &camera, options.size.0, options.size.1, &options.settings)?;
    eprintln!("{} in {:.2} s", options.output.display(), start.elapsed().as_secs_f64());
    picture.save(&options.output)?;
    Ok(())
}
