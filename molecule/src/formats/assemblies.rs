//! What files say about biological assemblies: `pdbx_struct_assembly`, `pdbx_struct_assembly_gen` and `pdbx_struct_oper_list` of
//! mmCIF, `REMARK 350` of PDB.

use std::collections::HashMap;

use glam::{DMat3, DVec3};
use smol_str::SmolStr;

use super::cif::{Category, Rows, Value};
use super::text::{field, lines};
use super::{ParseError, Place, binary_cif, cif};
use crate::assemblies::{Assembly, Chains, MOST_OPERATORS, Operator, Part};

/// The assemblies of an mmCIF file.
pub(super) fn of_mmcif(bytes: &[u8]) -> Result<Vec<Assembly>, ParseError> {
    let mut found = Found::default();
    cif::walk(bytes, &mut found)?;
    found.assemblies()
}

/// The assemblies of an unpacked BinaryCIF file.
pub(super) fn of_binary_cif(bytes: &[u8]) -> Result<Vec<Assembly>, ParseError> {
    let mut found = Found::default();
    binary_cif::walk(bytes, &mut found)?;
    found.assemblies().map_err(|error| match error.place {
        Place::Line(row) => ParseError { place: Place::Row { category: GENERATOR.to_owned(), row }, ..error },
        _ => error,
    })
}

/// The categories of an mmCIF file that speak of assemblies.
#[derive(Default)]
struct Found {
    /// Names and details.
    described: Vec<(String, String)>,
    generators: Vec<Generator>,
    operators: HashMap<String, Operator>,
    category: Category,
}

struct Generator {
    line: usize,
    assembly: String,
    expression: String,
    chains: Vec<SmolStr>,
}

const ASSEMBLY: &str = "pdbx_struct_assembly";
const GENERATOR: &str = "pdbx_struct_assembly_gen";
const OPERATOR: &str = "pdbx_struct_oper_list";

impl<'a> Rows<'a> for Found {
    fn block(&mut self, _: &str) -> bool {
        // The first block that speaks of assemblies is the entry's.
        self.generators.is_empty()
    }

    fn wants(&self, category: &str) -> bool {
        [ASSEMBLY, GENERATOR, OPERATOR].contains(&category)
    }

    fn category(&mut self, category: &Category) -> Result<(), ParseError> {
        self.category = Category { name: category.name.clone(), items: category.items.clone() };
        Ok(())
    }

