//! Data of one subject that cannot all be true: some cell of the row is wrong.
//!
//! Rules go by the names of claims, which mean the same in every credential type; a type that lacks one of them is not
//! concerned.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::subject::CellFault;
use super::{
    CitizenNumber, CreditCode, Date, Degree, DegreeNumber, Education, Fault, GraduationNumber, LicenceIdentifier,
    LicenceType, Sex,
};

/// Pairs of dates, the first of which is not after the second.
const PERIODS: [(&str, &str); 4] = [
    ("valid_from", "valid_until"),
    ("enrolled", "graduated"),
    ("issued_on", "endorsed_until"),
    ("insured_since", "stated_on"),
];

/// The columns that contradict another one.
pub(super) fn contradictions(claims: &Map<String, Value>) -> Vec<CellFault> {
    let claims = Claims(claims);
    let mut columns = claims.of_person();
    columns.extend(claims.of_studies());
    columns.extend(claims.of_licence());
    columns.extend(claims.of_periods());
    let fault = |column: &str| CellFault { column: column.to_owned(), fault: Fault::Contradiction };
    columns.into_iter().map(fault).collect()
}

struct Claims<'a>(&'a Map<String, Value>);

impl Claims<'_> {
    /// The claim `name`, if it is there and sound: a broken cell is told once, as broken.
    fn read<T: FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.as_str()?.parse().ok()
    }

    /// A citizen number holds birth date and sex.
    fn of_person(&self) -> Vec<&'static str> {
        let Some(number) = self.read::<CitizenNumber>("citizen_number") else { return Vec::new() };
        let date = self.read::<Date>("birth_date").is_some_and(|date| date != number.birth_date());
        let stated = self.read::<Sex>("sex").filter(|sex| matches!(sex, Sex::Male | Sex::Female));
        let sex = stated.is_some_and(|sex| sex != number.sex());
        chosen([(date, "birth_date"), (sex, "sex")])
    }

    /// Numbers of certificates hold level and year.
    fn of_studies(&self) -> Vec<&'static str> {
        let degree = self.read::<DegreeNumber>("degree_number");
        let graduation = self.read::<GraduationNumber>("graduation_number");
        let year_of = |name: &str| self.read::<Date>(name).map(|date| date.year());
        chosen([
            (differs(degree.as_ref().map(DegreeNumber::degree), self.read::<Degree>("degree")), "degree"),
            (differs(degree.as_ref().map(DegreeNumber::year), year_of("awarded")), "awarded"),
            (
                graduation
                    .as_ref()
                    .zip(self.read("education"))
                    .is_some_and(|(number, e): (_, Education)| !number.states(e)),
                "education",
            ),
            (differs(graduation.as_ref().map(GraduationNumber::year), year_of("graduated")), "graduated"),
        ])
    }

    /// The identifier of an electronic licence holds its type and its authority.
    fn of_licence(&self) -> Vec<&'static str> {
        let identifier = self.read::<LicenceIdentifier>("identifier");
        let kind = self.read::<LicenceType>("type_code");
        let authority = self.read::<CreditCode>("issuing_authority_code");
        chosen([
            (differs(identifier.as_ref().map(LicenceIdentifier::kind), kind), "type_code"),
            (differs(identifier.as_ref().map(LicenceIdentifier::authority), authority), "issuing_authority_code"),
        ])
    }

    fn of_periods(&self) -> Vec<&'static str> {
        let ends_before = |(from, until): &(&str, &str)| {
            self.read::<Date>(from).zip(self.read::<Date>(until)).is_some_and(|(from, until)| until < from)
        };
        PERIODS.iter().filter(|period| ends_before(period)).map(|(_, until)| *until).collect()
    }
}

fn differs<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

fn chosen<const N: usize>(columns: [(bool, &'static str); N]) -> Vec<&'static str> {
    columns.into_iter().filter(|(differs, _)| *differs).map(|(_, column)| column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn columns(claims: &Value) -> Vec<String> {
        contradictions(claims.as_object().unwrap()).into_iter().map(|fault| fault.column).collect()
    }

    #[test]
    fn numbers_agree_with_what_they_hold() {
        let degree = json!({"degree_number": "1024642008000001", "degree": "4", "awarded": "2008-07-01",
            "graduation_number": "102461200805000001", "education": "21", "graduated": "2008-07-01"});
        assert!(columns(&degree).is_empty());
        for (name, value) in
            [("degree", "3"), ("awarded", "2009-07-01"), ("education", "14"), ("graduated", "2007-12-31")]
        {
            let mut other = degree.clone();
            other[name] = value.into();
            assert_eq!(columns(&other), [name]);
        }
        let licence = json!({
            "identifier": "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
            "type_code": "11100000000013338W009",
            "issuing_authority_code": "11330105002500287C",
        });
        assert!(columns(&licence).is_empty());
        for (name, value) in [("type_code", "11100000000013338W010"), ("issuing_authority_code", "11100000000013338W")]
        {
            let mut other = licence.clone();
            other[name] = value.into();
            assert_eq!(columns(&other), [name]);
        }
    }

    #[test]
    fn no_period_ends_before_it_begins() {
        for (from, until) in PERIODS {
            assert!(columns(&json!({from: "2020-01-01", until: "2020-01-01"})).is_empty());
            assert_eq!(columns(&json!({from: "2020-01-02", until: "2020-01-01"})), [until]);
            assert!(columns(&json!({until: "2020-01-01"})).is_empty());
        }
    }
}
