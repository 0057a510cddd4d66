//! What a backend is given.

use hookgate::config::{Destination, SecretRef, SignAs};
use hookgate::delivery::{DeliveryKey, headers};
use hookgate::event::Held;

use super::NOW_MS;

fn destination(sign: SignAs) -> Destination {
    Destination {
        url: "https://backend.example/".into(),
        sign,
        secret: SecretRef::WorkerSecret("DELIVERY_SECRET".into()),
        timeout_seconds: 15,
        attempts_max: 16,
        backoff_first_seconds: 5,
        backoff_max_seconds: 3_600,
        backend_ignores_age: false,
    }
}

pub fn delivered(message: &str, sign: SignAs) -> Vec<(String, String)> {
    let held = Held::read(message).unwrap();
    let key =
        DeliveryKey::new("DELIVERY_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    headers(&held, &destination(sign), &key, 2, NOW_MS + 1_500, &[])
}