    fn row(&mut self, line: usize, row: &[Value<'a>]) -> Result<(), ParseError> {
        let value = |item: &str| self.category.column(item).and_then(|column| row.get(column)).copied();
        let text = |item: &str| value(item).map(|value| value.text().into_owned()).unwrap_or_default();
        match self.category.name.as_str() {
            ASSEMBLY => {
                let details = [text("details"), text("oligomeric_details")];
                let details: Vec<String> = details.into_iter().filter(|part| !part.is_empty()).collect();
                self.described.push((text("id"), details.join(", ")));
            }
            GENERATOR => {
                let chains = text("asym_id_list");
                let chains = chains.split([',', ' ', '\n']).map(str::trim).filter(|id| !id.is_empty());
                self.generators.push(Generator {
                    line,
                    assembly: text("assembly_id"),
                    expression: text("oper_expression"),
                    chains: chains.map(SmolStr::from).collect(),
                });
            }
            _ => {
                let id = text("id");
                let number = |item: String| {
                    value(&item).and_then(Value::precise_number).ok_or_else(|| {
                        let what = format!("operator {id:?} of {OPERATOR} has no number for {item}");
                        ParseError::new(
                            line,
                            what,
                            "give every operator a matrix and a vector, or remove the assemblies",
                        )
                    })
                };
                let mut columns = [[0.0; 3]; 3];
                let mut translation = [0.0; 3];
                for row in 0..3 {
                    for (column, values) in columns.iter_mut().enumerate() {
                        values[row] = number(format!("matrix[{}][{}]", row + 1, column + 1))?;
                    }
                    translation[row] = number(format!("vector[{}]", row + 1))?;
                }
                let operator = Operator {
                    rotation: DMat3::from_cols_array_2d(&columns),
                    translation: DVec3::from_array(translation),
                };
                self.operators.insert(id, operator);
            }
        }
        Ok(())
    }
}

impl Found {
    fn assemblies(self) -> Result<Vec<Assembly>, ParseError> {
        let described = self.described.into_iter();
        let mut assemblies: Vec<Assembly> =
            described.map(|(id, details)| Assembly { id, details, parts: Vec::new() }).collect();
        for generator in &self.generators {
            let wrong = |what: String| {
                let what = format!("assembly {}: {what}", generator.assembly);
                ParseError::new(generator.line, what, "correct _pdbx_struct_assembly_gen.oper_expression")
            };
            let position = assemblies.iter().position(|assembly| assembly.id == generator.assembly);
            let position = position.unwrap_or_else(|| {
                assemblies.push(Assembly { id: generator.assembly.clone(), ..Assembly::default() });
                assemblies.len() - 1
            });
            let assembly = &mut assemblies[position];
            for names in products(&generator.expression).map_err(wrong)? {
                let mut operator: Option<Operator> = None;
                // The last one listed is carried out first.
                for name in names.iter().rev() {
                    let next = self.operators.get(name);
                    let next = next.ok_or_else(|| wrong(format!("there is no operator {name:?}")))?;
                    operator = Some(operator.map_or(*next, |before| next.after(&before)));
                }
                if let Some(operator) = operator {
                    if assembly.parts.len() >= MOST_OPERATORS {
                        return Err(wrong(format!("it has more than {MOST_OPERATORS} operators")));
                    }
                    assembly.parts.push(Part { operator, chains: Chains::Label(generator.chains.clone()) });
                }
            }
        }
        assemblies.retain(|assembly| !assembly.parts.is_empty());
        Ok(assemblies)
    }
}

/// The products of operators that an expression lists: `1,2`, `(1-60)`, `(X0)(1-5,8)`.
fn products(expression: &str) -> Result<Vec<Vec<String>>, String> {
    let expression: String = expression.chars().filter(|letter| !letter.is_whitespace()).collect();
    let mut factors: Vec<Vec<String>> = Vec::new();
    let mut rest = expression.as_str();
    while !rest.is_empty() {
        let (list, after) = match rest.strip_prefix('(') {
            Some(inner) => inner.split_once(')').ok_or_else(|| format!("a bracket of {expression:?} is open"))?,
            None => rest.split_at(rest.find('(').unwrap_or(rest.len())),
        };
        factors.push(listed(list.trim_matches(','))?);
        rest = after.trim_start_matches(',');
    }
    let mut products = vec![Vec::new()];
    for factor in &factors {
        if products.len().saturating_mul(factor.len()) > MOST_OPERATORS || factors.len() > 8 {
            return Err(format!("{expression:?} stands for more than {MOST_OPERATORS} operators"));
        }
        products = products
            .iter()
            .flat_map(|product: &Vec<String>| {
                factor.iter().map(move |name| product.iter().chain([name]).cloned().collect())
            })
            .collect();
    }
    Ok(products)
}

/// The names of one factor: `1-3,X0`.
fn listed(list: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for item in list.split(',').filter(|item| !item.is_empty()) {
        let span = item.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        match span {
            Some((first, last)) if first <= last => {
                let count: u32 = last - first;
                if count as usize >= MOST_OPERATORS {
                    return Err(format!("{item:?} stands for more than {MOST_OPERATORS} operators"));
                }
                names.extend((first..=last).map(|number: u32| number.to_string()));
            }
            _ => names.push(item.to_owned()),
        }
        if names.len() > MOST_OPERATORS {
            return Err(format!("{list:?} stands for more than {MOST_OPERATORS} operators"));
        }
    }
    Ok(names)
}

/// The assemblies of a PDB file.
pub(super) fn of_pdb(bytes: &[u8]) -> Result<Vec<Assembly>, ParseError> {
    let mut assemblies: Vec<Assembly> = Vec::new();
    // The assemblies from this one on and these chains are what the next operators are for.
    let mut first = 0;
    let mut chains: Vec<SmolStr> = Vec::new();
    let mut is_all = true;
    let mut rows: [[f64; 4]; 3] = [[0.0; 4]; 3];
    for (line_number, line) in lines(bytes) {
        if !line.starts_with(b"REMARK 350") {
            continue;
        }
        let text = field(line, 10, 80);
        if let Some(ids) = text.strip_prefix("BIOMOLECULE:") {
            first = assemblies.len();
            let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
            assemblies.extend(ids.map(|id| Assembly { id: id.to_owned(), ..Assembly::default() }));
            (chains, is_all) = (Vec::new(), true);
        } else if let Some((what, details)) = text.split_once("BIOLOGICAL UNIT:") {
            for assembly in &mut assemblies[first..] {
                let kind = what.trim().to_ascii_lowercase();
                assembly.details = format!("{kind}, {}", details.trim().to_ascii_lowercase());
            }
        } else if let Some((what, ids)) = text.split_once("CHAINS:") {
            if what.trim_start().starts_with("APPLY") {
                (chains, is_all) = (Vec::new(), false);
            }
            let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
            chains.extend(ids.map(SmolStr::from));
            // Old files say so of a chain without identifier.
            is_all |= chains.iter().any(|id| id == "NULL");
        } else if let Some(matrix) = text.strip_prefix("BIOMT") {
            let mut numbers = matrix.split_ascii_whitespace();
            let row = numbers.next().and_then(|row| row.parse::<usize>().ok()).filter(|row| (1..=3).contains(row));
            // The operator's number, which we do not need.
            let values: Option<Vec<f64>> = numbers.skip(1).map(|value| value.parse().ok()).collect();
            let values = values.and_then(|values| <[f64; 4]>::try_from(values).ok());
            let (Some(row), Some(values)) = (row, values.filter(|values| values.iter().all(|value| value.is_finite())))
            else {
                return Err(ParseError::new(
                    line_number,
                    format!("{text:?} of REMARK 350 is no row of an operator"),
                    "a row has its number, the operator's, and four numbers; correct or remove the remark",
                ));
            };
            rows[row - 1] = values;
            if row == 3 {
                let operator = Operator {
                    rotation: DMat3::from_cols_array_2d(&[0, 1, 2].map(|column| rows.map(|row| row[column]))),
                    translation: DVec3::from_array(rows.map(|row| row[3])),
                };
                let moved = if is_all { Chains::All } else { Chains::Author(chains.clone()) };
                for assembly in &mut assemblies[first..] {
                    if assembly.parts.len() >= MOST_OPERATORS {
                        let what = format!("assembly {} has more than {MOST_OPERATORS} operators", assembly.id);
                        return Err(ParseError::new(line_number, what, "correct or remove REMARK 350"));
                    }
                    assembly.parts.push(Part { operator, chains: moved.clone() });
                }
            }
        }
    }
    assemblies.retain(|assembly| !assembly.parts.is_empty());
    Ok(assemblies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_operators() {
        let text = |expression: &str| {
            let products = products(expression).unwrap();
            products.iter().map(|names| names.join("*")).collect::<Vec<String>>().join(" ")
        };
        assert_eq!(text("1"), "1");
        assert_eq!(text("1,2, 5"), "1 2 5");
        assert_eq!(text("(1-3)"), "1 2 3");
        assert_eq!(text("(1,2,6-8)"), "1 2 6 7 8");
        assert_eq!(text("(X0)(1-2)"), "X0*1 X0*2");
        assert_eq!(text("P"), "P");
        for wrong in ["(1-99999999)", "(1-200)(1-200)", "(1-2", "(1-9)(1-9)(1-9)(1-9)(1-9)(1-9)(1-9)(1-9)(1-9)"] {
            assert!(products(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn remarks_of_pdb_files() {
        let text = "\
REMARK 350 BIOMOLECULE: 1
REMARK 350 AUTHOR DETERMINED BIOLOGICAL UNIT: DIMERIC
REMARK 350 APPLY THE FOLLOWING TO CHAINS: A, B,
REMARK 350                    AND CHAINS: C
REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000
REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000
REMARK 350   BIOMT1   2  0.000000 -1.000000  0.000000       10.50000
REMARK 350   BIOMT2   2  1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000       -3.00000
";
        let assemblies = of_pdb(text.as_bytes()).unwrap();
        assert_eq!(assemblies.len(), 1);
        assert_eq!((assemblies[0].id.as_str(), assemblies[0].parts.len()), ("1", 2));
        assert_eq!(assemblies[0].details, "author determined, dimeric");
        assert_eq!(assemblies[0].parts[1].chains, Chains::Author(["A", "B", "C"].map(SmolStr::from).to_vec()));
        let operator = &assemblies[0].parts[1].operator;
        assert_eq!(operator.rotation * DVec3::X + operator.translation, DVec3::new(10.5, 1.0, -3.0));
        let error = of_pdb(b"REMARK 350 BIOMOLECULE: 1\nREMARK 350   BIOMT1   1  1.0  x  0.0  0.0\n").unwrap_err();
        assert_eq!(error.place, Place::Line(2));
    }

    #[test]
    fn categories_of_mmcif_files() {
        let text = "\
data_x
_pdbx_struct_assembly.id 1
_pdbx_struct_assembly.details software_defined_assembly
_pdbx_struct_assembly.oligomeric_details dimeric
loop_
_pdbx_struct_assembly_gen.assembly_id
_pdbx_struct_assembly_gen.oper_expression
_pdbx_struct_assembly_gen.asym_id_list
1 1 A,B
1 '(2)(1-2)' C
loop_
_pdbx_struct_oper_list.id
_pdbx_struct_oper_list.matrix[1][1]
_pdbx_struct_oper_list.matrix[1][2]
_pdbx_struct_oper_list.matrix[1][3]
_pdbx_struct_oper_list.vector[1]
_pdbx_struct_oper_list.matrix[2][1]
_pdbx_struct_oper_list.matrix[2][2]
_pdbx_struct_oper_list.matrix[2][3]
_pdbx_struct_oper_list.vector[2]
_pdbx_struct_oper_list.matrix[3][1]
_pdbx_struct_oper_list.matrix[3][2]
_pdbx_struct_oper_list.matrix[3][3]
_pdbx_struct_oper_list.vector[3]
1 1 0 0 0   0 1 0 0   0 0 1 0
2 0 -1 0 5  1 0 0 0   0 0 1 0
";
        let assemblies = of_mmcif(text.as_bytes()).unwrap();
        assert_eq!(assemblies[0].details, "software_defined_assembly, dimeric");
        assert_eq!(assemblies[0].parts.len(), 3);
        let twice = &assemblies[0].parts[2].operator;
        assert_eq!(twice.rotation * DVec3::X + twice.translation, DVec3::new(4.0, 5.0, 0.0));
        let error = of_mmcif(text.replace("'(2)(1-2)'", "7").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("line 10: assembly 1: there is no operator \"7\""), "{error}");
        let error = of_mmcif(text.replace("1 1 0 0 0 ", "1 1 ? 0 0 ").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("matrix[1][2]"), "{error}");
        assert_eq!(of_mmcif(b"data_x\n_cell.a 1\n").unwrap(), []);
    }
}
