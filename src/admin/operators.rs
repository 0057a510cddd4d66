//! Who is an operator: the Worker secret `ADMINS`, one line an operator.
//!
//! ```text
//! NAME ROLE TENANTS PROOF
//! ana        operate *           sha256:<64 hex characters>
//! audit-bot  read    acme,globex sha256:<64 hex characters>
//! ben        read    acme        access:ben@example.com
//! ```
//!
//! ROLE is `read` or `operate`, which includes it. TENANTS is `*`, or names with commas; `_` is what was sent to no source.
//! Empty lines, and those that begin with `#`, are nobody's. A name may stand twice, so that a token is changed
//! without a moment in which none is good; a proof may not.
//!
//! **A hash and no more** is kept of a token. Tokens are made here of 256 random bits, so nobody finds one by trying
//! what it could be, and a hash that is slow on purpose (as for passwords, RFC 9106) would protect nothing; and nobody
//! can bring a token of his own choice, because only the form that [`token`] makes is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};

use super::session::Session;
use crate::hex;
use crate::keys::Mac;
use crate::scheme::Algorithm;
use crate::tlog::is_tenant;
use crate::uses;

/// Tokens begin so, for whoever finds one where it should not be.
const TOKEN_PREFIX: &str = "hookgate_";
/// 32 bytes in base64.
const RANDOM_CHARACTERS: usize = 43;
const NAME_CHARACTERS_MAX: usize = 64;
/// RFC 5321, section 4.5.3.1.3, without its brackets.
const EMAIL_CHARACTERS_MAX: usize = 254;

/// Who asks, and what he may. Whatever of the gate belongs to a tenant, an operator whom [`Operator::sees`] does not
/// let see it is told of it what he would be told if it were not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// For the record.
    pub name: String,
    /// May change something, not only look.
    pub operates: bool,
    /// `None`: all of them, and what belongs to none.
    tenants: Option<Vec<String>>,
}

impl Operator {
    /// Who may do everything.
    pub fn of_everything(name: &str) -> Operator {
        Operator {
            name: name.to_owned(),
            operates: true,
            tenants: None,
        }
    }

    /// Who sees only these tenants.
    #[cfg(test)]
    pub fn of_tenants(name: &str, tenants: &[&str]) -> Operator {
        let tenants = tenants.iter().map(|tenant| (*tenant).to_owned()).collect();
        Operator {
            tenants: Some(tenants),
            ..Operator::of_everything(name)
        }
    }

    /// Whether what belongs to this tenant is there for him.
    pub fn sees(&self, tenant: &str) -> bool {
        let among = |tenants: &Vec<String>| tenants.iter().any(|name| name == tenant);
        self.tenants.as_ref().is_none_or(among)
    }

    /// The tenants that he sees. `None`: all of them, and what nobody can say the tenant of.
    pub fn tenants(&self) -> Option<&[String]> {
        self.tenants.as_deref()
    }
}

/// A line of `ADMINS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub operator: Operator,
    proof: Proof,
}

/// How an operator shows who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    /// SHA-256 of his token.
    Token([u8; 32]),
    /// The address that Cloudflare Access vouches for, in lower case.
    Access(String),
}

/// All operators.
#[derive(Debug, Default)]
pub struct Operators {
    lines: Vec<Line>,
    /// Numbers of lines that are none, from 1. They open nothing, and keep no other from being good.
    pub faults: Vec<usize>,
    /// One of them would be one if Access were there.
    wants_access: bool,
}

impl Operators {
    pub fn read(text: &str) -> Operators {
        Operators::of(text, uses::ACCESS)
    }

