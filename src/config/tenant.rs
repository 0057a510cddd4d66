//! What is said of a tenant.

use serde::{Deserialize, Serialize};

/// What holds for all sources of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenant {
    /// See [`Retention::audit_days`].
    pub audit_days: u32,
    /// See [`Retention::client_address_days`].
    pub client_address_days: u32,
    /// How many deliveries of all its sources together may begin in a second, 1 to 1,000. What is over that is
    /// held, and delivered later.
    pub deliveries_per_second_max: Option<u32>,
}

impl Default for Tenant {
    fn default() -> Self {
        let Retention {
            audit_days,
            client_address_days,
        } = Retention::default();
        Tenant {
            audit_days,
            client_address_days,
            deliveries_per_second_max: None,
        }
    }
}

impl Tenant {
    pub fn retention(&self) -> Retention {
        Retention {
            audit_days: self.audit_days,
            client_address_days: self.client_address_days,
        }
    }
}

/// How long the record of refusals keeps what it has of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days after which a record's text goes. That it was there, and its leaf hash, stay.
    pub audit_days: u32,
    /// Days after which a client's address goes, and its network stays. 0: it is never stored.
    pub client_address_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            audit_days: 90,
            client_address_days: 30,
        }
    }
}
