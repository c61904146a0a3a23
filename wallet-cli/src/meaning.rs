//! What codes in claims mean, in the reader's language.

use identity_core::{
    datatype::{Datum, Degree, Education, Ethnicity, Insurance, Sex},
    problem::Lang,
};

/// The meaning of `code`, if claims of this kind are codes and it is one of theirs.
pub(crate) fn meaning(datum: Datum, code: &str, lang: Lang) -> Option<&'static str> {
    match datum {
        Datum::Sex => Some(in_language(lang, sex(code.parse().ok()?))),
        Datum::Degree => Some(in_language(lang, degree(code.parse().ok()?))),
        Datum::Education => Some(in_language(lang, education(code.parse().ok()?))),
        Datum::Insurance => Some(in_language(lang, insurance(code.parse().ok()?))),
        Datum::Ethnicity => {
            let entry: Ethnicity = code.parse().ok()?;
            Some(in_language(lang, (entry.romanised, entry.name)))
        }
        Datum::Text
        | Datum::Boolean
        | Datum::Date
        | Datum::CitizenNumber
        | Datum::CreditCode
        | Datum::DivisionCode
        | Datum::Sha256
        | Datum::Decimal
        | Datum::Currency
        | Datum::Count
        | Datum::DegreeNumber
        | Datum::GraduationNumber
        | Datum::LicenceType
        | Datum::LicenceIdentifier => None,
    }
}

const fn in_language(lang: Lang, (en, zh): (&'static str, &'static str)) -> &'static str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

const fn sex(sex: Sex) -> (&'static str, &'static str) {
    match sex {
        Sex::Male => ("male", "男"),
        Sex::Female => ("female", "女"),
        Sex::Unknown => ("unknown", "未知"),
        Sex::NotStated => ("not stated", "未说明"),
    }
}

const fn degree(degree: Degree) -> (&'static str, &'static str) {
    match degree {
        Degree::Doctor => ("doctor", "博士"),
        Degree::Master => ("master", "硕士"),
        Degree::Bachelor => ("bachelor", "学士"),
    }
}

const fn education(education: Education) -> (&'static str, &'static str) {
    match education {
        Education::DoctorGraduated => ("doctoral studies, graduated", "博士研究生毕业"),
        Education::DoctorCompleted => ("doctoral studies, completed", "博士研究生结业"),
        Education::MasterGraduated => ("master's studies, graduated", "硕士研究生毕业"),
        Education::MasterCompleted => ("master's studies, completed", "硕士研究生结业"),
        Education::BachelorGraduated => ("bachelor's studies, graduated", "大学本科毕业"),
        Education::BachelorCompleted => ("bachelor's studies, completed", "大学本科结业"),
        Education::CollegeGraduated => ("college, graduated", "大学专科毕业"),
        Education::CollegeCompleted => ("college, completed", "大学专科结业"),
    }
}

const fn insurance(insurance: Insurance) -> (&'static str, &'static str) {
    match insurance {
        Insurance::Pension => ("pension", "基本养老保险"),
        Insurance::Medical => ("medical", "基本医疗保险"),
        Insurance::WorkInjury => ("work injury", "工伤保险"),
        Insurance::Unemployment => ("unemployment", "失业保险"),
        Insurance::Maternity => ("maternity", "生育保险"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_their_meaning_and_others_are_not() {
        assert_eq!(meaning(Datum::Sex, "2", Lang::Zh), Some("女"));
        assert_eq!(meaning(Datum::Degree, "4", Lang::En), Some("bachelor"));
        assert_eq!(meaning(Datum::Education, "21", Lang::Zh), Some("大学本科毕业"));
        assert_eq!(meaning(Datum::Insurance, "work-injury", Lang::Zh), Some("工伤保险"));
        assert_eq!(meaning(Datum::Ethnicity, "01", Lang::Zh), Some("汉族"));
        assert_eq!(meaning(Datum::Degree, "9", Lang::En), None);
        assert_eq!(meaning(Datum::Date, "2020-01-01", Lang::En), None);
    }
}
