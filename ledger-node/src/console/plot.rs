//! Amounts over time as a plot: inline SVG that the page's style colours. What is known is solid, what may lie above it is
//! hatched, and where nothing is known nothing is drawn. Whoever cannot see it reads the table beside it.

use maud::{Markup, html};

/// Width and height of a plot, in its own units; a page shows it about a tenth as large.
const SIZE: (u64, u64) = (3600, 1500);
/// Room for a digit of the scale, and for what stands between it and the bars.
const DIGIT: u64 = 80;
const MARGIN: u64 = 130;
/// The upper end of the bars, and the line they stand on.
const TOP: u64 = 120;
const GROUND: u64 = 1240;
/// A bar is at least so high: one that stands for something must be seen.
const LEAST: u64 = 45;
/// The pattern of what is not known, which [`pattern`] puts on a page once.
const HATCH: &str = "url(#hatch)";

/// A sum of counts of which some are only known to be small: it lies between two numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) least: u64,
    pub(super) most: u64,
    /// How many counts are in it. Of none nothing is known.
    pub(super) counts: u64,
}

impl Amount {
    pub(super) fn add(&mut self, (least, most): (u64, u64)) {
        self.least = self.least.saturating_add(least);
        self.most = self.most.saturating_add(most);
        self.counts = self.counts.saturating_add(1);
    }

    /// All of them together.
    pub(super) fn sum<'a>(amounts: impl IntoIterator<Item = &'a Self>) -> Self {
        amounts.into_iter().fold(Self::default(), |sum, one| Self {
            least: sum.least.saturating_add(one.least),
            most: sum.most.saturating_add(one.most),
            counts: sum.counts.saturating_add(one.counts),
        })
    }

    /// As people read it: `42`, `42–51`, `<10`, or a dash where nothing was counted.
    pub(super) fn told(self) -> String {
        match (self.counts, self.least, self.most) {
            (0, ..) => "–".to_owned(),
            (_, least, most) if least == most => least.to_string(),
            (_, 0, most) => format!("<{}", most.saturating_add(1)),
            (_, least, most) => format!("{least}–{most}"),
        }
    }
}

/// An amount at its time.
pub(super) struct Bar {
    /// The time, as people read it.
    pub(super) when: String,
    pub(super) amount: Amount,
}

/// The hatching, without which no plot of a page looks right.
pub(super) fn pattern() -> Markup {
    html! {
        svg.patterns aria-hidden="true" width="0" height="0" {
            defs {
                pattern #hatch patternUnits="userSpaceOnUse" width="60" height="60" patternTransform="rotate(45)" {
                    rect.hatch width="28" height="60" {}
                }
            }
        }
    }
}

/// A plot; `title` says what of, `description` how to read it.
pub(super) fn draw(bars: &[Bar], title: &str, description: &str) -> Markup {
    let (width, height) = SIZE;
    let top = ceiling(bars.iter().map(|bar| bar.amount.most).max().unwrap_or_default());
    let frame = Frame { left: MARGIN + DIGIT * (u64::from(top.ilog10()) + 1), top, places: count(bars) };
    let ends = [bars.first(), bars.last()].map(|bar| bar.map(|bar| bar.when.as_str()).unwrap_or_default());
    html! {
        svg.plot xmlns="http://www.w3.org/2000/svg" role="img" viewBox=(format!("0 0 {width} {height}")) aria-label=(title) {
            desc { (description) }
            @for number in [top, top / 2, 0] { (frame.line(number)) }
            @for (place, bar) in (0..).zip(bars) { (frame.column(bar, place)) }
            text.when x=(frame.left) y=(height - 90) { (ends[0]) }
            text.when.end x=(width - 20) y=(height - 90) { (ends[1]) }
        }
    }
}

/// A round number that nothing is above.
fn ceiling(most: u64) -> u64 {
    let tens = std::iter::successors(Some(10_u64), |ten| ten.checked_mul(10));
    let steps = tens.flat_map(|ten| [ten, ten.saturating_mul(2), ten.saturating_mul(5)]);
    steps.into_iter().find(|step| *step >= most).unwrap_or(u64::MAX)
}

fn count(bars: &[Bar]) -> u64 {
    u64::try_from(bars.len()).unwrap_or(u64::MAX).max(1)
}

/// Where the bars of a plot are.
struct Frame {
    /// Their left end.
    left: u64,
    /// The number that is as high as the plot.
    top: u64,
    places: u64,
}

