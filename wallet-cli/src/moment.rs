//! Points in time for people: UTC, to the minute; and how long ago they were.

use crate::ui::Ui;

pub(crate) use service_kit::calendar::utc;

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
}
