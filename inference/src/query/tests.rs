//! Spellings, errors by their text, and that writing and reading is the identity.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::settings::ScoringFunction;

const FOLDER: &str = "/data/queries";

fn yaml(text: &str) -> Result<Query, QueryError> {
    Query::parse(text, QueryFormat::Yaml, Path::new(FOLDER))
}

fn error(text: &str) -> String {
    yaml(text).unwrap_err().to_string()
}

fn with(entry: &str) -> String {
    format!("name: t\nsequences:\n{entry}")
}

const EVERYTHING: &str = r"
name: everything
sequences:
- protein:
    id: A
    sequence: AVFGMTRSAFANLP
    modifications:
    - index: 8
      ccd: SEP
    apo:
    - apo/unbound.pdb
- dna: {id: [C, D], sequence: ACG}
- rna: {id: E, sequence: GUAC}
- ligand: {id: F, smiles: c1ccccc1O, description: phenol}
- ligand: {id: H, ccd: NAG}
- ligand: {id: I, ccd: [NAG, NAG, 017]}
- protein_pair: {id1: [J, L], id2: [K, M], sequence1: EVQL, sequence2: DIVM}
bonds:
- - [A, 12, ND2]
  - [H, 1, C1]
";

#[test]
fn reads_the_published_form() {
    let query = yaml(EVERYTHING).unwrap();
    assert_eq!(query.name, "everything");
    let Entity::Protein(protein) = &query.sequences[0] else { panic!() };
    assert_eq!(protein.ids, ["A"]);
    assert_eq!(protein.modifications, [Modification { index: 8, ccd: "SEP".into() }]);
    assert_eq!(protein.apo, [Path::new("/data/queries/apo/unbound.pdb")]);
    let Entity::Ligand(glycan) = &query.sequences[5] else { panic!() };
    assert_eq!(glycan.source, LigandSource::Ccd(vec!["NAG".into(), "NAG".into(), "017".into()]));
    assert_eq!(query.sequences[5].chains(), [("I", 3)]);
    assert_eq!(query.sequences[6].chains(), [("J", 4), ("K", 4), ("L", 4), ("M", 4)]);
    assert_eq!(query.bonds[0].atom1, AtomReference { chain: "A".into(), residue: 12, atom: "ND2".into() });
    assert_eq!(query.receptor_file(), None, "two proteins: which one is meant is not known");
}

#[test]
fn writes_what_the_public_program_reads() {
    let text = yaml(EVERYTHING).unwrap().to_text(QueryFormat::Json, Some(Path::new(FOLDER))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["bonds", "name", "sequences"]);
    assert_eq!(
        json["sequences"][0],
        serde_json::json!({"protein": {"id": ["A"], "sequence": "AVFGMTRSAFANLP", "apo": ["apo/unbound.pdb"],
            "modifications": [{"index": 8, "ccd": "SEP"}]}})
    );
    assert_eq!(
        json["sequences"][6],
        serde_json::json!({"protein_pair": {"id1": ["J", "L"], "id2": ["K", "M"], "sequence1": "EVQL",
            "sequence2": "DIVM"}})
    );
    assert_eq!(json["bonds"], serde_json::json!([[["A", 12, "ND2"], ["H", 1, "C1"]]]));
}

#[test]
fn all_spellings_of_a_pair_are_one() {
    let form = |id: &str| with(&format!("- protein_pair: {{{id}, sequence1: EVQL, sequence2: DIVM}}\n"));
    let one = yaml(&form("id1: H, id2: L")).unwrap();
    assert_eq!(yaml(&form("id1: [H], id2: [L]")).unwrap(), one);
    assert_eq!(yaml(&form("id: [H, L]")).unwrap(), one);
    assert_eq!(yaml(&form("id: [[H, L]]")).unwrap(), one);
    assert_eq!(yaml(&form("id: 'H:L'")).unwrap(), one);
    let older = "name: t\nmultimer_sequences:\n- protein: {id: H:L, sequence: EVQL:DIVM}\n";
    assert_eq!(yaml(older).unwrap(), one);
    let two = yaml(&form("id1: [H, M], id2: [L, N]")).unwrap();
    assert_eq!(yaml(&form("id: [[H, L], [M, N]]")).unwrap(), two);
    assert_eq!(yaml(&form("id: ['H:L', 'M:N']")).unwrap(), two);
    assert!(error(&form("id: [H, L, M]")).contains("sequences[0].protein_pair.id"));
    assert!(error(&form("id: H, id1: L")).contains("either `id` or `id1` with `id2`"));
}

