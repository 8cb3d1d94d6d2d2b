"""Secrets of some two hundred kinds, drawn anew, in code of twelve languages: above the cursor, behind it, in comments."""

import random
import string

import pytest

from fim_lsp.privacy.secrets import redact_line

LETTERS, LOWER, UPPER, DIGITS = (
    string.ascii_letters,
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.digits,
)
WORD, HEX, B64, URL = LETTERS + DIGITS, "0123456789abcdef", LETTERS + DIGITS + "+/", LETTERS + DIGITS + "-_"
CAPITAL, BASE58 = UPPER + DIGITS, "".join(sorted(set(LETTERS + DIGITS) - set("0OIl")))
UUID = "########-####-####-####-############"

# What each issuer's keys begin with, their alphabet and lengths; put together here, so that no scanner takes this file
# for a leak.
ISSUED = {
    "AWS": ("AK" + "IA", CAPITAL, 16), "AWS temporary": ("AS" + "IA", CAPITAL, 16), "Bedrock": ("AB" + "SK", B64, 120),
    "MWS": ("amzn" + ".mws.", HEX, 36), "GitHub": ("gh" + "p_", WORD, 36), "GitHub letters": ("gh" + "o_", LETTERS, 36),
    "GitHub app": ("gh" + "s_", WORD, 36), "GitHub refresh": ("gh" + "r_", WORD, 36), "GitHub fine": ("github" + "_pat_", WORD, 82),
    "GitLab": ("gl" + "pat-", URL, 20), "GitLab deploy": ("gl" + "dt-", URL, 20), "GitLab flag": ("gl" + "ffct-", URL, 20),
    "Slack bot": ("xo" + "xb-", DIGITS + LOWER, 40), "Slack app": ("xa" + "pp-1-", CAPITAL, 60), "Stripe": ("sk" + "_live_", WORD, 24),
    "Stripe hook": ("wh" + "sec_", WORD, 32), "Anthropic": ("sk" + "-ant-api03-", URL, 93), "OpenAI": ("sk" + "-proj-", URL, 120),
    "Groq": ("gs" + "k_", WORD, 52), "Hugging Face": ("h" + "f_", LETTERS, 34), "Hugging Face org": ("api" + "_org_", LETTERS, 34),
    "Replicate": ("r" + "8_", WORD, 37), "Perplexity": ("pp" + "lx-", WORD, 48), "Nvidia": ("nv" + "api-", URL, 64),
    "LangSmith": ("ls" + "v2_pt_", HEX, 42), "Pinecone": ("pc" + "sk_", WORD, 70), "Voyage": ("p" + "a-", URL, 43),
    "Tavily": ("tv" + "ly-", WORD, 32), "Jina": ("ji" + "na_", WORD, 60), "ElevenLabs": ("s" + "k_", HEX, 48),
    "Google": ("AI" + "za", URL, 35), "Google OAuth": ("ya" + "29.", URL, 100), "Google client": ("GOC" + "SPX-", URL, 28),
    "Google refresh": ("1/" + "/0", URL, 60), "npm": ("np" + "m_", WORD, 36), "PyPI": ("py" + "pi-AgEIcHlwaS5vcmc", URL, 120),
    "RubyGems": ("ruby" + "gems_", HEX, 48), "Docker": ("dckr" + "_pat_", URL, 27), "Mailgun": ("ke" + "y-", HEX, 32),
    "Twilio": ("S" + "K", HEX, 32), "DigitalOcean": ("dop" + "_v1_", HEX, 64), "Databricks": ("da" + "pi", HEX, 32),
    "Vault": ("hv" + "s.", URL, 95), "Doppler": ("dp" + ".pt.", WORD, 43), "Netlify": ("nf" + "p_", WORD, 36),
    "Tailscale": ("ts" + "key-auth-", WORD, 30), "PlanetScale": ("ps" + "cale_tkn_", URL, 43), "Supabase": ("sb" + "p_", HEX, 40),
    "Shopify": ("shp" + "at_", HEX, 32), "Square": ("EA" + "AA", URL, 60), "Square OAuth": ("sq" + "0atp-", URL, 22),
    "Linear": ("lin_" + "api_", WORD, 40), "Atlassian": ("ATA" + "TT3", URL, 180), "Bitbucket": ("AT" + "BB", WORD, 32),
    "New Relic": ("NR" + "AK-", CAPITAL, 27), "Grafana": ("gl" + "sa_", WORD, 32), "Grafana cloud": ("gl" + "c_", B64, 80),
    "Notion": ("nt" + "n_", WORD, 46), "Sentry": ("sn" + "tryu_", HEX, 64), "Postman": ("PM" + "AK-", HEX, 59),
    "Figma": ("fi" + "gd_", URL, 40), "EasyPost": ("EZ" + "AK", WORD, 54), "Prefect": ("pn" + "u_", WORD, 36),
    "ReadMe": ("rd" + "me_", LOWER + DIGITS, 70), "Sourcegraph": ("sg" + "p_", HEX, 40), "Shippo": ("shippo" + "_live_", HEX, 40),
    "Typeform": ("tf" + "p_", URL, 59), "Sonar": ("sq" + "u_", HEX, 40), "Brevo": ("xkey" + "sib-", HEX, 64),
    "Duffel": ("duf" + "fel_live_", URL, 43), "Dynatrace": ("dt0" + "c01.", CAPITAL, 24), "Clojars": ("CLO" + "JARS_", HEX, 60),
    "Pulumi": ("pu" + "l-", HEX, 40), "Scalingo": ("tk" + "-us-", URL, 48), "SettleMint": ("sm" + "_pat_", WORD, 16),
    "Adobe": ("p8" + "e-", LOWER + DIGITS, 32), "OpenShift": ("sha" + "256~", URL, 43), "Octopus": ("AP" + "I-", CAPITAL, 26),
    "ClickHouse": ("4b" + "1d", WORD, 38), "Yandex": ("AQ" + "VN", URL, 36), "Artifactory": ("AK" + "Cp8", WORD, 68),
    "Artifactory reference": ("cmV" + "mdGtuOj", WORD, 55), "Razorpay": ("rzp" + "_live_", WORD, 14), "PASETO": ("v4" + ".local.", URL, 120),
    "minisign": ("RWR" + "TY0Iy", B64, 200), "age": ("AGE-SECRET" + "-KEY-1", CAPITAL, 58), "Fly": ("fm" + "2_", B64, 120),
    "Heroku": ("HRKU" + "-AA", URL, 58), "Alibaba": ("LT" + "AI", WORD, 20), "Telegram": ("123456789" + ":AA", URL, 33),
    "Airtable": ("pat" + "A1b2C3d4E5f6G7.", HEX, 64), "bcrypt": ("$2" + "b$12$", B64[:62], 53), "crypt": ("$6" + "$a1b2c3d4$", B64[:62], 86),
    "apr1": ("$apr" + "1$a1b2c3d4$", B64[:62], 22), "wallet": ("0" + "x", HEX, 64), "WIF": ("5" + "J", BASE58, 49),
    "WIF compressed": ("K", BASE58, 51), "PKCS8": ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", B64, 1600), "Facebook": ("EA" + "AM", WORD, 150),
    "MaxMind": ("a1B2c3_", WORD, 29), "Resend": ("re" + "_A1b2C3d4_", WORD, 24), "Infracost": ("ic" + "o-", WORD, 32),
    "Fine-grained npm": ("np" + "m_", LETTERS, 36), "Atlassian cloud": ("ATC" + "TT3", URL, 180) }  # fmt: skip
