//! Structured logs: one JSON object a line on standard error.
//!
//! What is logged is who did what to which job. Names of queries, sequences, ligands and file names never are: a log is
//! read by more people than a job.

use std::io::Write as _;

use serde_json::{Map, Value};

use crate::clock;

pub(crate) fn info(event: &str, fields: &[(&str, &dyn std::fmt::Display)]) {
    write("info", event, fields);
}

pub(crate) fn warning(event: &str, fields: &[(&str, &dyn std::fmt::Display)]) {
    write("warning", event, fields);
}

pub(crate) fn error(event: &str, fields: &[(&str, &dyn std::fmt::Display)]) {
    write("error", event, fields);
}

fn write(level: &str, event: &str, fields: &[(&str, &dyn std::fmt::Display)]) {
    let mut map = Map::new();
    map.insert("time".into(), Value::from(clock::now()));
    map.insert("level".into(), Value::from(level));
    map.insert("event".into(), Value::from(event));
    for (key, value) in fields {
        map.insert((*key).to_owned(), Value::from(value.to_string()));
    }
    let mut line = Value::Object(map).to_string();
    line.push('\n');
    // Nobody reading the log is no reason to stop.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
