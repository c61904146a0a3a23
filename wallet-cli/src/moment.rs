//! Points in time for people: UTC, to the minute; and how long ago they were.

use crate::ui::Ui;

/// `2026-11-23 22:40`, for seconds since the epoch. Out of the calendar's range: the number itself.
#[must_use]
pub(crate) fn utc(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    match civil(days) {
        Some((year, month, day)) => {
            format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", rest / 3600, rest / 60 % 60)
        }
        None => seconds.to_string(),
    }
}

/// How long ago, roughly, in the reader's language. A moment ahead of our clock counts as now.
#[must_use]
pub(crate) fn age(seconds: i64, ui: &Ui) -> String {
    let (id, count) = match seconds {
        ..60 => return ui.text("wallet-age-now", &[]),
        60..7200 => ("wallet-age-minutes", seconds / 60),
        7200..172_800 => ("wallet-age-hours", seconds / 3600),
        172_800.. => ("wallet-age-days", seconds / 86_400),
    };
    ui.text(id, &[("count", count.to_string().into())])
}

/// Year, month and day of a count of days since 1970-01-01, in years 0 to 9999. Counts in eras of 400 years that
/// begin on the first of March, so that the leap day is the last of its year.
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    let shifted = days.checked_add(719_468)?;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity_core::problem::Lang;

    #[test]
    fn ages_are_rough_and_never_ahead() {
        let (en, zh) = (Ui::new(Lang::En, false), Ui::new(Lang::Zh, false));
        for (seconds, english, chinese) in [
            (-5, "just now", "刚刚"),
            (59, "just now", "刚刚"),
            (60, "1 min", "1 分钟前"),
            (7199, "119 min", "119 分钟前"),
            (7200, "2 h", "2 小时前"),
            (172_800, "2 d", "2 天前"),
        ] {
            assert!(age(seconds, &en).starts_with(english), "{seconds}");
            assert_eq!(age(seconds, &zh), chinese);
        }
    }

    #[test]
    fn known_points_in_time() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (951_868_800, "2000-03-01 00:00"),
            (1_795_474_799, "2026-11-23 22:59"),
            (4_107_542_399, "2100-02-28 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
            (-1, "1969-12-31 23:59"),
            (i64::MAX, "9223372036854775807"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }
}
