//! A file that is in order, and every way of breaking it.

/// In order; each case below changes one thing.
pub const GOOD: &str = r#"version = 1
queue_retention_seconds = 345600

[destinations.backend]
url = "https://backend.example/hooks"
secret = "DELIVERY_SECRET"

[sources.shop]
tenant = "acme"
scheme = "shop"
secrets = ["SHOP_SECRET"]
destination = "backend"
dedup_retention_seconds = 2592000

[schemes.shop]
provider = "Shop"
page = "https://shop.example/docs"
algorithm = "hmac-sha256"
key = { encoding = "utf8" }
signature = { at = "header:x-signature", encoding = "hex" }
signed = ["id", "literal:.", "time", "literal:.", "body"]
id = "header:x-id"
time = { at = "header:x-time", unit = "seconds", tolerance_seconds = 300, future_seconds = 60 }
identity = [{ signed-id = "header:x-id" }]
answer_by_ms = 5000
retry_horizon_seconds = 86400
"#;

/// The line beginning with the first text replaced by the second; and a part of the sentence.
#[rustfmt::skip]
pub const RULES: &[(&str, &str, &str)] = &[
    // The file.
    ("version", "version = 2", "version = 2: this hookgate reads version 1"),
    ("version", "", "missing field `version`"),
    ("version", "version = 1\ncolour = 1", "unknown field `colour`"),
    ("version", "version == 1", "not valid TOML"),
    ("queue_retention", "queue_retention_seconds = 59", "a queue keeps messages for 60 to 1209600 seconds"),
    ("queue_retention", "queue_retention_seconds = 1209601", "a queue keeps messages for 60 to 1209600 seconds"),
    // Sources.
    ("queue_retention", "queue_retention_seconds = 86399\n[sources.paced]\ntenant = \"acme\"\nscheme = \"github\"\nsecrets = [\"PACED_SECRET\"]\ndestination = \"backend\"\ndedup_retention_seconds = 2592000\ndeliveries_per_second_max = 1", "[sources.paced]: deliveries_per_second_max = 1: an event may wait 43200 s for its turn, and queue_retention_seconds = 86399 loses it: use at least 86400"),
    ("queue_retention", "queue_retention_seconds = 345600\n[tenants.acme]\naudit_days = 0\nclient_address_days = 0", "[tenants.acme]: audit_days = 0: use 1 to 3653"),
    ("queue_retention", "queue_retention_seconds = 345600\n[tenants.acme]\naudit_days = 3654", "[tenants.acme]: audit_days = 3654: use 1 to 3653"),
    ("queue_retention", "queue_retention_seconds = 345600\n[tenants.acme]\naudit_days = 7", "[tenants.acme]: client_address_days = 30: an address goes with its record at the latest; use 0 to 7"),
    ("queue_retention", "queue_retention_seconds = 345600\n[tenants.another]\naudit_days = 90", "[tenants.another]: no source has tenant = \"another\""),
    ("queue_retention", "queue_retention_seconds = 345600\n[tenants.acme]\ndays = 90", "unknown field `days`"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"http://alerts.example/\"\nsecret = \"ALERT_SECRET\"", "[alerts]: webhook = \"http://alerts.example/\": write an https URL that is not on a private network, or $NAME"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"https://10.0.0.1/\"\nsecret = \"ALERT_SECRET\"", "[alerts]: webhook = \"https://10.0.0.1/\": write an https URL that is not on a private network"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"https://alerts.example/\"", "[alerts]: webhook and secret belong together"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nsecret = \"ALERT_SECRET\"", "[alerts]: webhook and secret belong together"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"$ALERT_URL\"\nsecret = \"alert\"", "[alerts]: secret = \"alert\": use A-Z, 0-9 and _"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"$ALERT_URL\"\nsecret = \"DELIVERY_SECRET\"", "[alerts]: secret is a destination's"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"$ALERT_URL\"\nsecret = \"SHOP_SECRET\"", "[sources.shop]: secret \"SHOP_SECRET\" is the name of something else in this Worker"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\noff = [\"gone_quite\"]", "unknown variant `gone_quite`, expected one of `all_refused`"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nall_refused_min = 0", "[alerts]: all_refused_min = 0 would always hold: use 1 or more, or name the rule in off"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nrefusal_spike_min = 0", "[alerts]: refusal_spike_min = 0 would always hold"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\ndead_letters_per_hour = 0", "[alerts]: dead_letters_per_hour = 0 would always hold"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nskew_percent = 101", "[alerts]: skew_percent = 101: use 1 to 100"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nquiet_seconds_min = 299", "[alerts]: quiet_seconds_min = 299: use at least 300"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nbacklog_seconds = 10", "[alerts]: backlog_seconds = 10: use at least 300"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\ncolour = 1", "unknown field `colour`"),
    ("tenant", "tenant = \"acme\"\naudit_sample_bytes = 1025", "audit_sample_bytes = 1025: use at most 1024"),
    ("secrets", "secrets = []\nquarantine = true", "quarantine is set, but the source has no secret, key or pin that could be mended"),
    ("secrets", "secrets = [\"QUARANTINE_KEY\"]", "secret \"QUARANTINE_KEY\" is the name of something else in this Worker"),
    ("[sources.shop]", "[sources.Shop]", "[sources.Shop]: a source's name is 1 to 64 characters of a-z, 0-9 and -"),
    ("[sources.shop]", "[sources.\"\"]", "a source's name is 1 to 64 characters"),
    ("[sources.shop]", "[sources.\"a/b\"]", "a source's name is 1 to 64 characters"),
    ("tenant", "tenant = \"\"", "[sources.shop]: tenant = \"\": use 1 to 64 characters of a-z, 0-9 and -"),
    ("tenant", "tenant = \"Acme Inc\"", "tenant = \"Acme Inc\": use"),
    ("secrets", "secrets = []", "secrets is empty: name at least one Worker secret"),
    ("secrets", "secrets = [\"\"]", "secret \"\": use A-Z, 0-9 and _, beginning with a letter"),
    ("secrets", "secrets = [\"whsec_abc\"]", "secret \"whsec_abc\": use A-Z, 0-9 and _"),
    ("secrets", "secrets = [\"1A\"]", "secret \"1A\": use A-Z, 0-9 and _, beginning with a letter"),
    ("secrets", "secrets = [\"EVENTS_SLOW\"]", "secret \"EVENTS_SLOW\" is the name of something else in this Worker"),
    ("secrets", "secrets = [\"A\", \"A\"]", "secret \"A\" is named twice"),
    ("secrets", "secrets = [\"A\"]\nretired_secrets = [\"A\"]", "\"A\" is live and retired: take it out of secrets, or out of retired_secrets"),
    ("secrets", "secrets = [\"A\"]\nretired_secrets = [\"b\"]", "retired_secrets: \"b\": use A-Z, 0-9 and _, beginning with a letter"),
    ("secrets", "secrets = [\"A\"]\nretired_secrets = [\"EVENTS_SLOW\"]", "secret \"EVENTS_SLOW\" is the name of something else in this Worker"),
    ("destination ", "destination = \"nowhere\"", "there is no table [destinations.nowhere]"),
    ("scheme ", "scheme = \"nobody\"", "scheme = \"nobody\" is unknown: use a built-in one (the files of src/schemes) or write a table [schemes.nobody]"),
    ("tenant", "tenant = \"acme\"\ndeliveries_per_second_max = 0", "deliveries_per_second_max = 0: use 1 to 1000, or leave it out"),
    ("queue_retention", "queue_retention_seconds = 1209600\n[tenants.acme]\ndeliveries_per_second_max = 0", "[tenants.acme]: deliveries_per_second_max = 0: use 1 to 1000, or leave it out"),
    ("tenant", "tenant = \"acme\"\ndeliveries_per_second_max = 1001", "deliveries_per_second_max = 1001: use 1 to 1000, or leave it out"),
    ("tenant", "tenant = \"acme\"\nbody_bytes_max = 0", "body_bytes_max = 0: use 1 to 1048576"),
    ("tenant", "tenant = \"acme\"\nbody_bytes_max = 1048577", "the largest body that is read whole"),
    ("tenant", "tenant = \"acme\"\nstream_bytes_max = 26214401", "use more than body_bytes_max, which is 1048576, and at most 26214400"),
    ("tenant", "tenant = \"acme\"\nstream_bytes_max = 1048576", "stream_bytes_max = 1048576: use more than body_bytes_max"),
    ("tenant", "tenant = \"acme\"\nmode = \"observe\"\nbody_bytes_max = 1048577", "body_bytes_max = 1048577: use 1 to 1048576, the largest body that is read whole"),
    ("tenant", "tenant = \"acme\"\ndedup = \"redis\"", "unknown variant `redis`"),
    ("tenant", "tenant = \"acme\"\nledger_location = \"europe\"", "ledger_location = \"europe\": use one of afr, apac"),
    ("tenant", "tenant = \"acme\"\nledger_shards = []", "ledger_shards = []: use up to 16 numbers of at most 256, the last of them at least 1"),
    ("tenant", "tenant = \"acme\"\nledger_shards = [1, 0]", "ledger_shards = [1, 0]: use up to 16"),
    ("tenant", "tenant = \"acme\"\nledger_shards = [257]", "ledger_shards = [257]: use up to 16"),
    ("tenant", "tenant = \"acme\"\nmode = \"dry-run\"", "unknown variant `dry-run`"),
    ("tenant", "tenant = \"acme\"\ndiscriminator_values = [\"a\"]", "discriminator_values is set, but the scheme \"shop\" has no discriminator"),
    ("tenant", "tenant = \"acme\"\nfront_end_url = \"https://a.example/\"", "front_end_url is set, but the scheme \"shop\" answers no newInstance"),
    ("scheme ", "scheme = \"koogallery-v2\"\nfront_end_url = \"http://a.example/\"", "front_end_url = \"http://a.example/\": write an https URL"),
    ("tenant", "tenant = \"acme\"\ndecrypt_fields = true", "decrypt_fields is set, but the scheme \"shop\" encrypts no fields"),
    ("tenant", "tenant = \"acme\"\nallowed_origins = [\"a.example\"]", "allowed_origins is set, but senders of the scheme \"shop\" do not ask for permission"),
    ("scheme ", "scheme = \"cloudevents\"\nallowed_origins = [\"*\"]", "allowed_origins: \"*\" is not an origin"),
    // The memory of events.
    ("dedup_retention", "dedup_retention_seconds = 86699", "must be at least 86700 (tolerance 300 s, the provider retries for 86400 s), or an event could come again after it was forgotten"),
    ("dedup_retention", "dedup_retention_seconds = 34560001", "dedup_retention_seconds = 34560001: at most 34560000 (400 days)"),
    ("retry_horizon", "retry_horizon_seconds = 34560000", "must be at least 34560300"),
    ("tenant", "tenant = \"acme\"\ntolerance_seconds = 0", "tolerance_seconds = 0 would refuse every delivery"),
    ("tenant", "tenant = \"acme\"\ntolerance_seconds = 2592000", "must be at least 2678400"),
    ("time", "time = { at = \"header:x-time\", unit = \"seconds\", tolerance_seconds = 4294967295, future_seconds = 4294967295 }", "must be at least 4294967295"),
    ("scheme ", "scheme = \"github\"\ntolerance_seconds = 300", "tolerance_seconds is set, but the scheme \"github\" signs no time"),
    // Destinations.
    ("url", "url = \"http://backend.example/\"", "[destinations.backend]: url = \"http://backend.example/\": write an https URL, http for 127.0.0.1, or $NAME for the Worker variable NAME"),
    ("url", "url = \"https://10.0.0.1/\"", "[destinations.backend]: url = \"https://10.0.0.1/\" is on a private network"),
    ("url", "url = \"http://localhost:8788/\"", "is on a private network, and this file is for every environment"),
    ("url", "url = \"https://10.0.0.%31/\"", "url = \"https://10.0.0.%31/\": write an https URL"),
    ("queue_retention", "queue_retention_seconds = 345600\n[alerts]\nwebhook = \"https://%6cocalhost/\"\nsecret = \"ALERT_SECRET\"", "[alerts]: webhook = \"https://%6cocalhost/\": write an https URL"),
    ("url", "url = \"$backend\"", "$NAME for the Worker variable NAME"),
    ("secret ", "secret = \"whsec_MfKQ\"", "secret = \"whsec_MfKQ\": use A-Z, 0-9 and _"),
    ("secret ", "secret = \"D\"\ntimeout_seconds = 0", "timeout_seconds = 0: use 1 to 60"),
    ("secret ", "secret = \"D\"\ntimeout_seconds = 61", "timeout_seconds = 61: use 1 to 60"),
    ("secret ", "secret = \"D\"\nattempts_max = 0", "attempts_max = 0: use 1 to 90"),
    ("secret ", "secret = \"D\"\nattempts_max = 91", "attempts_max = 91: use 1 to 90"),
    ("secret ", "secret = \"D\"\nbackoff_first_seconds = 0", "use 1 ≤ first ≤ max ≤ 43200"),
    ("secret ", "secret = \"D\"\nbackoff_first_seconds = 3601", "use 1 ≤ first ≤ max ≤ 43200"),
    ("secret ", "secret = \"D\"\nbackoff_max_seconds = 43201", "use 1 ≤ first ≤ max ≤ 43200"),
    ("secret ", "secret = \"D\"\nattempts_max = 90\nbackoff_max_seconds = 43200", "longer than the queue keeps a message (345600 s): lower attempts_max or backoff_max_seconds"),
    ("secret ", "secret = \"D\"\nsign = \"original\"", "has sign = \"original\" and retries for up to 54240 s, but the backend's own check refuses what is older than 300 s"),
    // Schemes: names and places.
    ("[schemes.shop]", "[schemes.github]", "\"github\" is a built-in scheme; give yours another name"),
    ("provider", "provider = \"Shop\"\ncolour = 1", "unknown field `colour`"),
    ("id ", "id = \"x-id\"", "\"x-id\" is not a place: write header:NAME, query:NAME, json:/POINTER, form:NAME, signature:NAME, claim:NAME, cloudevents:ATTRIBUTE or path:last"),
    ("id ", "id = \"header:\"", "\"header:\" names nothing after the colon"),
    ("id ", "id = \"json:id\"", "a JSON pointer starts with a slash"),
    ("id ", "id = \"cookie:id\"", "\"cookie\" is unknown; use header, query, json, form, signature, claim, cloudevents or path:last"),
    ("signed", "signed = [\"bdy\"]", "\"bdy\" is not a part: write body, time, id, nonce, secret, literal:TEXT"),
    ("signed", "signed = [\"literal:\"]", "\"literal:\" is not a part"),
    // Schemes: what is signed.
    ("signed", "signed = []", "`signed` is empty: name what is signed"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\"]", "`signed` does not cover the event: add \"body\""),
    ("id ", "", "`signed` names \"id\" but `id` is not set: say where it stands"),
    ("time", "", "`signed` names \"time\" but `time` is not set"),
    ("provider", "provider = \"Shop\"\nnonce = \"header:x-nonce\"", "`nonce` stands at \"header:x-nonce\", which is not signed: anyone could change it"),
    ("signed", "signed = [\"id\", \"literal:.\", \"body\"]", "`time` stands at \"header:x-time\", which is not signed"),
    ("signed", "signed = [\"time\", \"literal:.\", \"body\"]", "`id` stands at \"header:x-id\", which is not signed"),
    ("id ", "id = \"json:/id\"", "`id` cannot be read from the body in this version"),
    ("signature", "signature = { at = \"json:/signature\", encoding = \"hex\" }", "`signature.at` must be a header or a query parameter"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"hex\", split = \",\" }", "`signature.split`, `pair` and `take` belong together"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"hex\", take = [\"v1\"] }", "`signature.split`, `pair` and `take` belong together"),
    // Schemes: credentials, tokens, canonical requests.
    ("algorithm", "algorithm = \"credential\"", "`signed` must be empty with `algorithm` = \"credential\""),
    ("algorithm", "algorithm = \"credential\"", "`time`, `id` and `nonce` are signed values, and a credential signs nothing"),
    ("algorithm", "algorithm = \"credential\"", "use one of these for `signature.encoding`"),
    ("algorithm", "algorithm = \"credential\"", "nothing is signed here, so write { bearer"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"verbatim\" }", "`signature.encoding` = \"verbatim\" is for `algorithm` = \"credential\""),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"hex\", split = \",\", pair = \"=\", take = [\"v1\"], or = [\"header:x-other\"] }", "`signature.or` is for credentials, and for MACs that stand alone in their headers"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"jws\" }", "a JWS needs all three"),
    ("signed", "signed = [\"jws\"]", "a JWS needs all three"),
    ("provider", "provider = \"Shop\"\nclaims = [\"d=sha256-hex:body\"]", "a JWS needs all three"),
    ("provider", "provider = \"Shop\"\nbody_md5 = \"header:x-md5\"", "are for signatures that a public key checks"),
    ("provider", "provider = \"Shop\"\nclaims = [\"iss\"]", "`claims`: write each as NAME=VALUE"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"literal:.\", \"sha256-hex:body\"]", "\"sha256-hex\" is for \"canonical-request\" alone"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"literal:.\", \"canonical-request\"]", "write \"sha256-hex:canonical-request\""),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"literal:.\", \"sha256-hex:canonical-request\"]", "needs a signature list that names the signed headers"),
    ("identity", "identity = [{ bearer = { fields = [\"json:/id\"] } }]", "`identity` has a `bearer` rule, but this scheme signs"),
    ("provider", "provider = \"Shop\"\nquestion = \"ask\"", "`question` is a signed event type"),
    // Schemes: one signed string, one meaning.
    ("signed", "signed = [\"id\", \"time\", \"literal:.\", \"body\"]", "`signed`: \"id\" has no fixed length and no literal follows it"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"body\"]", "a character could be moved between it and \"body\" under the same signature"),
    ("signed", "signed = [\"body\", \"literal:.\", \"id\", \"literal:.\", \"time\"]", "\"body\" may contain anything, so it must be the last part of variable length"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"literal:0\", \"body\"]", "\"literal:0\" begins with a digit, so a digit could be moved out of \"time\""),
    // Schemes: identity.
    ("identity", "", "missing field `identity`"),
    ("identity", "identity = []", "`identity` is missing: say what makes two deliveries the same event"),
    ("identity", "identity = [{ signed-id = \"header:x-other\" }]", "`identity` uses \"header:x-other\", which is not signed: one captured request under fresh values would pass as many events"),
    ("identity", "identity = [{ fields = [\"json:/a\", \"query:b\"] }]", "`identity` uses \"query:b\", which is not signed"),
    ("identity", "identity = [{ fields = [] }]", "`identity` has a `fields` rule without a field"),
    ("identity", "identity = [{ digest = { discriminator = \"json:/a\" } }]", "`discriminator` must be a header"),
    ("identity", "identity = [{ digest = { discriminator = \"path:last\" } }]", "`discriminator` must be a header"),
    ("identity", "identity = [{ digest = { with = [\"query:b\"] } }]", "`identity` uses \"query:b\", which is not signed"),
    ("identity", "identity = [{ fields = [\"header:x-time\"] }]", "`identity` is the time alone: all events of one moment would be one"),
    ("identity", "identity = [{ digest = {} }, { signed-id = \"header:x-id\" }]", "a digest always exists, so the rules behind it are never used"),
    ("identity", "identity = [{ digest = { discriminator = \"header:content-length\" } }]", "`discriminator` must be a header that says what kind of event this is"),
    ("identity", "identity = [{ digest = { discriminator = \"header:x-topic\" } }]", "discriminator_values is missing: list every value of the header"),
    // Schemes: what could never verify, or only by mistake.
    ("provider", "provider = \"Shop\"\nmethods = [\"post\"]", "`methods` = [\"post\"]: what this scheme signs comes with POST, PUT, PATCH"),
    ("provider", "provider = \"Shop\"\nmethods = []", "`methods` = []"),
    ("provider", "provider = \"Shop\"\nmethods = [\"GET\"]", "`methods` = [\"GET\"]: what this scheme signs comes with POST"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"literal:.\", \"mac-hex:sorted-json\", \"body\"]", "`signed` has two contents, and the backend can be given only one"),
    ("signed", "signed = [\"id\", \"literal:.\", \"time\", \"literal:.\", \"mac-hex:nonce\", \"body\"]", "`signed` names \"nonce\" but `nonce` is not set"),
    ("id ", "id = \"signature:id\"", "`id` cannot be the item \"id\" of the signature's list"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"hex\", or = [\"header:x token\"] }", "\"header:x token\" does not name a header"),
    ("key", "key = { encoding = \"utf8\", append = \"json:/salt\" }", "`key.append` = \"json:/salt\": use a header or a query parameter"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"hex\", split = \"=\", pair = \"=\", take = [\"v1\"] }", "`signature.split` and `signature.pair` must be two different texts"),
    ("signature", "signature = { at = \"header:x-signature\", encoding = \"hex\", split = \"\", pair = \"=\", take = [\"v1\"] }", "`signature.split` and `signature.pair` must be two different texts"),
    ("time", "time = { at = \"signature:t\", unit = \"seconds\", tolerance_seconds = 300, future_seconds = 60 }", "`time` stands in the signature's list, but the signature is no list"),
    ("signed", "signed = [\"sorted-query-except:other\"]", "leave out the signature's own parameter"),
    ("provider", "provider = \"Shop\"\ncarry = [\"*\"]", "`carry` = \"*\" would hand on every header, credentials among them"),
    ("provider", "provider = \"Shop\"\ncarry = [\"x shop\"]", "\"x shop\" is not a header's name"),
    ("id ", "id = \"header:x id\"", "\"header:x id\" does not name a header"),
    // Answers.
    ("provider", "provider = \"Shop\"\nanswer = \"koogallery\"", "signs our answers with the key alone"),
    ("provider", "provider = \"Shop\"\naccepted = { status = 404 }", "`accepted.status` = 404: use 200 to 299"),
    ("provider", "provider = \"Shop\"\naccepted = { status = 204, body = \"ok\" }", "no body with 204 and 205"),
    // Secrets that are something else.
    ("secrets", "secrets = [\"DELIVERY_SECRET\"]", "secret \"DELIVERY_SECRET\" is the name of something else in this Worker"),
    ("secrets", "secrets = [\"LEDGER\"]", "secret \"LEDGER\" is the name of something else"),
    ("secrets", "secrets = [\"ENVIRONMENT\"]", "secret \"ENVIRONMENT\" is the name of something else"),
    ("[schemes.shop]", "[sources.two]\ntenant = \"other\"\nscheme = \"github\"\nsecrets = [\"SHOP_SECRET\"]\ndestination = \"backend\"\ndedup_retention_seconds = 2592000\n[schemes.shop]", "[sources.two] and [sources.shop] belong to two tenants and both use the secret \"SHOP_SECRET\""),
    ("[schemes.shop]", "[sources.two]\ntenant = \"acme\"\nscheme = \"shop\"\nsecrets = [\"SHOP_SECRET\"]\ndestination = \"backend\"\ndedup_retention_seconds = 2592000\n[schemes.shop]", "both use the secret \"SHOP_SECRET\": set the same shared_secret"),
    ("[schemes.shop]", "[destinations.two]\nurl = \"https://other.example/\"\nsecret = \"DELIVERY_SECRET\"\n[sources.two]\ntenant = \"other\"\nscheme = \"github\"\nsecrets = [\"OTHER\"]\ndestination = \"two\"\ndedup_retention_seconds = 2592000\n[schemes.shop]", "[destinations.two] and [destinations.backend] deliver for two tenants and both use the secret \"DELIVERY_SECRET\""),
    // Schemes: the rest.
    ("provider", "provider = \"Shop\"\nhandshakes = [{ at = \"header:x-type\", equals = \"a\", echo = \"json:/a\" }]", "`handshakes` uses \"header:x-type\", which is not signed"),
    ("provider", "provider = \"Shop\"\nhandshakes = [{ at = \"json:/type\", equals = \"a\", echo = \"query:a\" }]", "`handshakes` uses \"query:a\", which is not signed"),
    ("answer_by", "answer_by_ms = 199", "`answer_by_ms` must be between 200 and 5000"),
    ("answer_by", "answer_by_ms = 5001", "`answer_by_ms` must be between 200 and 5000"),
    ("algorithm", "algorithm = \"md5\"", "unknown variant `md5`"),
];