# Ways of naming, each with how its value is drawn: mixed, letters alone, base64 with slashes.
NAMED = [
    'api_key = "{}"', "password: '{}'", '"clientSecret": "{}",', "SECRET_TOKEN={}", "mytool --api-key {} run",
    "mytool --token={} run", "curl -u user:{} https://h/", "https://h/x?api_key={}&b=1", 'if password != "{}":',
    'headers["X-Auth-Token"] = "{}"', 'TOKEN: Final[str] = "{}"', "const API_KEY: &'static str = \"{}\";", 'let token: String? = "{}"',
    'var secret = @"{}";', 'NSString *apiKey = @"{}";', 'std::string api_key{{"{}"}};', 'p.add_argument("--api-key", default="{}")',
    'TOKENS = ["{}"]', 'TOKENS = {{"prod": "{}"}}', 'credentials = ("user", "{}")', "<password>{}</password>",
    '<add key="Password" value="{}"/>', 'const API_KEY := "{}"', "API_KEY := {}", "api.key: {}", "api key = {}",
    "set -x API_KEY {}", "ENV API_TOKEN {}", '"{{\\"password\\": \\"{}\\"}}"', "the password is {}",
    'secret_of_the_service_that_bills_the_customers = "{}"', 'hmac_key = "{}"', 'session_key = "{}"', 'license_key = "{}"',
    'define("AUTH_KEY", "{}");', "APP_KEY=base64:{}", 'setPassword("{}")', 'password => "{}"', '#define API_TOKEN "{}"',
    "export DB_PASSWORD={}", 'pwd := "{}"', 'private val clientSecret = "{}"', '$config["secret"] = "{}";', 'Some(password) => "{}"',
    ":api_key => '{}',", "token = '{}'", "access_key={}", "  account_key: {}", 'encryption-key "{}"', "Authorization: Bearer {}",
    "machine h login me password {}", "db.internal:5432:main:me:{}", 'adafruit_io = "{}"', 'CLOUDFLARE_ZONE = "{}"',
    "aws_secret_access_key = {}", 'twilio: "{}"', 'passphrase="{}"', 'creds = "{}"', 'MASTER_KEY = "{}"', 'bearer = "{}"',
    'postgres_url = "postgres://admin:{}@db.internal/main"', 'redis = "redis://:{}@cache:6379/0"',
    'mongo = "mongodb+srv://u:{}@c0.example.net/x"', 'amqp = "amqp://u:{}@mq/"', 'DSN = "mysql://root:{}@tcp/db"', 'PASSWORD="{}" make',
]  # fmt: skip
DRAWN = {
    "mixed": (WORD, 24),
    "letters": (LETTERS, 24),
    "base64": (B64, 40),
    "hex": (HEX, 40),
}
COMMENTS = [
    "# {}",
    "// {}",
    "/* {} */",
    "-- {}",
    "<!-- {} -->",
    "; {}",
    '""" {} """',
    "rem {}",
    "% {}",
    "{{- {} -}}",
]


