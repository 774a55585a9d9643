use proptest::prelude::*;

use super::expression::{
    Class, Comparison, Expression, Fold, Group, ModelSpan, NumberField, Pattern, Quantity, ResidueSpan, TextField,
};
use super::*;
use crate::Element;
use crate::formats::pdb;

const TEXT: &str = "\
ATOM      1  N   SER A  -1       0.000   0.000   0.000  1.00 10.00           N
ATOM      2  CA  SER A  -1       1.470   0.000   0.000  1.00 20.00           C
ATOM      3  C   SER A  -1       2.000   1.400   0.000  1.00 30.00           C
ATOM      4  O   SER A  -1       1.300   2.400   0.000  1.00 40.00           O
ATOM      5  CB ASER A  -1       2.000  -0.800   1.200  0.60 50.00           C
ATOM      6  CB BSER A  -1       2.000  -0.800  -1.200  0.40 60.00           C
ATOM      7  N   GLY A  52       3.330   1.500   0.000  1.00 10.00           N
ATOM      8  CA  GLY A  52A      4.000   2.800   0.000  1.00 10.00           C
ATOM      9  CA  GLY A  53       7.800   2.800   0.000  1.00 10.00           C
ATOM     10  CA  GLY b   1      20.000   0.000   0.000  1.00 10.00           C
HETATM   11  C1  LIG A 200      30.000   0.000   0.000  1.00 10.00           C
HETATM   12  O5* LIG A 200      31.400   0.000   0.000  1.00 10.00           O
HETATM   13 ZN    ZN A 201      33.400   0.000   0.000  1.00 10.00          ZN2+
HETATM   14  O   HOH A 301      40.000   0.000   0.000  1.00 10.00           O
HETATM   15  S   SO4 A 202      50.000   0.000   0.000  1.00 10.00           S
HETATM   16  O1  SO4 A 202      51.450   0.000   0.000  1.00 10.00           O
";

/// Serial numbers of what is selected.
fn select(text: &str) -> Vec<i32> {
    let structure = pdb::read(TEXT.as_bytes()).unwrap();
    let model = structure.first().unwrap();
    let selection = Selection::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut serials: Vec<i32> = selection.select(model).iter().map(|atom| model.topology.atoms[atom].serial).collect();
    serials.sort_unstable();
    serials
}

#[test]
fn both_dialects_say_the_same() {
    for (texts, expected) in [
        (
            &["chain A and resi -1 and name CA", "/A:-1@CA", "///A/\\-1/CA", "A/-1/CA", "c. A & i. -1 & n. ca"][..],
            vec![2],
        ),
        (&["chain b", "/b", "chain B", "c. B", "///b", "/B"], vec![10]),
        (&["resi 52", ":52"], vec![7]),
        (
            &["resi 52-53", ":52-53", "resi 52:53", "resi 52+52A+53", "resi 52, 52A,53", "resi>=52 and resi <54"],
            vec![7, 8, 9],
        ),
        (&["resi 52A", ":52A", "A/52A/"], vec![8]),
        (&["resi 52A-53", ":52A-53"], vec![8, 9]),
        (&["resi -1-52"], vec![1, 2, 3, 4, 5, 6, 7, 8, 10]),
        (&["resi -5--1", ":-5--1", "resi \\-5-\\-1"], vec![1, 2, 3, 4, 5, 6]),
        (&["resn LIG+ZN", ":LIG,ZN", "r. lig+zn", "resn \"LIG\",zn", "LIG`200/ or ZN`/"], vec![11, 12, 13]),
        (&["name C?", "@C?", "n. c?"], vec![2, 5, 6, 8, 9, 10, 11]),
        (&["name \"O5*\"", "@\"O5*\""], vec![12]),
        (&["alt a", "alt A", "altloc A"], vec![5]),
        (&["alt A+B", "chain A and not alt '' "], vec![5, 6]),
        (&["ligand", "organic", ":LIG", "~ (polymer | solvent | ions)"], vec![11, 12]),
        (&["ions", "inorganic"], vec![13, 15, 16]),
        (&["metals", "Zn", "elem zn", "e. ZN"], vec![13]),
        (&["solvent", "water", "sol.", ":HOH"], vec![14]),
        (&["hetatm", "het"], vec![11, 12, 13, 14, 15, 16]),
        (&["b > 35", "@@bfactor>35", "B>35.0", "plddt >= 40"], vec![4, 5, 6]),
        (&["q<1", "@@occupancy<1", "q != 1"], vec![5, 6]),
        (&["fc. = 2", "formal_charge>1"], vec![13]),
        (&["id 1-2+5", "serial 1,2,5"], vec![1, 2, 5]),
        (&["x>49", "@@x>49"], vec![15, 16]),
        (&["#1/A:LIG", "#1:LIG", "#1.1:LIG", "model 1 and :LIG", "state 1 & resn LIG"], vec![11, 12]),
        (&["#2", "model 2", "none", "#1.2"], vec![]),
        (&["/A:-1@N/b:1", "(/A & :-1 & @N) | /b", "/b | /A:-1@N", "/A:-1@N /b"], vec![1, 10]),
        (&["/A,b:1,HOH"], vec![10, 14]),
        (&["/A-B:1"], vec![10]),
        (&["::name=\"LIG\"", "::number=200"], vec![11, 12]),
    ] {
        for text in texts {
            assert_eq!(select(text), expected, "{text}");
        }
    }
}

