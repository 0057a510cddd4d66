//! What an isolate keeps between requests: plain data, never a future or a lock (a wasm future
//! that belongs to one request cannot be polled from another).

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use js_sys::{Array, Object};
use wasm_bindgen::JsValue;
use web_sys::Headers;
use worker::Env;

use super::platform::{binding, lines_of_matching, lines_of_named, list_of, notice, set, variable};
use crate::admin::Door;
use crate::admin::door::{OwnHost, Settings};
use crate::audit::{NO_TENANT, Notice, line};
use crate::by_name::ByName;
use crate::config::{Audit, Config, Retention, Tenant};
use crate::gate::{Gate, LiveSource};
use crate::quarantine::is_quarantine_key;
use crate::tlog::outside::Outside;

/// The configuration, alive. A new version or a new secret starts new isolates, so reading the
/// secrets once is enough.
pub struct State {
    pub gate: Gate,
    /// As configured; all other tenants have the default.
    tenants: ByName<Tenant>,
    audit: Audit,
    pub own_host: OwnHost,
    /// Made when they are asked for: no sender waits for what is an operator's.
    door: OnceCell<Door>,
    outside: OnceCell<Outside>,
}

thread_local! {
    static STATE: OnceCell<Rc<State>> = const { OnceCell::new() };
    static ASKED: RefCell<ByName<Rc<Asked>>> = RefCell::default();
}

/// Forgets what is kept by a source's name.
#[cfg(feature = "test-hooks")]
pub fn forget_sources() {
    ASKED.take();
}

/// What this source's requests and its events are asked for and given, as the platform wants it.
pub fn asked(live: &LiveSource) -> Rc<Asked> {
    ASKED.with_borrow_mut(|known| match known.get(&live.name) {
        Some(asked) => asked.clone(),
        None => {
            let asked = Rc::new(Asked::of(live));
            known.insert(live.name.clone(), asked.clone());
            asked
        }
    })
}

/// Values of the platform that are made once for each source.
pub struct Asked {
    claims: Array,
    names: Array,
    prefixes: Array,
    /// How long KV keeps an event's key.
    pub expiration: Object,
    /// Its secrets as WebCrypto has them, once they were imported.
    crypto_keys: RefCell<ByName<JsValue>>,
}

impl Asked {
    fn of(live: &LiveSource) -> Self {
        let (mut prefixes, mut names) = (Vec::new(), Vec::new());
        for name in &live.event_headers {
            match name.strip_suffix('*') {
                Some(prefix) => prefixes.push(prefix),
                None => names.push(name.as_str()),
            }
        }
        let claims = live.claim_headers.clone();
        #[cfg(feature = "test-hooks")]
        let claims = [claims, vec!["x-test-hook".into(), "x-test-secret".into()]].concat();
        let expiration = Object::new();
        let seconds = live.source.dedup_retention_seconds.into();
        set(&expiration, "expirationTtl", &seconds);
        Asked {
            claims: list_of(&claims.join("\n")),
            names: list_of(&names.join("\n")),
            prefixes: list_of(&prefixes.join("\n")),
            expiration,
            crypto_keys: RefCell::default(),
        }
    }

    pub fn crypto_key(&self, name: &str) -> Option<JsValue> {
        self.crypto_keys.borrow().get(name).cloned()
    }

    /// Keeps an imported key for as long as the isolate lives.
    pub fn keep_crypto_key(&self, name: String, key: JsValue) {
        self.crypto_keys.borrow_mut().insert(name, key);
    }

    /// What [`crate::admission::open`] wants to know, as [`Head::precede`] reads it.
    ///
    /// [`Head::precede`]: crate::request::Head::precede
    pub fn claims_of(&self, headers: &Headers) -> String {
        lines_of_named(headers, &self.claims)
    }

    /// What [`crate::admission::admit`] wants to know besides.
    pub fn of_event(&self, headers: &Headers) -> String {
        lines_of_matching(headers, &self.names, &self.prefixes)
    }
}