#[test]
fn all_spellings_of_a_modification_are_one() {
    let form = |text: &str| with(&format!("- protein: {{id: A, sequence: AVSG, apo: a.pdb, modifications: {text}}}\n"));
    let one = yaml(&form("[{index: 3, ccd: SEP}]")).unwrap();
    assert_eq!(yaml(&form("[{residue_index: 3, ccd: SEP}]")).unwrap(), one);
    assert_eq!(yaml(&form("{3: SEP}")).unwrap(), one);
    assert_eq!(
        error(&form("[{index: 5, ccd: SEP}]")),
        "sequences[0].protein.modifications[0].index: position 5 is outside the sequence (1 to 4)"
    );
    assert!(error(&form("[{index: 3, ccd: SEP}, {index: 3, ccd: TPO}]")).contains("modified twice"));
    assert!(error(&form("[{index: 3, ccd: sep}]")).contains("modifications[0].ccd: `sep` is no component code"));
}

#[test]
fn older_constraints_become_bonds_or_are_refused() {
    let base = with("- protein: {id: A, sequence: AVSG}\n- ligand: {id: B, ccd: NAG}\nconstraints:\n");
    let query = yaml(&format!("{base}- bond: {{atom1: [A, 3, OG], atom2: [B, 1, C1]}}\n")).unwrap();
    assert_eq!(query.bonds.len(), 1);
    let refused = error(&format!("{base}- distance: {{atom1: [A, 3, OG], atom2: [B, 1, C1]}}\n"));
    assert!(refused.starts_with("constraints[0]: K-Fold 1.0.0 knows no `distance` constraint"), "{refused}");
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let cases = [
        ("- ligand: {id: A, smile: C}\n", "sequences[0].ligand: unknown field `smile`; did you mean `smiles`?"),
        ("- ligand: {id: A}\n", "sequences[0].ligand: a ligand has exactly one of `smiles`, `ccd` and `sdf`"),
        ("- ligand: {id: A, smiles: C, ccd: GOL}\n", "sequences[0].ligand: a ligand has exactly one of"),
        (
            "- ligand: {id: A, smiles: [Na+]}\n",
            "sequences[0].ligand.smiles: expected text, found a list; text that begins",
        ),
        ("- ligand: {id: A, ccd: 123}\n", "sequences[0].ligand.ccd: expected text, found a number; put it in quotes"),
        ("- ligand: {id: A, smiles: null}\n", "sequences[0].ligand: `smiles` is null; leave the field out"),
        ("- ligand: {id: 1A, smiles: C}\n", "sequences[0].ligand.id: `1A` is no chain id; begin with a letter"),
        ("- ligand: {id: [], smiles: C}\n", "sequences[0].ligand.id: there is no chain id"),
        ("- ligand: {id: A, smiles: ''}\n", "sequences[0].ligand.smiles: the SMILES is empty"),
        ("- ligand: {id: A, smiles: C1CC}\n", "sequences[0].ligand.smiles: SMILES `C1CC`"),
        (
            "- protein: {id: A, sequence: avg}\n",
            "sequences[0].protein.sequence: `a` at position 1 is no protein residue; use",
        ),
        (
            "- protein: {id: A, sequence: 'AV G'}\n",
            "sequences[0].protein.sequence: ` ` at position 3 is no protein residue; remove",
        ),
        (
            "- dna: {id: A, sequence: ACU}\n",
            "sequences[0].dna.sequence: `U` at position 3 is no DNA residue; the letters are",
        ),
        ("- rna: {id: A, sequence: ACU, apo: x.pdb}\n", "sequences[0].rna: `apo` belongs to proteins"),
        ("- protein: {id: A, sequence: AV, prior: x.pdb}\n", "sequences[0].protein.prior: prior structures need `apo`"),
        (
            "- protien: {id: A, sequence: AV}\n",
            "sequences[0]: unknown sequence type `protien`; did you mean `protein`?",
        ),
        ("- protein: {id: A, sequence: AV}\n  ligand: {}\n", "sequences[0]: an entry is one sequence type"),
        (
            "- protein: {id: A, sequence: AV}\n- ligand: {id: A, smiles: C}\n",
            "sequences[1].ligand.id: the chain id `A` is used twice",
        ),
        ("- ligand: {id: A, smiles: C}\nbonds: [[[A, 1, C1], [B, 1, C1]]]\n", "bonds[0]: there is no chain `B`"),
        (
            "- ligand: {id: A, smiles: C}\nbonds: [[[A, 1, C1], [A, 2, C1]]]\n",
            "bonds[0]: position 2 is outside chain `A`",
        ),
        (
            "- ligand: {id: A, smiles: C}\nbonds: [[[A, 1, C1], [A, 1, C1]]]\n",
            "bonds[0]: a bond joins two different atoms",
        ),
        (
            "- ligand: {id: A, smiles: C}\npocket: {residues: [A145]}\n",
            "pocket.residues[0]: `A145` is no residue; write the",
        ),
        ("- ligand: {id: A, smiles: C}\npocket: {center: [0, 0, 0]}\n", "pocket: a pocket is one of `residues`"),
        (
            "- ligand: {id: A, smiles: C}\npocket: {center: [0, 0], size: [1, 1, 1]}\n",
            "pocket.center: expected three numbers",
        ),
        (
            "- ligand: {id: A, smiles: C}\npocket: {center: [0, 0, 0], size: [1, -1, 1]}\n",
            "pocket.size: every edge must be",
        ),
        ("- ligand: {id: A, smiles: C}\nengine: vina\n", "engine: unknown engine `vina`; the engines here are docking"),
        (
            "- ligand: {id: A, smiles: C}\nengine: {name: docking, docking: {pose: 3}}\n",
            "engine.docking: unknown field `pose`",
        ),
        (
            "- ligand: {id: A, smiles: C}\nengine: {name: docking, docking: {poses: 0}}\n",
            "engine.docking.poses: 0 is not between",
        ),
        ("- ligand: {id: A, smiles: C}\nseries: [{id: x}]\n", "series[0]: a ligand of a series has exactly one of"),
        (
            "- ligand: {id: A, smiles: C}\nseries: [{id: x, smiles: C, measured_pk: 250}]\n",
            "series[0].measured_pk: a pK is",
        ),
        ("- ligand: {id: A, smiles: C}\nextra: 1\n", "query: unknown field `extra`; the fields here are"),
    ];
    for (entry, expected) in cases {
        let error = error(&with(entry));
        assert!(error.starts_with(expected), "for {entry}: {error}");
    }
    assert!(error("name: a b\nsequences: [{ligand: {id: A, smiles: C}}]").starts_with("name: `a b` cannot name"));
    assert!(error("sequences: [{ligand: {id: A, smiles: C}}]").starts_with("query: the field `name` is missing"));
    assert!(error("name: t").starts_with("query: the field `sequences` is missing"));
    assert!(error("- a").starts_with("query: expected a mapping of fields, found a list"));
    assert!(error("name: t\nname: u\nsequences: []").contains("name"));
    assert!(error("name: [t\nsequences").starts_with("not valid YAML:"));
}

