//! Cloudflare Access as the other way to show who one is: it stands before the operators' host, and vouches for an e-mail
//! address with a JSON Web Token in each request.
//!
//! The keys are the team's, at one URL. They are remembered by the isolate and nowhere else: who writes KV, where those of
//! providers are kept, must not become an operator.
//!
//! Source: <https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/>

use std::sync::Arc;

use crate::public_key::document::{Document, Keys, NoKey};
use crate::public_key::inquiry::Fetched;
use crate::public_key::memory::{Age, KeyMemory};
use crate::public_key::token::Token;
use crate::public_key::{Method, PublicKey, Question, SignatureHash, jwk};
use crate::scheme::{Algorithm, TokenForm};
use crate::verdict::Trouble;

/// The request's header that has it.
pub const HEADER: &str = "cf-access-jwt-assertion";
/// A session of Access lasts a month at most.
const LIFETIME_SECONDS_MAX: u32 = 31 * 86_400;
/// How far its clock and ours may be apart.
const LEEWAY_SECONDS: u32 = 60;
/// Whose keys they are to [`KeyMemory`]: a name that no source can have.
const NOBODYS: &str = "";

/// Whose word is taken, and for which application.
#[derive(Debug)]
pub struct Access {
    /// `https://TEAM.cloudflareaccess.com`.
    team: String,
    /// The application's tag.
    audience: String,
    form: TokenForm,
}

/// What a token is worth.
#[derive(Clone, Debug)]
pub enum Step {
    /// Fetch the keys, and say what came of it: [`Access::fetched`].
    Fetch { url: String },
    /// Check the signature. If it is right, the token is this address's.
    Ask { question: Question, email: String },
    /// Nobody whom Access vouches for.
    Refused,
    /// It could not be found out.
    Unavailable,
}

impl Access {
    /// Of the variables `ACCESS_TEAM` and `ACCESS_AUD`. `None`: they are not both there, or name no team.
    pub fn of(team: &str, audience: &str) -> Option<Access> {
        let team = team.trim_end_matches('/');
        let host = team.strip_prefix("https://")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        let sound = host.ends_with(".cloudflareaccess.com") && host.bytes().all(is_plain);
        (sound && !audience.is_empty()).then(|| Access {
            team: team.to_owned(),
            audience: audience.to_owned(),
            form: TokenForm {
                alg: "RS256".to_owned(),
                issuers: Vec::new(),
                true_claims: Vec::new(),
                lifetime_seconds_max: LIFETIME_SECONDS_MAX,
                leeway_seconds: LEEWAY_SECONDS,
            },
        })
    }

    fn url(&self) -> String {
        [&self.team, "/cdn-cgi/access/certs"].concat()
    }

    /// The first step with a token.
    pub fn begin(&self, text: &str, memory: &mut KeyMemory, now_ms: i64) -> Step {
        let Some((token, email)) = self.read(text, now_ms) else {
            return Step::Refused;
        };
        let url = self.url();
        let remembered = memory.find(NOBODYS, &url, now_ms);
        match remembered.map(|(keys, age)| (age, key_of(keys, &token))) {
            Some((Age::Fresh, Ok(key))) => ask(key, token, email),
            Some((Age::Fresh, Err(NoKey::Unusable))) => Step::Refused,
            // The team had no such key a moment ago.
            Some((Age::Fresh, Err(NoKey::Unknown)))
                if !memory.may_ask_again(NOBODYS, &url, now_ms) =>
            {
                Step::Refused
            }
            _ if memory.may_look(NOBODYS, &url, now_ms) => Step::Fetch { url },
            _ => self.fall_back(token, email, memory, now_ms),
        }
    }

    /// What came of fetching the keys: `None` if they did not come.
    pub fn fetched(
        &self,
        text: &str,
        fetched: Option<Fetched>,
        memory: &mut KeyMemory,
        now_ms: i64,
    ) -> Step {
        let Some((token, email)) = self.read(text, now_ms) else {
            return Step::Refused;
        };
        let url = self.url();
        let document = fetched.map(|fetched| {
            Document::fetched(fetched.text, fetched.cache_control.as_deref(), now_ms)
        });
        let set = document.and_then(|document| Some((jwk::read_set(&document.text)?, document)));
        let Some((set, document)) = set else {
            memory.failed(NOBODYS, &url, Trouble::KeyUnfetched, now_ms);
            return self.fall_back(token, email, memory, now_ms);
        };
        let set = set.into_iter().map(|(id, key)| (id, Arc::new(key)));
        let keys = Keys::Set(set.collect());
        let key = key_of(&keys, &token);
        memory.keep(NOBODYS, &url, &document, keys);
        memory.may_ask_again(NOBODYS, &url, now_ms);
        key.map_or(Step::Refused, |key| ask(key, token, email))
    }

    /// What is stale serves while the team's keys cannot be fetched.
    fn fall_back(&self, token: Token, email: String, memory: &KeyMemory, now_ms: i64) -> Step {
        let remembered = memory.find(NOBODYS, &self.url(), now_ms);
        let key = remembered.and_then(|(keys, _)| key_of(keys, &token).ok());
        key.map_or(Step::Unavailable, |key| ask(key, token, email))
    }

    /// A token that says what it has to say, and the address. Its signature is not looked at yet.
    fn read(&self, text: &str, now_ms: i64) -> Option<(Token, String)> {
        let token = Token::read(text, &self.form, true).ok()?;
        let claims = |name, wanted: &str| token.claims(name, wanted) == Some(true);
        let leeway_ms = i64::from(LEEWAY_SECONDS) * 1_000;
        let (begins, ends) = token.valid_ms;
        let holds =
            now_ms >= begins.saturating_sub(leeway_ms) && now_ms < ends.saturating_add(leeway_ms);
        let is_ours = claims("iss", &self.team) && claims("aud", &self.audience);
        // Others of the team's tokens are signed with the same keys.
        let is_of_a_user = claims("type", "app");
        let email = token.text("email").filter(|email| !email.is_empty())?;
        (holds && is_ours && is_of_a_user).then_some((token, email))
    }
}

fn key_of(keys: &Keys, token: &Token) -> Result<Arc<PublicKey>, NoKey> {
    keys.of_set(Algorithm::RsaSha256, &token.key_id)
}

fn ask(key: Arc<PublicKey>, token: Token, email: String) -> Step {
    let question = Question {
        method: Method::Rsa(SignatureHash::Sha256),
        key,
        message: token.signed.into_bytes(),
        signature: token.signature,
    };
    Step::Ask { question, email }
}
