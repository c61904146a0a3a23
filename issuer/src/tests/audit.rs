//! What officials do is written down with the doing.

use actix_web::test::TestRequest;
use serde_json::Value;

use super::world::World;

fn lines(text: &str) -> Vec<(String, String, String)> {
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let member = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (member("who"), member("what"), member("outcome"))
    };
    text.lines().map(line).collect()
}

#[actix_web::test]
async fn each_act_has_its_line_and_the_refused_ones_too() {
    let world = World::new().await;
    let reader = "r".repeat(24);
    world.add_token(&format!("li.hua read {reader}"));
    world.offer().await;
    let unknown = world.admin(TestRequest::post().uri("/admin/credentials/AAAAAAAAAAAAAAAAAAAAAA/revoke")).await;
    assert_eq!(unknown.status, 404);
    let read = world.admin(TestRequest::get().uri("/admin/subjects")).await;
    assert_eq!(read.status, 200);
    let shown = |token: &str| TestRequest::post().uri("/admin/offers").insert_header(("Authorization", token));
    assert_eq!(world.send(shown(&format!("Bearer {reader}"))).await.status, 403);
    // Whoever has no token, or a wrong one, writes nothing.
    assert_eq!(world.send(TestRequest::post().uri("/admin/offers")).await.status, 401);
    assert_eq!(world.send(shown("Bearer nobody's")).await.status, 401);

    let audit = world.admin(TestRequest::get().uri("/admin/audit?from=1")).await;
    let audit = (audit.status, String::from_utf8(audit.body).unwrap());
    let line = |who: &str, what: &str, outcome: &str| (who.to_owned(), what.to_owned(), outcome.to_owned());
    assert_eq!(
        lines(&audit.1),
        [
            line("admin", "POST /admin/offers", "done"),
            line("admin", "POST /admin/credentials/{id}/revoke", "refused 404"),
            line("li.hua", "POST /admin/offers", "refused 403"),
        ]
    );
    assert_eq!(world.service.records.audit.verify().await.unwrap().lines, 4, "the first is the import");
    assert!(!audit.1.contains("AAAAAAAA"), "no line has what a stranger may have written");
    assert_eq!(world.send(TestRequest::get().uri("/admin/audit")).await.status, 401);
}