#[test]
fn our_additions() {
    let query = yaml(
        r"
name: t
sequences:
- ligand: {id: L, sdf: ligand.sdf}
structure: receptor.pdb
pocket: {residues: [A:145, B:52A]}
engine: {name: docking, docking: {exhaustiveness: 32, scoring: vina}}
series:
- {id: a, smiles: CCO, pAffinity: 6.5}
- {id: b, sdf: series.sdf, record: 2}
",
    )
    .unwrap();
    let Entity::Ligand(ligand) = &query.sequences[0] else { panic!() };
    assert_eq!(ligand.source, LigandSource::sdf("/data/queries/ligand.sdf"));
    assert_eq!(query.receptor_file(), Some(Path::new("/data/queries/receptor.pdb")));
    let Some(Pocket::Residues { residues, .. }) = &query.pocket else { panic!() };
    assert_eq!(residues, &["A:145", "B:52A"]);
    let settings = crate::settings::Settings::for_query(&query);
    assert_eq!(settings.docking.exhaustiveness, 32);
    assert_eq!(settings.docking.scoring, ScoringFunction::Vina);
    assert_eq!(query.series[0].measured_pk, Some(6.5));
    assert_eq!(query.series[1].source, LigandSource::Sdf { file: "/data/queries/series.sdf".into(), record: 2 });
}