impl Frame {
    /// The height of a number.
    fn height(&self, number: u64) -> u64 {
        let height = u128::from(number) * u128::from(GROUND - TOP) / u128::from(self.top.max(1));
        u64::try_from(height).unwrap_or(GROUND - TOP)
    }

    fn line(&self, number: u64) -> Markup {
        let y = GROUND - self.height(number);
        html! {
            path.line d=(format!("M{} {y}H{}", self.left, SIZE.0 - 20)) {}
            text.scale x=(self.left - 50) y=(y + 40) { (number) }
        }
    }

    fn column(&self, bar: &Bar, place: u64) -> Markup {
        let room = SIZE.0 - 20 - self.left;
        let (from, to) = (self.left + room * place / self.places, self.left + room * (place + 1) / self.places);
        let gap = (to - from) / 8;
        let (x, width) = (from + gap, to - from - 2 * gap);
        let Amount { least, most, counts } = bar.amount;
        let known = if least == 0 { 0 } else { self.height(least).max(LEAST) };
        let open = if most > least { self.height(most - least).max(LEAST) } else { 0 };
        html! {
            @if counts > 0 {
                g {
                    title { (bar.when) ": " (bar.amount.told()) }
                    @if known > 0 { rect.known x=(x) y=(GROUND - known) width=(width) height=(known) {} }
                    @if open > 0 {
                        rect.open fill=(HATCH) x=(x) y=((GROUND - known).saturating_sub(open)) width=(width) height=(open) {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(counts: &[(u64, u64)]) -> Amount {
        let mut amount = Amount::default();
        counts.iter().for_each(|bounds| amount.add(*bounds));
        amount
    }

    #[test]
    fn a_sum_says_no_more_than_its_counts() {
        assert_eq!(amount(&[]).told(), "–");
        assert_eq!(amount(&[(0, 9)]).told(), "<10");
        assert_eq!(amount(&[(0, 9), (0, 9), (0, 9)]).told(), "<28");
        assert_eq!(amount(&[(31, 31), (12, 12)]).told(), "43");
        assert_eq!(amount(&[(31, 31), (0, 9)]).told(), "31–40");
        assert_eq!(Amount::sum(&[amount(&[(31, 31)]), amount(&[]), amount(&[(0, 9)])]), amount(&[(31, 31), (0, 9)]));
        assert_eq!(amount(&[(u64::MAX, u64::MAX), (10, 10)]).least, u64::MAX);
    }

    #[test]
    fn what_is_not_known_is_hatched_and_what_was_not_counted_is_not_drawn() {
        let bar = |counts: &[(u64, u64)]| Bar { when: "2027-01-15".to_owned(), amount: amount(counts) };
        let drawn = |counts: &[(u64, u64)]| draw(&[bar(counts)], "t", "d").into_string();
        let parts = |drawn: &str| (drawn.matches("class=\"known\"").count(), drawn.matches("class=\"open\"").count());
        assert_eq!(parts(&drawn(&[])), (0, 0));
        assert_eq!(parts(&drawn(&[(12, 12)])), (1, 0));
        assert_eq!(parts(&drawn(&[(0, 9)])), (0, 1));
        assert_eq!(parts(&drawn(&[(12, 12), (0, 9)])), (1, 1));
        // Beside a million, a small bar is still to be seen, and nothing leaves the plot.
        let both = draw(&[bar(&[(1_000_000, 1_000_000), (0, 9)]), bar(&[(0, 9)])], "t", "d").into_string();
        assert!(both.contains(&format!("height=\"{LEAST}\"")), "{both}");
        for most in [0, 9, 10, 11, 20, 21, 5_000_001, u64::MAX] {
            let frame = Frame { left: 0, top: ceiling(most), places: 1 };
            assert!(frame.top >= most && frame.height(most) <= GROUND - TOP, "{most}");
        }
        draw(&[bar(&[(u64::MAX, u64::MAX), (0, 9)])], "t", "d");
        draw(&[], "t", "d");
    }

    #[test]
    fn texts_are_escaped() {
        let amount = amount(&[(0, 9)]);
        let drawn = draw(&[Bar { when: "<b>".to_owned(), amount }], "\"><script>", "<i>").into_string();
        assert!(!drawn.contains("<b>") && !drawn.contains("<script>") && !drawn.contains("<i>"), "{drawn}");
        assert!(drawn.contains(": &lt;10"), "{drawn}");
    }
}
