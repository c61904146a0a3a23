//! Generates `problem::Code`, the closed list of refusal codes, from `schemas/problems.toml`.
//!
//! The catalogue is data because officials, the wire and the documentation read it too; the enum is
//! generated so that no code can be used that the catalogue does not explain.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    problem: Vec<Problem>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Problem {
    code: String,
    status: u16,
    en: String,
    zh: String,
    remedy_en: String,
    remedy_zh: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../schemas/problems.toml");
    println!("cargo:rerun-if-changed={}", source.display());
    println!("cargo:rerun-if-changed=build.rs");
    let catalogue: Catalogue = toml::from_str(&fs::read_to_string(&source)?)?;
    check(&catalogue.problem)?;
    let target = Path::new(&env::var("OUT_DIR")?).join("problem_code.rs");
    fs::write(target, render(&catalogue.problem)?)?;
    Ok(())
}

fn check(problems: &[Problem]) -> Result<(), Box<dyn Error>> {
    let mut seen = BTreeSet::new();
    for problem in problems {
        let spelled = problem.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
        if !spelled || !problem.code.contains('.') {
            return Err(format!("problems.toml: `{}` is not a dotted lower_snake code", problem.code).into());
        }
        if !seen.insert(variant(&problem.code)) {
            return Err(format!("problems.toml: `{}` stands there twice", problem.code).into());
        }
        if !(400..600).contains(&problem.status) {
            return Err(format!("problems.toml: `{}` has no error status", problem.code).into());
        }
        let texts = [&problem.en, &problem.zh, &problem.remedy_en, &problem.remedy_zh];
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(format!("problems.toml: `{}` lacks a text", problem.code).into());
        }
    }
    Ok(())
}

/// `sd_jwt.disclosure.unreferenced` becomes `SdJwtDisclosureUnreferenced`.
fn variant(code: &str) -> String {
    let capitalise = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    code.split(['.', '_']).map(capitalise).collect()
}

fn render(problems: &[Problem]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "/// Every code that a refusal can carry, on any wire. Generated from `schemas/problems.toml`.")?;
    writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]")?;
    writeln!(out, "pub enum Code {{")?;
    for problem in problems {
        writeln!(out, "    /// {} (`{}`)", problem.en, problem.code)?;
        writeln!(out, "    {},", variant(&problem.code))?;
    }
    writeln!(out, "}}\n\nimpl Code {{")?;
    writeln!(out, "    /// All codes, in the order of the catalogue.")?;
    writeln!(out, "    pub const ALL: &'static [Code] = &[")?;
    for problem in problems {
        writeln!(out, "        Code::{},", variant(&problem.code))?;
    }
    writeln!(out, "    ];\n\n    const fn row(self) -> Row {{\n        match self {{")?;
    for problem in problems {
        writeln!(out, "            Code::{} => Row {{", variant(&problem.code))?;
        writeln!(out, "                code: {:?}, status: {},", problem.code, problem.status)?;
        writeln!(out, "                title: [{:?}, {:?}],", problem.en, problem.zh)?;
        writeln!(out, "                remedy: [{:?}, {:?}],", problem.remedy_en, problem.remedy_zh)?;
        writeln!(out, "            }},")?;
    }
    writeln!(out, "        }}\n    }}\n}}")?;
    Ok(out)
}