#[test]
fn assembly_is_kept_and_checked() {
    let base = with(
        "- protein: {id: A, sequence: AV}\n- protein_pair: {id: [B, C], sequence1: AV, sequence2: AV}\nassembly:\n  stages:\n",
    );
    let query = yaml(&format!("{base}  - {{id: pair, chains: [B, C]}}\n  selection: confidence_top1\n")).unwrap();
    let text = query.to_text(QueryFormat::Yaml, None).unwrap();
    assert_eq!(yaml(&text).unwrap(), query);
    assert!(error(&format!("{base}  - {{id: pair, chains: [A, B]}}\n")).contains("B and C cannot be split"));
    assert!(error(&format!("{base}  - {{id: final, chains: [A]}}\n")).contains("cannot name a stage"));
    assert!(error(&format!("{base}  - {{id: x, chains: [Z]}}\n")).contains("no chain `Z`"));
    assert!(error(&format!("{base}  - {{id: x, chains: [A]}}\n  selection: best\n")).contains("assembly.selection"));
}

#[test]
fn hostile_files_are_refused_quickly() {
    let deep = format!("name: t\nsequences: {}", "[".repeat(5_000));
    assert!(yaml(&deep).is_err());
    let deep_json = format!("{{\"name\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    assert!(Query::parse(&deep_json, QueryFormat::Json, Path::new(FOLDER)).unwrap_err().to_string().contains("deep"));
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}, ", level - 1).repeat(10);
        aliases.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    assert!(yaml(&aliases).is_err());
    assert!(yaml("name: t\n---\nname: u\n").is_err());
    assert!(Query::parse("{\"name\": \"t\", \"name\": \"u\"}", QueryFormat::Json, Path::new(FOLDER)).is_err());
    assert!(Query::parse("{} {}", QueryFormat::Json, Path::new(FOLDER)).is_err());
}

#[test]
fn files_are_found_beside_the_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.yaml");
    std::fs::write(folder.path().join("r.pdb"), "END\n").unwrap();
    std::fs::write(folder.path().join("l.csv"), "id,smiles,pAffinity\nx,CCO,6.5\ny,\"CCN\",\n").unwrap();
    std::fs::write(
        &path,
        "sequences: [{ligand: {id: L, smiles: CCO}}]\nstructure: r.pdb\nseries: l.csv\npocket: {ligand: l.sdf}\n",
    )
    .unwrap();
    let missing = Query::read(&path).unwrap_err().to_string();
    assert!(missing.contains("case.yaml: pocket.ligand: ") && missing.contains("l.sdf"), "{missing}");
    std::fs::write(folder.path().join("l.sdf"), "").unwrap();
    let query = Query::read(&path).unwrap();
    assert_eq!(query.name, "case");
    assert_eq!(query.series.len(), 2);
    assert_eq!(query.series[0].measured_pk, Some(6.5));
    assert_eq!(query.series[1].measured_pk, None);
    // Written somewhere else it still finds its files.
    let other = folder.path().join("sub");
    std::fs::create_dir(&other).unwrap();
    query.write(&other.join("copy.json")).unwrap();
    assert!(std::fs::read_to_string(other.join("copy.json")).unwrap().contains("\"../r.pdb\""));
    let again = Query::read(&other.join("copy.json")).unwrap();
    assert_eq!(again.structure.unwrap().canonicalize().unwrap(), query.structure.unwrap().canonicalize().unwrap());
}

#[test]
fn every_sample_reads() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path().join("query.yaml");
        if path.exists() {
            names.push(Query::read(&path).unwrap().name);
        }
    }
    names.sort();
    for name in ["adenylate_kinase", "egfr_erlotinib", "thrombin_series"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
}