def drawn(chance, alphabet, length):
    """Characters; letters and digits both, where the alphabet has both; a slash, where it has one."""
    while True:
        text = "".join(chance.choices(alphabet, k=length))
        if set(alphabet) & set(DIGITS) and not (set(text) & set(DIGITS) and set(text) & set(LETTERS)):
            continue
        if "/" not in alphabet or "/" in text:
            return text


def planted(seed):
    """Secrets, each with its kind and the line in which it stands."""
    chance = random.Random(seed)
    for kind, (start, alphabet, length) in ISSUED.items():
        secret = start + drawn(chance, alphabet, length) + ("_mmk" if kind == "MaxMind" else "")
        if kind == "Dynatrace":
            secret += "." + drawn(chance, CAPITAL, 64)
        line = chance.choice(['value = "{}"', "client({!r})", "export X={}", "x: {}"]).format(secret)
        yield kind, secret[len(start) :], line
    for line in NAMED:
        for kind, (alphabet, length) in DRAWN.items():
            if kind == "letters" and "://" in line:
                continue
            secret = drawn(chance, alphabet, length)
            yield f"{line}, {kind}", secret, line.format(secret)


def whole(found, text):
    """Kinds of which the secret stands in a text, or more than half of it."""
    return [
        kind
        for kind, secret, _ in found
        if secret[: len(secret) // 2 + 1] in text or secret[len(secret) // 2 :] in text
    ]


@pytest.mark.parametrize("seed", range(4))
def test_few_of_some_three_hundred_kinds_go_through(seed):
    """Above the cursor, behind it and in comments; not one more than those that are known not to be."""
    found = list(planted(seed))
    assert len(found) > 300
    chance = random.Random(seed)
    missed = {}
    for kind, secret, line in found:
        for text in (line, chance.choice(COMMENTS).format(line)):
            if secret[: len(secret) // 2 + 1] in redact_line(text) or secret[
                len(secret) // 2 :
            ] in redact_line(text):
                missed[kind] = text
    assert len(missed) <= len(found) * 0.05, missed


@pytest.mark.parametrize(
    "line",
    [
        "key = AK" + "IAIOSFODNN7EXAMPLE", "token: xo" + "xb-1234-abcdefgh", "https://hooks.slack.com/services/T00000000/B00000000/" + "X" * 24,
        "partialResultToken: '1b4e28ba-2fa1-11d2-883f-0016d3cca427'", '"tokenizer.ggml.token_type": "9d3f1c2b7a6e5f4d3c2b1a0f9e8d7c6b"',
        "pub auth_key: PaddedBlockEncryptingKey,", "let private_key: Curve25519SeedBin<'_> = x", '{Key: "logI18nWarnings", Value: "printI18nWarnings"},',
        "password = get_password2(user1)", 'secret = load("path/to/secret2.txt")', "if token != tokens[i2].kind_v2:",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_secret_stays(line):
    """Documented examples, digests, types, names of things, code."""
    assert redact_line(line) == line
