//! Points in time for people: written in UTC, to the minute; read with whatever offset they name.

use identity_core::time::UtcDay;

/// `2026-11-23 22:40`, for seconds since the epoch. Out of the calendar's range: the number itself.
#[must_use]
pub fn utc(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    match UtcDay::since_epoch(days) {
        Some(day) => format!("{day} {:02}:{:02}", rest / 3600, rest / 60 % 60),
        None => seconds.to_string(),
    }
}

/// Milliseconds since the epoch of a day, `2026-03-03`, which is its beginning, or of a time, `2026-03-03T14:30`, with seconds
/// and their fractions where they matter. In UTC, unless an offset ends it: `2026-03-03T14:30+08:00`, `2026-03-03+08:00`.
#[must_use]
pub fn millis(text: &str) -> Option<u64> {
    let (local, offset) = split_offset(text.trim())?;
    let (day, time) = local.split_once(['T', ' ']).map_or((local, None), |(day, time)| (day, Some(time)));
    let time = time.map_or(Some(0), millis_of_day)?;
    let minutes = day.parse::<UtcDay>().ok()?.days_since_epoch().checked_mul(1440)?.checked_sub(offset)?;
    u64::try_from(minutes.checked_mul(60_000)?.checked_add(time)?).ok()
}

/// The text without its offset, and that in minutes east of UTC.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Some((local, 0));
    }
    let Some((local, tail)) = text.len().checked_sub(6).and_then(|at| text.split_at_checked(at)) else {
        return Some((text, 0));
    };
    let sign = match tail.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return Some((text, 0)),
    };
    let (hours, minutes) = (number(tail.get(1..3)?, 23)?, number(tail.get(4..6)?, 59)?);
    Some((local, sign * (hours * 60 + minutes)))
}

/// Milliseconds of `14:30`, `14:30:05` or `14:30:05.250`.
fn millis_of_day(text: &str) -> Option<i64> {
    let (text, fraction) = text.split_once('.').map_or((text, None), |(text, fraction)| (text, Some(fraction)));
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] if fraction.is_none() => (hours, minutes, &"00"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    if [hours, minutes, seconds].iter().any(|part| part.len() != 2) {
        return None;
    }
    let seconds = number(hours, 23)? * 3600 + number(minutes, 59)? * 60 + number(seconds, 59)?;
    let millis = match fraction {
        None => 0,
        Some(digits) if (1..=3).contains(&digits.len()) => number(&format!("{digits:0<3}"), 999)?,
        Some(_) => return None,
    };
    Some(seconds * 1000 + millis)
}

/// Digits and nothing else, up to `most`.
fn number(digits: &str, most: i64) -> Option<i64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    #[test]
    fn what_is_written_is_read() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2026-11-23T22:59", 1_795_474_740),
            ("2026-11-23 22:59:59Z", 1_795_474_799),
            ("2100-03-01T00:00:00", 4_107_542_400),
            ("2026-11-24T06:59+08:00", 1_795_474_740),
            ("2026-11-23T17:29-05:30", 1_795_474_740),
            ("1970-01-02+08:00", 57_600),
        ] {
            assert_eq!(millis(text), Some(seconds * 1000), "{text}");
        }
        assert_eq!(millis("1970-01-01T00:00:01.5"), Some(1_500));
        assert_eq!(millis("1970-01-01T00:00:01.025Z"), Some(1_025));
        for day in (0..60_000).step_by(17) {
            let shown = utc(day * 86_400 + 3_660);
            assert_eq!(millis(&shown), u64::try_from((day * 86_400 + 3_660) * 1000).ok(), "{shown}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026",
            "2026-3-3",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "26-01-01",
            "2026-01-01T",
            "2026-01-01T24:00",
            "2026-01-01T12:60",
            "2026-01-01T1:00",
            "2026-01-01T12",
            "-026-01-01",
            "2026-01-01T12:00.5",
            "2026-01-01T12:00:00.1234",
            "2026-01-01T12:00+24:00",
            "2026-01-01T12:00+8",
            "1969-12-31",
            "1970-01-01+08:00",
            "2026-01-01-01",
            "2026-01-01T+1:00",
            "二〇二六年",
        ] {
            assert_eq!(millis(text), None, "{text}");
        }
    }
}
