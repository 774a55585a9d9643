//! Golden examples (files of the four formats beside what becomes of them), what is left out by its words, hostile files.

use std::path::Path;

use proptest::prelude::*;

use super::*;

fn read(text: &str, format: QueryFormat) -> Result<Vec<Imported>> {
    parse(text, format, Path::new("/data"), "stem")
}

fn json(text: &str) -> Imported {
    read(text, QueryFormat::Json).unwrap().remove(0)
}

fn yaml(imported: &Imported) -> String {
    imported.query.to_text(QueryFormat::Yaml, None).unwrap()
}

fn assert_is(imported: &Imported, source: QuerySource, expected: &str, left_out: &[&str]) {
    assert_eq!(imported.source, source);
    assert_eq!(yaml(imported), expected, "left out: {:#?}", imported.left_out);
    let again = Query::parse(expected, QueryFormat::Yaml, Path::new("/data")).unwrap();
    assert_eq!(again, imported.query, "what is written is what was read");
    assert_eq!(imported.left_out, left_out);
}

#[test]
fn a_boltz_file_becomes_a_query_and_says_what_is_left() {
    let imported = read(include_str!("fixtures/boltz.yaml"), QueryFormat::Yaml).unwrap().remove(0);
    assert_is(
        &imported,
        QuerySource::Boltz,
        include_str!("fixtures/boltz.expected.yaml"),
        &[
            "sequences[0].protein.msa: K-Fold reads no alignments; its language model takes their place",
            "sequences[1].protein.cyclic: cyclic chains cannot be asked for; give the bond between the ends under `bonds` if \
             it is meant",
            "constraints[1].pocket: K-Fold takes no pocket constraint; for docking name the pocket's residues in the known \
             structure",
            "constraints[2].contact: K-Fold takes no contact constraint",
            "templates: K-Fold takes no templates; a structure of the unbound protein can be its `apo`",
            "properties: affinity is not asked for but always given: by docking, and by K-Fold where its affinity weights are",
            "sequences: the chain `2` is called `E` here",
        ],
    );
}

#[test]
fn an_alphafold3_file_becomes_a_query_with_its_seeds() {
    let imported = json(include_str!("fixtures/alphafold3.json"));
    assert_eq!(imported.seeds, [7, 11]);
    assert_is(
        &imported,
        QuerySource::AlphaFold3,
        include_str!("fixtures/alphafold3.expected.yaml"),
        &[
            "name: `Kinase with cofactor` cannot name files; the query is called `Kinase_with_cofactor`",
            "sequences[0].protein.unpairedMsa: K-Fold reads no alignments; its language model takes their place",
            "userCCDPath: components of one's own cannot be given; write the molecule as SMILES",
        ],
    );
}

#[test]
fn jobs_of_the_server_become_queries() {
    let all = read(include_str!("fixtures/server.json"), QueryFormat::Json).unwrap();
    assert_eq!(all.iter().map(|one| one.query.name.as_str()).collect::<Vec<_>>(), ["first_job", "second"]);
    assert_eq!(all[0].seeds, [1_593_933_729]);
    assert_is(
        &all[0],
        QuerySource::AlphaFoldServer,
        include_str!("fixtures/server.expected.yaml"),
        &[
            "[0].sequences[0].proteinChain.glycans[0]: the glycan NAG(NAG(BMA)) at position 8: a sugar tree says no linkage \
             atoms; add its sugars as a ligand of components and the bonds between them",
            "[0].sequences[0].proteinChain.maxTemplateDate: K-Fold takes no templates; a structure of the unbound protein can \
             be its `apo`",
        ],
    );
}

#[test]
fn fasta_records_become_chains_and_copies() {
    let imported = import_fasta(include_str!("fixtures/complex.fasta"), "my complex").unwrap();
    assert_eq!(imported.query.name, "my_complex");
    assert_is(
        &imported,
        QuerySource::Fasta,
        include_str!("fixtures/complex.expected.yaml"),
        &[
            "line 1: letters that stand for several residues became unknown ones: B20",
            "line 4: K-Fold reads no alignments; its language model takes their place",
            "line 10: letters that stand for several residues became unknown ones: R5, Y6",
        ],
    );
    assert_eq!(import_fasta("MKTA\nYIAK\n", "x").unwrap().query.sequences.len(), 1);
    for (text, words) in [
        ("", "line 1: there is no sequence"),
        (">a\n>b\nMK", "line 1: the record is empty"),
        (">a\nMK1\n", "`1` at position 3"),
        (">A|dna\nACGU\n", "`U` at position 4 is no base of DNA"),
    ] {
        let error = import_fasta(text, "x").unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
    }
}