    /// Without Access a line with an address is none.
    pub fn of(text: &str, has_access: bool) -> Operators {
        let mut operators = Operators::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Line::read(line) {
                // Which of two roles would one proof give?
                Some(line) if !has_access && !line.has_token() => {
                    operators.wants_access = true;
                    operators.faults.push(index + 1);
                }
                Some(line) if !operators.has(&line.proof) => operators.lines.push(line),
                _ => operators.faults.push(index + 1),
            }
        }
        operators
    }

    /// Which lines are none, for the log. `None`: all are good.
    pub fn unreadable(&self) -> Option<String> {
        let lines: Vec<String> = self.faults.iter().map(usize::to_string).collect();
        let why = match self.wants_access {
            true => " (a line with access: takes `access = true` in the sources file)",
            false => "",
        };
        (!lines.is_empty()).then(|| [&lines.join(", "), why].concat())
    }

    fn has(&self, proof: &Proof) -> bool {
        self.lines.iter().any(|line| line.proof == *proof)
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whose token this is. Every line is compared, each in constant time.
    pub fn by_token(&self, token: &str) -> Option<&Line> {
        let sent: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for line in &self.lines {
            if let Proof::Token(known) = &line.proof
                && known.ct_eq(&sent).to_bool()
            {
                found = Some(line);
            }
        }
        found.filter(|_| is_token(token))
    }

    /// Whose address this is.
    pub fn by_email(&self, email: &str) -> Option<&Line> {
        let proof = Proof::Access(email.to_ascii_lowercase());
        self.lines.iter().find(|line| line.proof == proof)
    }

    /// The line that a session was made from, as long as it says the same. It is one with a token: in a line with an address
    /// is nothing that nobody else knows, so a MAC under it proves nothing.
    pub fn by_session(&self, session: &Session) -> Option<&Line> {
        let Session {
            id,
            expires_ms,
            mac,
        } = session;
        let mac = hex::decode(mac.as_bytes())?;
        let is_right = |line: &&Line| line.mac(id, *expires_ms).ct_eq(&mac).to_bool();
        let mut with_token = self.lines.iter().filter(|line| line.has_token());
        with_token.find(is_right)
    }
}

impl Line {
    /// `None`: it is none.
    fn read(text: &str) -> Option<Line> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, role, tenants, proof] = words[..] else {
            return None;
        };
        let operates = match role {
            "read" => false,
            "operate" => true,
            _ => return None,
        };
        let tenants = match tenants {
            "*" => None,
            names => {
                // What is asked of each of them is asked once.
                let mut tenants: Vec<String> = Vec::new();
                for name in names.split(',') {
                    if !tenants.iter().any(|known| known == name) {
                        tenants.push(name.to_owned());
                    }
                }
                Some(tenants)
            }
        };
        let sound = is_name(name) && tenants.iter().flatten().all(|name| is_tenant(name));
        let proof = match proof.split_once(':')? {
            ("sha256", hex) => Proof::Token(hex::decode(hex.as_bytes())?.try_into().ok()?),
            ("access", email) if is_email(email) => Proof::Access(email.to_ascii_lowercase()),
            _ => return None,
        };
        sound.then(|| Line {
            operator: Operator {
                name: name.to_owned(),
                operates,
                tenants,
            },
            proof,
        })
    }

    /// As `ADMINS` has it.
    pub fn to_text(&self) -> String {
        let Operator {
            name,
            operates,
            tenants,
        } = &self.operator;
        let role = if *operates { "operate" } else { "read" };
        let tenants = tenants
            .as_ref()
            .map_or("*".to_owned(), |names| names.join(","));
        let proof = match &self.proof {
            Proof::Token(hash) => format!("sha256:{}", hex::encode(hash)),
            Proof::Access(email) => format!("access:{email}"),
        };
        format!("{name} {role} {tenants} {proof}")
    }

    fn has_token(&self) -> bool {
        matches!(self.proof, Proof::Token(_))
    }

    /// Ties a session to this line and to its end. Who writes the database cannot make one: the key is the line, and
    /// the hash in it is nowhere but in the Worker's secret. Of a line without one it is not believed.
    pub fn session(&self, id: String, expires_ms: i64) -> Session {
        Session {
            mac: hex::encode(&self.mac(&id, expires_ms)),
            id,
            expires_ms,
        }
    }

    fn mac(&self, id: &str, expires_ms: i64) -> Vec<u8> {
        let mut mac = Mac::new(Algorithm::HmacSha256, self.to_text().as_bytes());
        mac.update(format!("hookgate session 1\n{id}\n{expires_ms}").as_bytes());
        mac.tag()
    }
}

/// A token of these random bytes.
pub fn token(random: [u8; 32]) -> String {
    format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

/// The line of who has this token. `None`: a word of it is none.
pub fn line_of(name: &str, role: &str, tenants: &str, token: &str) -> Option<String> {
    let hash = hex::encode(&Sha256::digest(token));
    let line = Line::read(&format!("{name} {role} {tenants} sha256:{hash}"))?;
    Some(line.to_text())
}

fn is_token(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX)
        .is_some_and(is_of_random_bytes)
}

/// Whether it has the form that 32 random bytes are written in: a token's without its prefix, and a cookie's.
pub fn is_of_random_bytes(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == RANDOM_CHARACTERS && text.bytes().all(is_base64)
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_plain)
}

fn is_email(text: &str) -> bool {
    text.len() <= EMAIL_CHARACTERS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}
