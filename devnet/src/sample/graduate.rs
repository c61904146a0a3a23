//! Sample graduates, for a university. Its five digits are 00000, which no institution has.

use super::{Chance, Table, citizen, drawn, person_name};
use identity_core::datatype::{Date, Degree, Education};

const COLUMNS: [&str; 13] = [
    "id",
    "name",
    "citizen_number",
    "institution",
    "major",
    "education",
    "enrolled",
    "graduated",
    "graduation_number",
    "degree",
    "discipline",
    "awarded",
    "degree_number",
];

/// What is studied: years, level of education, its two digits in the graduation's number, and the degree if there is one.
const STUDIES: [(u16, Education, &str, Option<Degree>); 4] = [
    (4, Education::DoctorGraduated, "01", Some(Degree::Doctor)),
    (3, Education::MasterGraduated, "02", Some(Degree::Master)),
    (4, Education::BachelorGraduated, "05", Some(Degree::Bachelor)),
    (3, Education::CollegeGraduated, "06", None),
];

/// Majors, each with its discipline.
const MAJORS: [(&str, &str); 4] =
    [("样本计算机科学与技术", "工学"), ("样本临床医学", "医学"), ("样本汉语言文学", "文学"), ("样本会计学", "管理学")];

/// `count` graduates of the sample university.
#[must_use]
pub fn graduates(seed: u64, count: usize) -> Table {
    Table { columns: &COLUMNS, rows: drawn(seed, count, draw) }
}

fn draw(chance: &mut Chance, number: usize) -> Option<Vec<String>> {
    let (citizen, _) = citizen(chance)?;
    let (years, education, level, degree) = *chance.pick(&STUDIES)?;
    let (major, discipline) = *chance.pick(&MAJORS)?;
    let year = chance.between(2006, 2024);
    let of_degree = |text: String| degree.map(|_| text).unwrap_or_default();
    let level_of_degree = degree.map(Degree::code).unwrap_or_default();
    Some(vec![
        format!("graduate-{number:05}"),
        person_name(number),
        citizen.as_str().to_owned(),
        "样本大学".to_owned(),
        major.to_owned(),
        education.code().to_owned(),
        Date::new(year - years, 9, 1)?.to_string(),
        Date::new(year, 7, 1)?.to_string(),
        format!("000001{year}{level}{number:06}"),
        level_of_degree.to_owned(),
        of_degree(discipline.to_owned()),
        of_degree(Date::new(year, 7, 1)?.to_string()),
        of_degree(format!("00000{level_of_degree}{year}{number:06}")),
    ])
}
