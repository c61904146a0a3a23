//! A tree as a picture: inline SVG that the page's style colours, read from left to right. Each box leads somewhere, so it
//! is reached by keyboard; whoever cannot see it reads the list beside it.

use maud::{Markup, html};
use service_kit::terminal::columns;

use super::accreditations::Branch;

/// Width and height of a box, and the room between boxes, in the picture's own units.
const BOX: (usize, usize) = (264, 46);
const GAP: (usize, usize) = (44, 14);
/// Columns of text that a box has room for, in its larger and its smaller letters; a Chinese character takes two.
const COLUMNS: (usize, usize) = (27, 36);

/// A box at its place.
struct Placed<'a> {
    branch: &'a Branch,
    level: usize,
    /// Twice the row, so that a parent stands between two children.
    half_row: usize,
    parent: Option<(usize, usize)>,
}

/// The picture of these trees, one below the other.
pub(super) fn draw(roots: &[Branch], title: &str, description: &str) -> Markup {
    let mut placed = Vec::new();
    let mut rows = 0;
    for root in roots {
        place(root, 0, &mut rows, &mut placed);
    }
    let levels = placed.iter().map(|one| one.level).max().map_or(1, |level| level.saturating_add(1));
    let width = levels.saturating_mul(BOX.0 + GAP.0).saturating_sub(GAP.0).saturating_add(2);
    let height = rows.max(1).saturating_mul(BOX.1 + GAP.1).saturating_sub(GAP.1).saturating_add(2);
    html! {
        svg.branches xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="picture-title picture-about"
            width=(width) height=(height) viewBox=(format!("-1 -1 {width} {height}")) {
            title #picture-title { (title) }
            desc #picture-about { (description) }
            @for one in &placed { @if let Some(parent) = one.parent { (line(parent, (one.level, one.half_row))) } }
            @for one in &placed { (shape(one)) }
        }
    }
}

/// Places a branch between its first and its last, and gives each that has none a row of its own. Answers its half row.
fn place<'a>(branch: &'a Branch, level: usize, rows: &mut usize, placed: &mut Vec<Placed<'a>>) -> usize {
    let begin = placed.len();
    let below: Vec<usize> =
        branch.branches.iter().map(|one| place(one, level.saturating_add(1), rows, placed)).collect();
    let half_row = match (below.first(), below.last()) {
        (Some(first), Some(last)) => first.saturating_add(*last) / 2,
        _ => {
            *rows = rows.saturating_add(1);
            rows.saturating_sub(1).saturating_mul(2)
        }
    };
    let here = (level, half_row);
    let children = placed.iter_mut().skip(begin).filter(|one| one.level == level.saturating_add(1));
    children.for_each(|one| one.parent = Some(here));
    placed.push(Placed { branch, level, half_row, parent: None });
    half_row
}

/// Upper left corner of the box at a place.
fn corner((level, half_row): (usize, usize)) -> (usize, usize) {
    (level.saturating_mul(BOX.0 + GAP.0), half_row.saturating_mul(BOX.1 + GAP.1) / 2)
}

fn line(parent: (usize, usize), child: (usize, usize)) -> Markup {
    let ((from_x, from_y), (to_x, to_y)) = (corner(parent), corner(child));
    let (from_x, from_y) = (from_x.saturating_add(BOX.0), from_y.saturating_add(BOX.1 / 2));
    let (to_y, middle) = (to_y.saturating_add(BOX.1 / 2), from_x.saturating_add(GAP.0 / 2));
    html! { path.line d=(format!("M{from_x} {from_y}C{middle} {from_y} {middle} {to_y} {to_x} {to_y}")) {} }
}

fn shape(one: &Placed<'_>) -> Markup {
    let (x, y) = corner((one.level, one.half_row));
    let (branch, left) = (one.branch, x.saturating_add(12));
    let class = format!("{}{}", branch.tone, if branch.over { " over" } else { "" });
    html! {
        a class=(class) href=(branch.address) {
            title { (branch.name) " – " (branch.about) }
            rect x=(x) y=(y) width=(BOX.0) height=(BOX.1) rx="6" {}
            text.name x=(left) y=(y.saturating_add(19)) { (cut(&branch.name, COLUMNS.0)) }
            text.about x=(left) y=(y.saturating_add(36)) { (cut(&branch.about, COLUMNS.1)) }
        }
    }
}

fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut shown = String::new();
    for letter in text.chars() {
        shown.push(letter);
        if columns(&shown) >= room {
            shown.pop();
            break;
        }
    }
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(name: &str, branches: Vec<Branch>) -> Branch {
        let (about, address) = (String::new(), "/x".to_owned());
        Branch { tone: "issuer", over: false, name: name.to_owned(), about, address, branches }
    }

    #[test]
    fn a_parent_stands_between_its_children_and_no_two_boxes_meet() {
        let tree = branch("a", vec![branch("b", vec![branch("c", vec![]), branch("d", vec![])]), branch("e", vec![])]);
        let mut placed = Vec::new();
        let mut rows = 0;
        place(&tree, 0, &mut rows, &mut placed);
        let at = |name: &str| placed.iter().find(|one| one.branch.name == name).map(|one| (one.level, one.half_row));
        assert_eq!(rows, 3);
        assert_eq!(at("c"), Some((2, 0)));
        assert_eq!(at("d"), Some((2, 2)));
        assert_eq!(at("b"), Some((1, 1)));
        assert_eq!(at("e"), Some((1, 4)));
        assert_eq!(at("a"), Some((0, 2)));
        let parents: Vec<_> = placed.iter().map(|one| (one.branch.name.as_str(), one.parent)).collect();
        assert!(parents.contains(&("c", Some((1, 1)))) && parents.contains(&("e", Some((0, 2)))), "{parents:?}");
    }

    #[test]
    fn names_are_escaped_and_cut() {
        let drawn =
            draw(&[branch("<script>alert(1)</script> and a name that is too long", vec![])], "t", "d").into_string();
        assert!(!drawn.contains("<script"), "{drawn}");
        assert_eq!(cut("住房公积金管理中心贷款审批窗口", 12), "住房公积金…");
    }
}