#[test]
fn distances_bonds_and_groups() {
    for (texts, expected) in [
        (&["resn LIG around 2.1", "all near_to 2.1 of :LIG", "(:LIG @<2.1) & ~:LIG"][..], vec![13]),
        (
            &["resn LIG expand 2.1", "within 2.1 of resn LIG", "all within 2.1 of ligand", ":LIG @<2.1"],
            vec![11, 12, 13],
        ),
        (&["chain A beyond 25 of resn LIG", "/A & (:LIG @>25)"], vec![1, 2, 3, 4, 5, 6, 7, 8]),
        // As in PyMOL: `and` binds tighter than `within` on both sides, `byres` takes all that follows.
        (&["name CA or name N within 1.5 of name CA and resi -1"], vec![1, 2]),
        (
            &["byres name N within 1.5 of name CA", "byres (@N & (@CA @<1.5))", "(@N & (@CA @<1.5)) :<0"],
            vec![1, 2, 3, 4, 5, 6, 7],
        ),
        (&["byres id 15", "id 15 :<0.1", ":SO4"], vec![15, 16]),
        (&["bychain id 10", "id 10 /<0.1", "bc. id 10"], vec![10]),
        (&["neighbor name CB", "nbr. name CB"], vec![2]),
        (&["bound_to (name CA and resi -1)", "bto. /A:-1@CA"], vec![1, 3, 5, 6]),
        (&["id 1 extend 1"], vec![1, 2]),
        (&["bymolecule id 1", "id 3 extend 99"], vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (&["first chain A", "last name N and resi -1"], vec![1]),
        (&["bycalpha resi 53", "bca. id 9"], vec![9]),
        (&["backbone and resi -1", "bb. & :-1"], vec![1, 2, 3, 4]),
        (&["sidechain and resi -1", "sc. & :-1"], vec![5, 6]),
        (&["byobject none", "sel"], vec![]),
        (&["helix or strand"], vec![]),
    ] {
        for text in texts {
            assert_eq!(select(text), expected, "{text}");
        }
    }
    assert_eq!(select("byobject id 3").len(), 16);
    assert_eq!(select("all within 1000000 of name CA").len(), 16);
    assert_eq!(select("not not ss l and chain A"), select("protein and chain A"));
}

#[test]
fn errors_say_where_and_what() {
    for (text, column, suggestion) in [
        ("chian A", 1, Some("chain")),
        ("chain A adn resi 5", 9, Some("and")),
        ("chain A resi 5", 9, None),
        ("(chain A", 9, None),
        ("chain A)", 8, None),
        ("resi ten", 6, None),
        ("resi 5-ten", 6, None),
        ("elem Qq", 6, None),
        ("b high", 3, None),
        ("ligand around five", 15, None),
        ("within 5 ligand", 10, None),
        ("within -5 of ligand", 8, None),
        ("chain and resi 5", 7, None),
        ("name 'CA", 6, None),
        ("", 1, None),
        ("chain A and", 12, None),
        ("ss q", 4, None),
        ("/A :10", 4, None),
        ("@@colour>3", 3, None),
        ("a/b/c/d/e/f", 1, None),
        (":<5", 1, None),
        ("bakcbone", 1, Some("backbone")),
        ("#x", 2, None),
    ] {
        let error = Selection::parse(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert_eq!(error.suggestion.as_deref(), suggestion, "{text}: {error}");
        assert!(!error.expected.is_empty());
    }
    let error = Selection::parse("chian A").unwrap_err().to_string();
    assert!(error.contains("column 1") && error.contains("did you mean `chain`?"), "{error}");
}

#[test]
fn hostile_texts_end() {
    for text in [
        "(".repeat(100_000),
        "(".repeat(60_000) + &")".repeat(60_000),
        "not ".repeat(16_000),
        "byres ".repeat(10_000) + "all",
        "all".to_owned() + &" around 1".repeat(5_000),
        "all".to_owned() + &" @<5".repeat(5_000),
        "within 5 of ".repeat(5_000) + "all",
        "x".repeat(1 << 20),
        "resi 99999999999999999999".to_owned(),
        "id 1-".to_owned(),
        "\u{feff}é😀 'ß".to_owned(),
    ] {
        assert!(Selection::parse(&text).is_err(), "{}", &text[..text.len().min(30)]);
    }
    // A long row is no nesting.
    let row = vec!["resi 5"; 5_000].join(" or ");
    let selection = Selection::parse(&row).unwrap();
    assert_eq!(Selection::parse(&selection.to_string()).unwrap(), selection);
    assert_eq!(select("resi 1-2147483647 and id 1-2147483647").len(), select("resi >= 1").len());
}

#[test]
fn a_target_says_what_a_model_cannot() {
    let structure = pdb::read(TEXT.as_bytes()).unwrap();
    let model = structure.first().unwrap();
    let selected = AtomSet::from_indices(model.positions.len(), [3, 4]);
    let target = Target { name: "1abc", number: 2, selected: Some(&selected), ..Target::new(model) };
    let count = |text: &str| Selection::parse(text).unwrap().select_in(&target).len();
    assert_eq!(count("sel"), 2);
    assert_eq!(count("#2 and sel"), 2);
    assert_eq!(count("#1"), 0);
    assert_eq!(count("object 1ab* and name ZN"), 1);
    assert_eq!(count("/1abc//A/201/ZN"), 1);
    assert_eq!(count("/other//A/201/ZN"), 0);
}

#[test]
fn a_selection_is_kept_as_its_text() {
    let selection: Selection = serde_json::from_str("\"/A:10-20@CA\"").unwrap();
    assert_eq!(serde_json::to_string(&selection).unwrap(), "\"chain A and resi 10-20 and name CA\"");
    assert!(serde_json::from_str::<Selection>("\"chian A\"").is_err());
}

fn pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof![
        "[A-Za-z0-9_][A-Za-z0-9_'.-]{0,3}".prop_map(|text| Pattern { text: text.into(), is_wild: false }),
        "[A-Z]{0,2}[*?][A-Z0-9]{0,2}".prop_map(|text| Pattern { text: text.into(), is_wild: true }),
        "[ -~é]{0,5}".prop_map(|text| Pattern { text: text.into(), is_wild: false }),
    ]
}

fn leaf() -> impl Strategy<Value = Expression> {
    let place = || (-999_i32..9999, prop::option::of(prop::char::range('A', 'Z')));
    let span = (place(), prop::option::of(place())).prop_map(|(first, last)| ResidueSpan { first, last });
    let field = prop::sample::select(vec![
        TextField::Segment,
        TextField::Chain,
        TextField::ResidueName,
        TextField::AtomName,
        TextField::Altloc,
    ]);
    let class = prop::sample::select(vec![Class::Polymer, Class::Ligand, Class::Ions, Class::Backbone, Class::Hetero]);
    let quantity = prop::sample::select(vec![
        Quantity::BFactor,
        Quantity::X,
        Quantity::ResidueNumber,
        Quantity::Serial,
        Quantity::FormalCharge,
    ]);
    let comparison = prop::sample::select(vec![Comparison::Less, Comparison::GreaterOrEqual, Comparison::NotEqual]);
    let numbers =
        prop::sample::select(vec![NumberField::Index, NumberField::Rank, NumberField::Serial, NumberField::Model]);
    let models = (1_u32..9, 1_u32..9, prop::option::of((1_u32..9, 1_u32..9)));
    prop_oneof![
        Just(Expression::All),
        Just(Expression::Current),
        class.prop_map(Expression::Class),
        (field, prop::collection::vec(pattern(), 1..4)).prop_map(|(field, items)| Expression::Text(field, items)),
        prop::collection::vec(1_u8..118, 1..4)
            .prop_map(|list| Expression::Elements(list.into_iter().map(Element::from_atomic_number).collect())),
        prop::collection::vec(span, 1..4).prop_map(Expression::Residues),
        (numbers, prop::collection::vec((-9_i64..99, 0_i64..99), 1..3))
            .prop_map(|(field, spans)| Expression::Numbers(field, spans)),
        Just(Expression::Structure(vec![Fold::Helix, Fold::Loop])),
        prop::collection::vec(models, 1..3).prop_map(|list| {
            Expression::Models(list.into_iter().map(|(first, last, model)| ModelSpan { first, last, model }).collect())
        }),
        (quantity, comparison, -1.0e6_f32..1.0e6)
            .prop_map(|(quantity, comparison, value)| Expression::Compare(quantity, comparison, value)),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    leaf().prop_recursive(5, 40, 3, |inner| {
        let group = prop::sample::select(vec![Group::Residue, Group::Chain, Group::Molecule, Group::AlphaCarbon]);
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(Expression::Not),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::and),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::or),
            (boxed(), 0.0_f32..1.0e5, any::<bool>()).prop_map(|(of, distance, includes_itself)| Expression::Near {
                of,
                distance,
                includes_itself
            }),
            (group, boxed()).prop_map(|(group, inner)| Expression::Whole(group, inner)),
            (boxed(), any::<bool>()).prop_map(|(to, outside)| Expression::Bonded { to, outside }),
            (boxed(), 0_u32..50).prop_map(|(inner, bonds)| Expression::Extend(inner, bonds)),
            (boxed(), any::<bool>()).prop_map(|(of, is_last)| Expression::End { of, is_last }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_back(expression in expression()) {
        let text = expression.to_string();
        let parsed = parser::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(parsed, expression, "{}", text);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = Selection::parse(&text);
    }

    #[test]
    fn no_row_of_words_panics(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "chain A", "and", "or", "not", "(", ")", "resi 5-", "within 5", "of", "around", "5", "byres", "@", ":", "/", "#1",
                "@<5", "all", "\"", "'", "name", "C*", "b", ">", "-", "+", ",", "~", "A/", "`", "::name=", "extend 2", "first",
            ]),
            0..25,
        ),
        spaced in any::<bool>(),
    ) {
        let text = words.join(if spaced { " " } else { "" });
        if let Ok(selection) = Selection::parse(&text) {
            let printed = selection.to_string();
            let again = Selection::parse(&printed).map_err(|error| TestCaseError::fail(format!("{text} -> {printed}: {error}")))?;
            prop_assert_eq!(again, selection, "{} -> {}", text, printed);
        }
    }
}