#[test]
fn files_are_told_apart_by_their_fields() {
    let source = |text: &str| read(text, QueryFormat::Yaml).unwrap()[0].source;
    let own = "sequences:\n- protein: {id: A, sequence: MK}\n";
    assert_eq!(source(own), QuerySource::KFold);
    assert_eq!(source(&format!("version: 1\n{own}")), QuerySource::Boltz);
    assert_eq!(source("sequences:\n- protein: {id: A, sequence: MK, msa: empty}\n"), QuerySource::Boltz);
    let modified = "sequences:\n- protein: {id: A, sequence: MS, modifications: [{position: 2, ccd: SEP}]}\n";
    assert_eq!(source(modified), QuerySource::Boltz);
    let chain = r#""sequences": [{"proteinChain": {"sequence": "MK", "count": 1}}]"#;
    assert_eq!(json(&format!("{{{chain}}}")).source, QuerySource::AlphaFoldServer);
    let early = r#"{"name": "n", "modelSeeds": [0, 5, 5], "sequences": [{"protein": {"id": "A", "sequence": "MK"}}]}"#;
    let early = json(early);
    assert_eq!((early.source, early.seeds.as_slice()), (QuerySource::AlphaFold3, [5].as_slice()));
    assert_eq!(early.left_out, ["modelSeeds[0]: seeds begin at 1 here; the seed 0 is left out"]);
    let error = read(r#"{"dialect": "alphafold9", "sequences": []}"#, QueryFormat::Json).unwrap_err().to_string();
    assert!(error.starts_with("dialect: `alphafold9` is no dialect"), "{error}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = |text: &str| read(text, QueryFormat::Json).unwrap_err().to_string();
    let server = |body: &str| format!(r#"[{{"name": "n", "sequences": [{{"proteinChain": {body}}}]}}]"#);
    assert!(error(&server(r#"{"sequence": "MK", "count": 1000000000}"#)).contains("from 1 to 1000"));
    assert!(error(&server(r#"{"sequence": "MK", "count": -1}"#)).starts_with("[0].sequences[0].proteinChain.count"));
    assert!(error(&server(r#"{"sequence": "MJ"}"#)).contains("`J` at position 2"));
    assert!(error("[]").contains("the list of jobs is empty"));
    let unknown = json(
        r#"{"dialect": "alphafold3", "name": "n", "sequences": [{"protein": {"id": "A", "sequence": "MK",
        "colour": "red"}}, {"ligand": {"id": "L", "ccdCodes": ["QQQQ9"]}}], "version": 99}"#,
    );
    assert_eq!(unknown.left_out.len(), 3, "{:?}", unknown.left_out);
    assert!(unknown.left_out[0].starts_with("version: this version"));
    assert_eq!(unknown.left_out[1], "sequences[0].protein.colour: this field is not known here");
    assert!(unknown.left_out[2].contains("no `QQQQ9`"));
}

#[test]
fn huge_and_deep_files_are_refused() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(read(&deep, QueryFormat::Json).is_err());
    let wide = format!("[[{}0]]", "0,".repeat(1_100_000));
    assert!(read(&wide, QueryFormat::Json).unwrap_err().to_string().contains("too many"));
    let many = (0..3_000).map(|number| format!("\"f{number}\": 1")).collect::<Vec<_>>().join(",");
    let imported = json(&format!(
        r#"{{"dialect": "alphafold3", "name": "n", "sequences": [{{"protein": {{"id": "A", "sequence": "MK"}}}}], {many}}}"#
    ));
    assert_eq!(imported.left_out.len(), MAX_LISTED + 1);
    assert_eq!(imported.left_out[MAX_LISTED], "and 2950 more");
}

/// A job of random entities in AlphaFold 3's dialect, with the number of its chains and its residues.
fn alphafold3_job() -> impl Strategy<Value = (String, usize, usize)> {
    let protein =
        ("[ACDEFGHIKLMNPQRSTVWY]{1,30}", 1_usize..4).prop_map(|(sequence, copies)| ("protein", sequence, copies));
    let rna = ("[ACGU]{1,20}", 1_usize..3).prop_map(|(sequence, copies)| ("rna", sequence, copies));
    let dna = ("[ACGT]{1,20}", 1_usize..3).prop_map(|(sequence, copies)| ("dna", sequence, copies));
    prop::collection::vec(prop_oneof![protein, rna, dna], 1..6).prop_map(|entities| {
        let (mut chains, mut residues) = (0, 0);
        let mut entries = Vec::new();
        for (kind, sequence, copies) in entities {
            let ids: Vec<String> = (0..copies).map(|copy| format!("\"C{}\"", chains + copy)).collect();
            entries.push(format!(r#"{{"{kind}": {{"id": [{}], "sequence": "{sequence}"}}}}"#, ids.join(",")));
            chains += copies;
            residues += copies * sequence.len();
        }
        let text = format!(
            r#"{{"name": "n", "modelSeeds": [3], "dialect": "alphafold3", "version": 1, "sequences": [{}]}}"#,
            entries.join(",")
        );
        (text, chains, residues)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_chain_and_residue_comes_along((text, chains, residues) in alphafold3_job()) {
        let imported = json(&text);
        prop_assert!(imported.left_out.is_empty());
        let found: Vec<(&str, usize)> = imported.query.sequences.iter().flat_map(Entity::chains).collect();
        prop_assert_eq!(found.len(), chains);
        prop_assert_eq!(found.iter().map(|(_, length)| length).sum::<usize>(), residues);
        let again = Query::parse(&yaml(&imported), QueryFormat::Yaml, Path::new("/data")).unwrap();
        prop_assert_eq!(again, imported.query);
    }

    #[test]
    fn damaged_files_are_read_or_refused(cut in 0_usize..2_000, letter in any::<char>(), place in 0_usize..2_000) {
        let files = [
            (include_str!("fixtures/boltz.yaml"), QueryFormat::Yaml),
            (include_str!("fixtures/alphafold3.json"), QueryFormat::Json),
            (include_str!("fixtures/server.json"), QueryFormat::Json),
        ];
        for (text, format) in files {
            let letters: Vec<char> = text.chars().collect();
            let cut: String = letters.iter().take(cut).collect();
            let _ = read(&cut, format);
            let mut changed = letters;
            let place = place % changed.len();
            changed[place] = letter;
            if let Ok(all) = read(&changed.iter().collect::<String>(), format) {
                for one in all {
                    prop_assert!(one.query.validate().is_ok());
                }
            }
        }
    }

    #[test]
    fn any_text_is_fasta_or_refused(text in "(>[ -~]{0,20}\n)?[ -~\n]{0,120}") {
        if let Ok(imported) = import_fasta(&text, "x") {
            prop_assert!(imported.query.validate().is_ok());
        }
    }
}
