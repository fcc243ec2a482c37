//! The same judgement from the sources alone, without building or running anything: each row has its tests by name, or a reason.

use std::fs;
use std::path::Path;

use super::results::{Judged, Test, judge, strangers};
use super::rows::read;
use crate::process;

/// The tests of a file of the supervision, by the names of its functions.
fn tests(path: &str, text: &str) -> Vec<Test> {
    // Scenarios are functions too; tests are made of them where they are listed.
    if path.contains("/conformance/") {
        return if path.ends_with("/main.rs") { scenarios(text) } else { Vec::new() };
    }
    let program = match path.strip_prefix("supervision/tests/") {
        // A program is a file, or a folder.
        Some(test) => format!("supervision/{}", test.split(['/', '.']).next().unwrap_or(test)),
        None => "supervision/src".to_owned(),
    };
    let names = text.split("fn ").skip(1).map(name);
    names.filter_map(|name| Test::of(&program, name)).collect()
}

fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The tests that are made of the lists of scenarios.
fn scenarios(text: &str) -> Vec<Test> {
    let lists = text.rsplit_once("scenarios! {").map_or("", |(_, lists)| lists);
    let mut columns: &[&str] = &[];
    let mut tests = Vec::new();
    for word in lists.split_whitespace() {
        columns = match word {
            "everywhere" => &["sim", "executor", "tokio"],
            "simulated" => &["sim"],
            "threaded" => &["executor", "tokio"],
            _ => columns,
        };
        let named = columns.iter().map(|column| format!("{column}::{}", name(word)));
        tests.extend(named.filter_map(|name| Test::of("supervision/conformance", &name)));
    }
    tests
}

fn all_files(folder: &Path, files: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(process::root().join(folder)).expect("readable");
    for path in entries.map(|entry| folder.join(entry.expect("readable").file_name())) {
        let full = process::root().join(&path);
        if full.is_dir() {
            all_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            files.push((parts.join("/"), fs::read_to_string(full).expect("readable")));
        }
    }
}

#[test]
fn lists_of_scenarios_are_read() {
    let text = "macro_rules! scenarios { ($row_009_x:ident) => {} }\nscenarios! {\n everywhere {\n a: \
                row_001_a row_002_b;\n }\n simulated { b:\n row_003_c\n ; }\n threaded { c: row_x3_d; }\n}";
    let names: Vec<_> = tests("supervision/tests/conformance/main.rs", text)
        .into_iter()
        .map(|test| test.name)
        .collect();
    let expected = [
        "sim::row_001_a",
        "executor::row_001_a",
        "tokio::row_001_a",
        "sim::row_002_b",
        "executor::row_002_b",
        "tokio::row_002_b",
        "sim::row_003_c",
        "executor::row_x3_d",
        "tokio::row_x3_d",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_row_has_its_tests_or_a_reason_in_the_real_tree() {
    let text = fs::read_to_string(process::root().join(super::ROWS)).expect("readable");
    let rows = read(&text).expect("well formed");
    let (cores, numbered) = rows
        .iter()
        .filter(|row| row.group != 'X')
        .fold((0, 0), |(c, n), row| (c + u32::from(row.core), n + 1));
    assert_eq!((cores, numbered), (278, 308), "the list is complete");
    let mut files = Vec::new();
    all_files(Path::new("supervision/src"), &mut files);
    all_files(Path::new("supervision/tests"), &mut files);
    let tests: Vec<Test> = files.iter().flat_map(|(path, text)| tests(path, text)).collect();
    let mut problems = strangers(&rows, &tests, true);
    problems.extend(judge(&rows, &tests).iter().flat_map(Judged::problems));
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
