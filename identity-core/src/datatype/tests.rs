use super::*;

/// Published examples: those of GB 11643-1999 itself.
const CITIZEN_NUMBERS: [&str; 2] = ["11010519491231002X", "440524188001010014"];

/// Published codes: the example of GB 32100-2015, and two that companies print in their annual reports.
const CREDIT_CODES: [&str; 3] = ["91350100M000100Y43", "91100000100003962T", "914403001922038216"];

fn fault<T>(result: Result<T, InvalidDatum>) -> Option<Fault> {
    result.err().map(|invalid| invalid.fault)
}

/// Every text that differs from `text` in exactly one place, over `alphabet`.
fn single_errors(text: &'static str, alphabet: &'static str) -> impl Iterator<Item = String> {
    text.char_indices().flat_map(move |(at, old)| {
        alphabet.chars().filter(move |new| *new != old).map(move |new| {
            let mut wrong = text.to_owned();
            wrong.replace_range(at..=at, &new.to_string());
            wrong
        })
    })
}

#[test]
fn published_citizen_numbers_pass_and_say_birth_and_sex() {
    for number in CITIZEN_NUMBERS {
        assert_eq!(number.parse::<CitizenNumber>().unwrap().as_str(), number);
    }
    let number: CitizenNumber = CITIZEN_NUMBERS[0].parse().unwrap();
    assert_eq!(number.birth_date().to_string(), "1949-12-31");
    assert_eq!(number.sex(), Sex::Female);
    assert_eq!(number.division_digits(), "110105");
    assert_eq!(format!("{number:?}"), "CitizenNumber(..)");
}

#[test]
fn every_single_wrong_character_in_a_citizen_number_is_caught() {
    for number in CITIZEN_NUMBERS {
        for wrong in single_errors(number, "0123456789X") {
            assert!(wrong.parse::<CitizenNumber>().is_err());
        }
    }
}

#[test]
fn two_neighbours_swapped_in_a_citizen_number_are_caught() {
    for number in CITIZEN_NUMBERS {
        for at in 0..17 {
            let mut bytes = number.as_bytes().to_vec();
            bytes.swap(at, at + 1);
            let swapped = String::from_utf8(bytes).unwrap();
            assert!(swapped == number || swapped.parse::<CitizenNumber>().is_err());
        }
    }
}

#[test]
fn citizen_number_faults_are_told_apart() {
    let of = |text: &str| fault(text.parse::<CitizenNumber>());
    assert_eq!(of("110105491231002"), Some(Fault::Length), "the fifteen-digit form ended in 2013");
    assert_eq!(of("11010519491231002x"), Some(Fault::Character));
    assert_eq!(of("1101051949123X0021"), Some(Fault::Character));
    assert_eq!(of("110105194912310021"), Some(Fault::Checksum));
    assert_eq!(of(&checked("11010519491232002")), Some(Fault::Date));
    assert_eq!(of(&checked("11010519000229002")), Some(Fault::Date), "1900 was no leap year");
    assert_eq!(of(&checked("11010518491231002")), Some(Fault::Date));
    assert_eq!(of("34052419800101001X"), Some(Fault::UnknownCode), "a textbook's number, of a county that never was");
    assert_eq!(of(&checked("11000019491231002")), Some(Fault::UnknownCode), "a province registers nobody");
}

#[test]
fn citizen_numbers_keep_codes_that_are_gone_and_residence_permits_have_their_own() {
    let gone: DivisionCode = "110103".parse().unwrap();
    assert!(gone.current().is_none());
    for body in ["11010319700101001", "81000019700101001", "83000019700101001", "44190019700101001"] {
        assert!(checked(body).parse::<CitizenNumber>().is_ok());
    }
}

/// The body with the check character by the weighted-sum form of the rule, written apart from the code under test.
fn checked(body: &str) -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().zip(weights).map(|(digit, weight)| digit.to_digit(10).unwrap() * weight).sum();
    let check = "10X98765432".chars().nth(usize::try_from(sum % 11).unwrap()).unwrap();
    format!("{body}{check}")
}

#[test]
fn a_composed_citizen_number_is_the_one_with_that_check() {
    let date = Date::new(1949, 12, 31).unwrap();
    let number = CitizenNumber::compose("110105".parse().unwrap(), date, 2).unwrap();
    assert_eq!(number.as_str(), CITIZEN_NUMBERS[0]);
    assert!(CitizenNumber::compose("110105".parse().unwrap(), date, 1000).is_err());
}