impl State {
    pub fn of(env: &Env) -> Rc<State> {
        #[cfg(feature = "test-hooks")]
        if let Some(state) = super::test_hooks::state_instead(env) {
            return state;
        }
        STATE.with(|cell| cell.get_or_init(|| Rc::new(State::load(env))).clone())
    }

    pub(super) fn load(env: &Env) -> State {
        write_only_the_place_of_panics();
        let environment = variable(env, binding::ENVIRONMENT).unwrap_or_default();
        let config = Config::from_bytes(crate::EMBEDDED_SOURCES);
        #[cfg(feature = "test-hooks")]
        let mut config = config;
        #[cfg(feature = "test-hooks")]
        {
            super::test_hooks::configure_on_purpose(&mut config, env);
            super::test_hooks::reshard_on_purpose(&mut config, env);
        }
        let tenants = config.tenants.clone();
        let audit = config.audit.clone();
        let gate = Gate::assemble(config, &environment, |name| variable(env, name));
        for fault in &gate.faults {
            notice(&Notice::Fault(fault));
        }
        let state = State {
            gate,
            tenants,
            audit,
            own_host: OwnHost::of(variable(env, binding::ADMIN_HOST)),
            door: OnceCell::new(),
            outside: OnceCell::new(),
        };
        state.tell_of_quarantine(env);
        state
    }

    /// Who is let in as an operator.
    pub fn door(&self, env: &Env) -> &Door {
        self.door.get_or_init(|| door(env, self.own_host.clone()))
    }

    /// Who remembers the logs besides this account.
    pub fn outside(&self, env: &Env) -> &Outside {
        self.outside.get_or_init(|| {
            let environment = variable(env, binding::ENVIRONMENT).unwrap_or_default();
            Outside::bring_up(&self.audit, &environment, |name| variable(env, name))
        })
    }

    /// How large the record may become, as a number of D1 is.
    pub fn record_bytes_max(&self) -> f64 {
        self.audit.record_bytes_max() as f64
    }

    /// Whether refused requests that are to be kept can be; the log says so if not. Events are taken all the same.
    pub fn tell_of_quarantine(&self, env: &Env) {
        let mut sources = self.gate.sources();
        let key = variable(env, binding::QUARANTINE_KEY).unwrap_or_default();
        if sources.any(|live| live.source.quarantine) && !is_quarantine_key(&key) {
            notice(&Notice::QuarantineOff);
        }
    }

    /// Whether a source has this tenant.
    pub fn has_tenant(&self, tenant: &str) -> bool {
        let mut sources = self.gate.sources();
        sources.any(|live| live.source.tenant == tenant)
    }

    /// All that are configured, as a JSON list; the one of what was sent to no source among them.
    pub fn tenants(&self) -> String {
        let sources = self.gate.sources();
        let mut tenants: BTreeSet<&str> = sources.map(|live| &*live.source.tenant).collect();
        tenants.extend(self.tenants.keys().map(String::as_str));
        tenants.insert(NO_TENANT);
        line(&tenants)
    }

    /// How long the record keeps what it has of this tenant.
    pub fn retention(&self, tenant: &str) -> Retention {
        self.tenants
            .get(tenant)
            .map_or_else(Retention::default, Tenant::retention)
    }
}

/// A line that is none is an alarm, and no more: who may take events is asked for by nobody's name.
fn door(env: &Env, host: OwnHost) -> Door {
    let door = Door::bring_up(
        &variable(env, binding::ENVIRONMENT).unwrap_or_default(),
        Settings {
            admins: variable(env, binding::ADMINS),
            host,
            access_team: variable(env, binding::ACCESS_TEAM),
            access_audience: variable(env, binding::ACCESS_AUD),
        },
    );
    if let Some(lines) = &door.operators.unreadable() {
        notice(&Notice::AdminsUnreadable { lines });
    }
    door
}

/// A panic's text may quote the request: its place is all that is told of it. Set before the first request is looked at.
fn write_only_the_place_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        notice(&Notice::Panicked {
            place: place.as_deref().unwrap_or("unknown"),
        });
    }));
}
