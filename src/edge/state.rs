//! What an isolate keeps between requests: plain data, never a future or a lock (a wasm future
//! that belongs to one request cannot be polled from another).

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use worker::Env;

use super::platform::{binding, log, variable};
use crate::audit::NoticeLine;
use crate::config::{Config, Destination};
use crate::delivery::DeliveryKey;
use crate::gate::Gate;

/// The configuration, alive. A new version or a new secret starts new isolates, so reading the
/// secrets once is enough.
pub struct State {
    /// `None`: the embedded configuration did not parse.
    pub gate: Option<Gate>,
    routes: BTreeMap<String, Route>,
}

/// A destination with what its deliveries need.
pub struct Route {
    pub destination: Destination,
    pub url: String,
    pub key: DeliveryKey,
}

thread_local! {
    static STATE: OnceCell<Rc<State>> = const { OnceCell::new() };
}

impl State {
    pub fn of(env: &Env) -> Rc<State> {
        STATE.with(|cell| cell.get_or_init(|| Rc::new(State::load(env))).clone())
    }

    /// Where events of this destination go. `None`: its address or its secret is missing here.
    pub fn route(&self, destination: &str) -> Option<&Route> {
        self.routes.get(destination)
    }

    /// Whether every destination has an address and a secret.
    pub fn has_every_route(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| {
            gate.destinations
                .keys()
                .all(|name| self.routes.contains_key(name))
        })
    }

    fn load(env: &Env) -> State {
        write_only_the_place_of_panics();
        let alarm = |what: &str, detail: &str| {
            log(&NoticeLine {
                event: "alarm",
                what,
                detail: Some(detail),
                ..NoticeLine::default()
            });
        };
        let config = match Config::from_json(crate::EMBEDDED_SOURCES) {
            Ok(config) => config,
            Err(errors) => {
                alarm("configuration_broken", &errors.join("; "));
                return State {
                    gate: None,
                    routes: BTreeMap::new(),
                };
            }
        };
        let environment = variable(env, binding::ENVIRONMENT).unwrap_or_default();
        let gate = Gate::assemble(config, &environment, |name| variable(env, name));
        for wrong in &gate.alarms {
            log(&NoticeLine::from(wrong));
        }
        let mut routes = BTreeMap::new();
        for (name, destination) in &gate.destinations {
            let url = match destination.url.strip_prefix('$') {
                Some(variable_name) => variable(env, variable_name).unwrap_or_default(),
                None => destination.url.clone(),
            };
            if !Destination::is_url(&url) {
                alarm("destination_url_unusable", name);
                continue;
            }
            let secret_name = destination.secret.name();
            match DeliveryKey::new(secret_name, &variable(env, secret_name).unwrap_or_default()) {
                Ok(key) => {
                    let destination = destination.clone();
                    routes.insert(
                        name.clone(),
                        Route {
                            destination,
                            url,
                            key,
                        },
                    );
                }
                Err(_) => alarm("delivery_secret_unusable", secret_name),
            }
        }
        State {
            gate: Some(gate),
            routes,
        }
    }
}

/// A panic's text may quote the request. The crate's own hook, set when the module starts, would
/// print it; this one takes its place before the first request is looked at.
fn write_only_the_place_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        log(&NoticeLine {
            event: "alarm",
            what: "panicked",
            detail: place.as_deref(),
            ..NoticeLine::default()
        });
    }));
}