#[test]
fn published_credit_codes_pass() {
    for code in CREDIT_CODES {
        assert_eq!(code.parse::<CreditCode>().unwrap().as_str(), code);
    }
    let composed = CreditCode::compose('9', '1', "350100".parse().unwrap(), "M000100Y").unwrap();
    assert_eq!(composed.as_str(), CREDIT_CODES[0]);
}

#[test]
fn every_single_wrong_character_in_a_credit_code_is_caught() {
    for code in CREDIT_CODES {
        for wrong in single_errors(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
            assert!(wrong.parse::<CreditCode>().is_err());
        }
    }
}

#[test]
fn credit_code_faults_are_told_apart() {
    let of = |text: &str| fault(text.parse::<CreditCode>());
    assert_eq!(of("91350100M000100Y4"), Some(Fault::Length));
    assert_eq!(of("91350100M000100Y4O"), Some(Fault::Character));
    assert_eq!(of("9135010AM000100Y43"), Some(Fault::Character));
    assert_eq!(of("91350100M000100Y44"), Some(Fault::Checksum));
    assert_eq!(fault(CreditCode::compose('0', '1', "350100".parse().unwrap(), "M000100Y")), Some(Fault::UnknownCode));
}

#[test]
fn the_division_table_is_whole() {
    let lines = include_str!("../../../schemas/code/division.tsv").lines();
    assert_eq!(lines.filter(|line| !line.starts_with('#')).count(), divisions().len());
    assert!(divisions().is_sorted_by_key(|entry| (entry.code, entry.from)));
    let in_force = divisions().iter().filter(|entry| entry.until.is_none());
    assert_eq!(in_force.clone().filter(|entry| entry.code.level() == DivisionLevel::Province).count(), 34);
    assert_eq!(in_force.clone().filter(|entry| entry.code.level() == DivisionLevel::County).count(), 2846);
    assert_eq!(in_force.count(), 3213);
}

#[test]
fn division_names_follow_the_years() {
    let code: DivisionCode = "440305".parse().unwrap();
    assert_eq!(code.full_name().as_deref(), Some("广东省深圳市南山区"));
    assert_eq!("110108".parse::<DivisionCode>().unwrap().full_name().as_deref(), Some("北京市海淀区"));
    assert_eq!("429004".parse::<DivisionCode>().unwrap().full_name().as_deref(), Some("湖北省仙桃市"));
    assert_eq!("110000".parse::<DivisionCode>().unwrap().full_name().as_deref(), Some("北京市"));
    let names: Vec<_> = "210311".parse::<DivisionCode>().unwrap().history().iter().map(|e| (e.from, e.name)).collect();
    assert_eq!(names, [(1983, "郊区"), (1984, "旧堡区"), (1996, "千山区")]);
    assert_eq!(fault("440399".parse::<DivisionCode>()), Some(Fault::UnknownCode));
    assert_eq!(fault("44030".parse::<DivisionCode>()), Some(Fault::Length));
    assert_eq!(fault("+44030".parse::<DivisionCode>()), Some(Fault::Character));
}

#[test]
fn there_are_fifty_six_nationalities_and_four_sex_codes() {
    assert_eq!(ethnicities().len(), 56);
    assert!(ethnicities().iter().zip(1..).all(|(entry, number)| entry.code == format!("{number:02}")));
    assert_eq!("01".parse::<Ethnicity>().unwrap().name, "汉族");
    assert_eq!(fault("57".parse::<Ethnicity>()), Some(Fault::UnknownCode));
    for code in ["0", "1", "2", "9"] {
        assert_eq!(code.parse::<Sex>().unwrap().code(), code);
    }
    assert_eq!(fault("3".parse::<Sex>()), Some(Fault::UnknownCode));
}

#[test]
fn dates_are_read_strictly() {
    assert_eq!("2024-02-29".parse::<Date>().unwrap().to_string(), "2024-02-29");
    for (text, expected) in [
        ("2023-02-29", Fault::Date),
        ("2023-13-01", Fault::Date),
        ("0000-01-01", Fault::Date),
        ("2023-1-01", Fault::Length),
        ("2023/01/01", Fault::Character),
        ("+023-01-01", Fault::Character),
    ] {
        assert_eq!(fault(text.parse::<Date>()), Some(expected), "{text}");
    }
}