#[test]
fn series_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let smiles = read_series(&write("a.smi", "CCO ethanol\n# comment\nCCN\n")).unwrap();
    assert_eq!(smiles[0].name, "ethanol");
    assert_eq!((smiles[1].name.as_str(), &smiles[1].source), ("ligand-2", &LigandSource::Smiles("CCN".into())));
    let sdf = read_series(&write(
        "a.sdf",
        "first\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n> <pIC50>\n7.25\n\n$$$$\n\n\n\n  0  0\nM  END\n$$$$\n",
    ))
    .unwrap();
    assert_eq!(sdf.len(), 2);
    assert_eq!((sdf[0].name.as_str(), sdf[0].measured_pk), ("first", Some(7.25)));
    assert_eq!((sdf[1].name.as_str(), sdf[1].measured_pk), ("ligand-2", None));
    assert!(matches!(sdf[1].source, LigandSource::Sdf { record: 2, .. }));
    let error = |name: &str, text: &str| read_series(&write(name, text)).unwrap_err().to_string();
    assert!(error("b.csv", "id,smile\nx,C\n").contains("line 1: there is no column `smiles` among id, smile"));
    assert!(error("b.csv", "id,smiles,pk\nx,C,high\n").contains("line 2: `high` is not a measured pK"));
    assert!(error("b.csv", "id,smiles\n").contains("there is no ligand in it"));
    assert!(error("b.txt", "C\n").contains("a series is a .csv, .smi or .sdf file"));
}

fn id() -> impl Strategy<Value = String> {
    "[A-Z][A-Za-z0-9_]{0,3}"
}

/// Text with everything that YAML could take for something else.
fn awkward_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,24}",
        "[a-zA-Z0-9+=()\\[\\]#@/\\\\%.:-]{1,24}",
        "\\PC{1,12}",
        Just("null".to_owned()),
        Just("NO".to_owned()),
        Just("1e5".to_owned()),
        Just("0x1F".to_owned()),
        Just("017".to_owned()),
        Just("- a: b # c".to_owned()),
        Just("two\nlines\n".to_owned()),
        Just("~".to_owned()),
    ]
}

fn path() -> impl Strategy<Value = PathBuf> {
    "[a-zA-Z0-9][a-zA-Z0-9 ._'#:-]{0,10}\\.(pdb|sdf)".prop_map(|name| Path::new(FOLDER).join("sub").join(name))
}

fn modification(length: usize) -> impl Strategy<Value = Vec<Modification>> {
    proptest::option::of((1..=length as u32, "[A-Z0-9]{1,5}"))
        .prop_map(|one| one.into_iter().map(|(index, ccd)| Modification { index, ccd }).collect())
}

fn source() -> impl Strategy<Value = LigandSource> {
    prop_oneof![
        proptest::sample::select(vec![
            "CCO",
            "[Na+]",
            "N",
            "C#N",
            "O=[N+]([O-])c1ccccc1",
            "F/C=C\\F",
            "C[C@@H](N)C(=O)O"
        ])
        .prop_map(|smiles| LigandSource::Smiles(smiles.into())),
        (path(), 1_u32..9).prop_map(|(file, record)| LigandSource::Sdf { file, record }),
    ]
}

fn entity() -> impl Strategy<Value = Entity> {
    let polymer = |letters: &'static str| {
        (letters, proptest::option::of(awkward_text())).prop_flat_map(|(sequence, description)| {
            (modification(sequence.len()), Just(sequence), Just(description)).prop_map(
                |(modifications, sequence, description)| Polymer {
                    sequence,
                    modifications,
                    description,
                    ..Polymer::default()
                },
            )
        })
    };
    let structures = proptest::collection::btree_set(path(), 0..3).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    prop_oneof![
        (polymer("[ARNDCQEGHILKMFPSTWYVX]{1,30}"), structures).prop_map(|(polymer, apo)| Entity::Protein(Polymer {
            prior: apo.clone(),
            apo,
            ..polymer
        })),
        polymer("[ACGTN]{1,9}").prop_map(Entity::Dna),
        polymer("[ACGUN]{1,9}").prop_map(Entity::Rna),
        (source(), proptest::option::of(awkward_text())).prop_map(|(source, description)| Entity::Ligand(Ligand {
            ids: Vec::new(),
            source,
            description
        })),
        proptest::collection::vec("[A-Z0-9]{1,5}", 1..3).prop_map(|codes| Entity::Ligand(Ligand {
            ids: Vec::new(),
            source: LigandSource::Ccd(codes),
            description: None
        })),
        ("[ARNDC]{1,9}", "[ARNDC]{1,9}").prop_map(|(sequence1, sequence2)| Entity::ProteinPair(ProteinPair {
            sequence1,
            sequence2,
            ..ProteinPair::default()
        })),
    ]
}

