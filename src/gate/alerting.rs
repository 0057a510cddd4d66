//! Who is told of alerts.

use super::Fault;
use crate::config::{Alerts, Destination, SecretRef, is_private};
use crate::delivery::DeliveryKey;
use crate::verdict::Trouble;

/// What is looked at, and who is told.
#[derive(Debug, Default)]
pub struct Alerting {
    pub settings: Alerts,
    /// `None`: nobody is configured, or the configured one cannot be told. Then messages wait.
    pub route: Option<Route>,
}

/// Where messages go, and the key that signs them.
#[derive(Debug)]
pub struct Route {
    pub url: String,
    pub key: DeliveryKey,
}

impl Alerting {
    /// As a destination is brought up; one that cannot be used is a fault, and no source's trouble.
    pub(super) fn bring_up(
        settings: Alerts,
        private_allowed: bool,
        variable: &mut impl FnMut(&str) -> Option<String>,
        faults: &mut Vec<Fault>,
    ) -> Self {
        let Some(webhook) = &settings.webhook else {
            return Alerting {
                settings,
                route: None,
            };
        };
        let (url, named) = match webhook.strip_prefix('$') {
            Some(name) => (variable(name), name),
            None => (Some(webhook.clone()), webhook.as_str()),
        };
        let is_sound =
            |url: &String| Destination::is_url(url) && (private_allowed || !is_private(url));
        let url = url.filter(is_sound).ok_or(named);
        let secret = settings.secret.as_ref().map_or("", SecretRef::name);
        let key = DeliveryKey::new(secret, &variable(secret).unwrap_or_default());
        let route = url.and_then(|url| key.map(|key| Route { url, key }).map_err(|_| secret));
        let route = route.map_err(|missing| {
            faults.push(Fault {
                trouble: Trouble::DestinationUnusable,
                source: None,
                destination: Some("[alerts]".to_owned()),
                secret: Some(missing.to_owned()),
            });
        });
        Alerting {
            route: route.ok(),
            settings,
        }
    }
}
