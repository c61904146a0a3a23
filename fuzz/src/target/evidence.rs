//! Evidence bundles and period exports.

use std::sync::LazyLock;

use identity_core::bundle::{Bundle, Withdrawn};
use identity_core::period::Period;
use identity_core::sample::period::Service;
use identity_core::sample::world::World;
use ledger::{TrustRoot, sha256};
use serde_json::{Map, Value, json};

use super::withdrawal;
use crate::{Outcome, text, unsigned};

struct Sample {
    world: World,
    trust_root: TrustRoot,
    /// A bundle that holds, one with the answer itself, and one of a sharing that was taken back, as JSON.
    plain: Value,
    full: Value,
    taken: Value,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let world = World::new();
    let (plain, full) = (world.bundle(None, false), json!(world.bundle(None, true)));
    let receipt = json!(plain)["receipt"].as_str().unwrap().to_owned();
    let taken = json!(plain.clone().with_withdrawal(withdrawal::taken_back(&world, &receipt)));
    Sample { trust_root: world.ledger.trust_root(), plain: json!(plain), full, taken, world }
});

/// A file without its last member, in which `$BUNDLE`, `$FULL` and `$TAKEN` stand for the members of bundles that hold; each
/// further line `name=value` puts another value in the place of one of them, `$UNSIGNED` for the receipt without its
/// signature. The target writes the digest, as a forger would. Whatever holds is by the sample service, and the one
/// answer it gave; taken back in the holder's words, and acknowledged in the service's.
pub fn bundle(data: &[u8]) -> Outcome {
    let Sample { world, trust_root, plain, full, taken } = &*SAMPLE;
    let receipt = plain["receipt"].as_str().unwrap();
    let file = file_of(data, &[("$BUNDLE", plain), ("$FULL", full), ("$TAKEN", taken)], receipt);
    let Some(file) = file else { return Outcome::Refused };
    let held = Bundle::parse(file.as_bytes()).and_then(|bundle| Ok((bundle.check(trust_root)?, bundle)));
    if let Ok((checked, bundle)) = &held {
        assert_eq!(checked.service().did, world.asker.did());
        assert_eq!(checked.receipt().presentations["id"][0].digest, sha256(world.token["id"][0].as_bytes()));
        let (said, told) = (json!(bundle), &taken["withdrawal"]);
        let withdrawn = checked.withdrawn();
        assert!(withdrawn.is_none() || said["withdrawal"]["text"] == told["text"]);
        let acknowledged = withdrawn.and_then(Withdrawn::acknowledged);
        assert!(acknowledged.is_none() || said["withdrawal"]["acknowledgement"] == told["acknowledgement"]);
        let again = Bundle::parse(bundle.to_text().as_bytes());
        assert_eq!(again.as_ref(), Ok(bundle), "written down again it reads the same");
    }
    Outcome::of(&held)
}

struct SamplePeriod {
    service: Service,
    trust_root: TrustRoot,
    /// A period that is over, and one that is not, as JSON.
    middle: Value,
    open: Value,
}

static PERIOD: LazyLock<SamplePeriod> = LazyLock::new(|| {
    let service = Service::new();
    let (middle, open) = (json!(service.middle()), json!(service.open()));
    SamplePeriod { trust_root: service.ledger.trust_root(), middle, open, service }
});

/// The same for a period export, with `$MIDDLE` and `$OPEN` for the members of periods that hold, and `$UNSIGNED` for a
/// receipt without its signature. Whatever holds is of the sample service, and every entry in it is as it was signed.
pub fn period(data: &[u8]) -> Outcome {
    let SamplePeriod { service, trust_root, middle, open } = &*PERIOD;
    let file = file_of(data, &[("$MIDDLE", middle), ("$OPEN", open)], &service.entries[5]);
    let Some(file) = file else { return Outcome::Refused };
    let held = Period::parse(file.as_bytes()).and_then(|period| Ok((period.check(trust_root)?, period)));
    if let Ok((checked, period)) = &held {
        assert_eq!(*checked.service(), service.asker.did());
        assert!(period.entries.iter().all(|text| service.entries.contains(text)), "no entry that was never signed");
        let again = Period::parse(period.to_text().unwrap().as_bytes());
        assert_eq!(again.as_ref(), Ok(period), "written down again it reads the same");
    }
    Outcome::of(&held)
}

/// A file that ends with its digest, out of the first line and those that put other values in the place of its members.
fn file_of(data: &[u8], known: &[(&str, &Value)], receipt: &str) -> Option<String> {
    let mut lines = text(data)?.lines();
    let file = lines.next().unwrap_or_default().to_owned();
    let file = known.iter().fold(file, |file, (name, object)| file.replace(name, &members(object)));
    let said = match lines.clone().next() {
        None => file,
        Some(_) => {
            let mut object = serde_json::from_str::<Map<String, Value>>(&file).ok()?;
            let receipt = unsigned(receipt);
            for (name, value) in lines.filter_map(|line| line.split_once('=')) {
                let Ok(value) = serde_json::from_str(&value.replace("$UNSIGNED", &receipt)) else { continue };
                object.insert(name.to_owned(), value);
            }
            Value::Object(object).to_string()
        }
    };
    let said = said.strip_suffix('}')?;
    Some(format!("{said},\"sha256\":\"{}\"}}\n", sha256(said.as_bytes()).to_base64url()))
}

fn members(object: &Value) -> String {
    let text = object.to_string();
    text[1..text.len() - 1].to_owned()
}