fn pocket() -> impl Strategy<Value = Pocket> {
    let coordinate = -500.0_f32..500.0;
    prop_oneof![
        (proptest::collection::vec("[A-Z0-9]{0,2}:-?[0-9]{1,4}[A-Z]?", 1..4), 0.0_f32..50.0)
            .prop_map(|(residues, padding)| Pocket::Residues { residues, padding }),
        (proptest::array::uniform3(coordinate), proptest::array::uniform3(0.001_f32..250.0))
            .prop_map(|(center, size)| Pocket::Box { center, size }),
        (path(), 0.0_f32..50.0).prop_map(|(file, padding)| Pocket::Ligand { file, padding }),
    ]
}

fn any_query() -> impl Strategy<Value = Query> {
    let series = proptest::collection::vec((source(), proptest::option::of(-4.0_f32..15.0)), 0..4);
    let engine = proptest::option::of(proptest::option::of((1_u32..100, 0.0_f32..9.0)));
    (
        "[A-Za-z0-9][A-Za-z0-9_.-]{0,10}",
        proptest::collection::vec(entity(), 1..6),
        proptest::collection::btree_set(id(), 12),
        proptest::option::of(path()),
        proptest::option::of(pocket()),
        series,
        engine,
    )
        .prop_map(|(name, mut sequences, ids, structure, pocket, series, engine)| {
            let mut ids = ids.into_iter();
            for entity in &mut sequences {
                match entity {
                    Entity::Protein(polymer) | Entity::Dna(polymer) | Entity::Rna(polymer) => {
                        polymer.ids = ids.by_ref().take(1).collect();
                    }
                    Entity::Ligand(ligand) => ligand.ids = ids.by_ref().take(2).collect(),
                    Entity::ProteinPair(pair) => {
                        pair.ids1 = ids.by_ref().take(1).collect();
                        pair.ids2 = ids.by_ref().take(1).collect();
                    }
                }
            }
            Query {
                name,
                sequences,
                structure,
                pocket,
                series: series
                    .into_iter()
                    .enumerate()
                    .map(|(index, (source, measured_pk))| SeriesLigand {
                        name: format!("{index}e1"),
                        source,
                        measured_pk,
                    })
                    .collect(),
                engine: engine.map(|docking| QueryEngine {
                    name: Some(EngineName::Docking),
                    docking: docking.map(|(poses, min_rmsd)| DockingSettings {
                        poses,
                        min_rmsd,
                        ..DockingSettings::default()
                    }),
                    kfold: None,
                }),
                ..Query::default()
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn writing_and_reading_is_the_identity(query in any_query()) {
        query.validate().unwrap();
        for format in [QueryFormat::Yaml, QueryFormat::Json] {
            let text = query.to_text(format, Some(Path::new(FOLDER))).unwrap();
            let again = Query::parse(&text, format, Path::new(FOLDER));
            match again {
                Ok(again) => prop_assert_eq!(&again, &query, "{}", text),
                Err(error) => prop_assert!(false, "{error}\n{text}"),
            }
        }
    }

    #[test]
    fn reading_never_panics(text in "(name|sequences|bonds|protein|id|[A-Z]| |\n|- |:|\\[|\\]|\\{|\\}|,|&a|\\*a|\"|1|-){0,60}") {
        let _ = yaml(&text);
        let _ = Query::parse(&text, QueryFormat::Json, Path::new(FOLDER));
    }
}
