"""A token counts when a tenant's own key signed it, for this API, for this moment; whatever else is sent is nobody."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.api.app import create_app
from shared.api.tokens import TokenAuthenticator
from shared.errors import ConfigurationError
from shared.settings import Settings
from tests.builders.databases import new_sqlite
from tests.builders.issuer import AUDIENCE, OID, TENANT, Issuer, an_issuer, private_key, public_pem
from tests.unit.api.rows import SETTINGS, Client, Ledger, an_interaction, client_of

_OTHER = "9b7c6d5e-1111-4222-8333-444455556666"


@pytest.fixture(scope="module")
def served() -> Iterator[Issuer]:
    with an_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(served: Issuer) -> Issuer:
    served.published_keys, served.is_dead = ["first"], False
    served.fetched.clear()
    return served


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = new_sqlite(tmp_path)
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def client(ledger: Ledger, issuer: Issuer) -> Client:
    return a_client(ledger, issuer)


def a_client(ledger: Ledger, issuer: Issuer, **changes: Any) -> Client:
    entra = replace(SETTINGS, auth="entra", tokens=replace(issuer.settings, **changes))
    return client_of(ledger.audit(), address="203.0.113.7", base_url="https://ledger.example.org", settings=entra)


def with_token(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def balance(client: Client, token: str) -> httpx.Response:
    return client.get("/api/v1/balance", headers=with_token(token))


def is_nobody(response: httpx.Response, reason: str = "") -> bool:
    assert response.status_code == 401, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["type"] == "urn:promptledger:problem:not-signed-in"
    return reason in response.json()["detail"]


def test_a_token_opens_the_routes_of_its_roles_and_no_other(client: Client, issuer: Issuer) -> None:
    token = issuer.token(roles=["Audit.Read", "Somebody.Elses"])

    assert balance(client, token).status_code == 200
    assert client.get("/api/v1/usage", headers=with_token(token)).json()["role"] == "Usage.Read"


def test_a_token_without_roles_is_somebody_who_may_ask_nothing(client: Client, issuer: Issuer) -> None:
    for roles in (None, [], "Audit.Read", {"Audit.Read": True}, [["Audit.Read"]]):
        response = balance(client, issuer.token(roles=roles))

        assert (response.status_code, response.json()["role"]) == (403, "Audit.Read")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"iss": f"https://sts.windows.net/{TENANT}/"}, "issuer", id="another cloud's issuer"),
        pytest.param({"iss": "https://evil.example"}, "issuer", id="another issuer"),
        pytest.param({"iss": None}, "missing", id="no issuer"),
        pytest.param({"iss": ["x"]}, "", id="a list of issuers"),
        pytest.param({"aud": "https://graph.microsoft.com"}, "audience", id="another audience"),
        pytest.param({"aud": AUDIENCE + "/"}, "audience", id="nearly the audience"),
        pytest.param({"aud": None}, "missing", id="no audience"),
        pytest.param({"tid": _OTHER}, "tenant", id="another tenant"),
        pytest.param({"tid": None}, "tenant", id="no tenant"),
        pytest.param({"exp": 1}, "expired", id="expired long ago"),
        pytest.param({"exp": None}, "missing", id="never expires"),
        pytest.param({"exp": "tomorrow"}, "", id="an expiry that is no time"),
        pytest.param({"nbf": 32503680000}, "not valid yet", id="valid in the year 3000"),
        pytest.param({"nbf": None}, "missing", id="valid since ever"),
        pytest.param({"oid": None}, "missing", id="nobody's"),
        pytest.param({"oid": "a b\0"}, "nobody", id="an object id that is none"),
        pytest.param({"oid": 7}, "nobody", id="a number for an object id"),
    ],
)
def test_a_signed_token_that_is_not_for_here_and_now_is_nobody(
    client: Client, issuer: Issuer, changes: dict[str, Any], reason: str
) -> None:
    assert is_nobody(balance(client, issuer.token(**changes)), reason)


def test_clocks_may_differ_by_a_minute_and_no_more(client: Client, issuer: Issuer) -> None:
    now = int(time.time())

    assert balance(client, issuer.token(exp=now - 30)).status_code == 200
    assert balance(client, issuer.token(nbf=now + 30, iat=now + 30)).status_code == 200
    assert is_nobody(balance(client, issuer.token(exp=now - 90)), "expired")
    assert is_nobody(balance(client, issuer.token(nbf=now + 90)), "not valid yet")


def _written(part: dict[str, Any] | bytes) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def by_secret(issuer: Issuer, secret: bytes) -> str:
    """Return a token that takes a public key for a secret; the library itself refuses to make it."""
    signed = f"{_written({'alg': 'HS256', 'typ': 'JWT', 'kid': 'first'})}.{_written(issuer.claims())}"
    return f"{signed}.{_written(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def test_no_algorithm_counts_but_the_one_that_entra_signs_with(client: Client, issuer: Issuer) -> None:
    head = {"kid": "first"}
    bare = f"{_written({'alg': 'none', **head})}.{_written(issuer.claims())}."
    others = [
        bare,
        bare.replace(_written({"alg": "none", **head}), _written({"alg": "None", **head})),
        by_secret(issuer, public_pem("first")),
        by_secret(issuer, public_pem("first").strip()),
        jwt.encode(issuer.claims(), private_key("first"), algorithm="PS256", headers=head),
        jwt.encode(issuer.claims(), private_key("first"), algorithm="RS512", headers=head),
    ]

    for token in others:
        assert is_nobody(balance(client, token), "RS256")


def test_a_signature_counts_for_what_was_signed_by_a_key_of_the_tenant(client: Client, issuer: Issuer) -> None:
    head, payload, signature = issuer.token().split(".")
    admin = _written(issuer.claims(roles=["Audit.Admin"]))

    assert is_nobody(balance(client, issuer.token("evil", kid="first")), "signature")
    assert is_nobody(balance(client, f"{head}.{admin}.{signature}"), "signature")
    assert is_nobody(balance(client, f"{head}.{payload}."), "signature")
    assert is_nobody(balance(client, f"{head}.{payload}.{signature[:-8]}"))
    # A key of the token's own making, as RFC 7515 lets a token bring.
    own = jwt.encode(
        issuer.claims(),
        private_key("evil"),
        algorithm="RS256",
        headers={"kid": "evil", "jwk": {"kty": "RSA", "kid": "evil"}, "jku": "https://evil.example/keys"},
    )
    assert is_nobody(balance(client, own), "signature")


def test_keys_are_fetched_once_and_an_unknown_one_lets_them_be_fetched_once_more(
    ledger: Ledger, issuer: Issuer
) -> None:
    client = a_client(ledger, issuer)
    for _ in range(3):
        assert balance(client, issuer.token()).status_code == 200
    assert len(issuer.fetched) == 1

    for number in range(5):
        assert is_nobody(balance(client, issuer.token("evil", kid=f"made-up-{number}")), "signature")
    assert len(issuer.fetched) == 1  # for those of this minute are there already
    assert balance(client, issuer.token()).status_code == 200


def test_a_token_of_another_tenant_fetches_nothing(client: Client, issuer: Issuer) -> None:
    assert is_nobody(balance(client, issuer.token(tid=_OTHER)), "tenant")
    assert issuer.fetched == []


def test_without_keys_nobody_can_be_told_from_anybody(client: Client, issuer: Issuer) -> None:
    issuer.is_dead = True

    for _ in range(3):
        response = balance(client, issuer.token())
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert response.json()["type"] == "urn:promptledger:problem:unavailable"
    assert len(issuer.fetched) == 1


def test_a_dead_issuer_stops_nobody_whose_key_is_known(client: Client, issuer: Issuer) -> None:
    assert balance(client, issuer.token()).status_code == 200
    issuer.is_dead = True

    assert balance(client, issuer.token()).status_code == 200


@pytest.mark.parametrize("scope", ["openid profile", "user_impersonation2", "", "USER_IMPERSONATION", ["x"]])
def test_an_application_that_asks_for_somebody_needs_their_leave_to_do_so(
    client: Client, issuer: Issuer, scope: Any
) -> None:
    response = balance(client, issuer.token(scp=scope))

    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["www-authenticate"]
    assert response.json()["type"] == "urn:promptledger:problem:refused-caller"


def test_an_application_that_asks_for_itself_needs_none(client: Client, issuer: Issuer) -> None:
    assert balance(client, issuer.token(scp=None, preferred_username=None)).status_code == 200


def test_only_the_named_applications_may_ask_where_some_are_named(ledger: Ledger, issuer: Issuer) -> None:
    ours = "11111111-2222-4333-8444-555555555555"
    client = a_client(ledger, issuer, client_ids=frozenset({ours}))

    assert balance(client, issuer.token()).status_code == 200
    assert balance(client, issuer.token(azp=None, appid=ours.upper())).status_code == 200
    for changes in ({"azp": _OTHER}, {"azp": None}, {"appid": _OTHER}):
        assert is_nobody(balance(client, issuer.token(**changes)), "application")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="no header"),
        pytest.param(["Bearer"], id="no token"),
        pytest.param(["Bearer "], id="an empty one"),
        pytest.param(["Basic YTpi"], id="a password"),
        pytest.param(["{token}"], id="no scheme"),
        pytest.param(["Bearer {token}", "Bearer {token}"], id="two"),
        pytest.param(["Bearer {token}, Bearer {token}"], id="two, joined on the way"),
        pytest.param(["Bearer {token} {token}"], id="two words"),
    ],
)
def test_a_request_without_one_bearer_token_is_nobody(client: Client, issuer: Issuer, headers: list[str]) -> None:
    sent = [("Authorization", one.replace("{token}", issuer.token())) for one in headers]

    assert is_nobody(client.get("/api/v1/balance", headers=sent))


def test_the_scheme_is_known_in_any_case(client: Client, issuer: Issuer) -> None:
    headers = {"Authorization": f"bEARER {issuer.token()}"}

    assert client.get("/api/v1/balance", headers=headers).status_code == 200


def test_a_header_of_20_kb_is_refused_before_it_is_read_and_one_with_200_groups_is_not(
    client: Client, issuer: Issuer
) -> None:
    many = [f"{number:08x}-1111-4222-8333-444455556666" for number in range(200)]

    assert is_nobody(balance(client, "a" * 20_000), "longer")
    assert is_nobody(balance(client, issuer.token(extra="x" * 20_000)), "longer")
    assert balance(client, issuer.token(groups=many)).status_code == 200


def test_who_reads_content_is_recorded_by_object_id_with_the_name_behind_it(ledger: Ledger, issuer: Issuer) -> None:
    ledger.has(an_interaction())
    client = a_client(ledger, issuer)
    url = "/api/v1/interactions/call-1/content"

    assert client.get(url, headers=with_token(issuer.token(roles=["Content.Read"]))).status_code == 200
    assert [reader for reader, *_ in ledger.reads()] == [f"{OID} (ada@example.org)"]


def test_nothing_of_a_token_is_logged_or_answered(
    client: Client, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token(aud="planted-marker")

    response = balance(client, token)

    assert "audit.token_refused" in caplog.text
    for part in (*token.split("."), "planted-marker"):
        assert part not in caplog.text + response.text + str(response.headers)


@pytest.mark.parametrize("change", [{"tenant_ids": ()}, {"audiences": ()}], ids=["whose tokens", "tokens for what"])
def test_nobody_is_let_in_where_it_is_not_set_which_tokens_count(
    ledger: Ledger, issuer: Issuer, change: dict[str, Any]
) -> None:
    entra = replace(SETTINGS, auth="entra", tokens=replace(issuer.settings, **change))

    with pytest.raises(ConfigurationError, match=r"PROMPTLEDGER_(TENANT_ID|AUDIENCE)"):
        create_app(ledger.audit(), entra, ledger.quarantine())


def test_keys_come_from_this_machine_on_a_developers_alone() -> None:
    least = {"PROMPTLEDGER_DATABASE": "sqlite://", "PROMPTLEDGER_AUTHORITY": "http://127.0.0.1:8000/"}

    assert Settings.read(least).tokens.authority == "http://127.0.0.1:8000"
    for environment in (
        least | {"WEBSITE_SITE_NAME": "app"},
        least | {"PROMPTLEDGER_AUTHORITY": "http://login.example.org"},
        least | {"PROMPTLEDGER_AUTHORITY": "file:///etc/passwd"},
        least | {"PROMPTLEDGER_AUTHORITY": "https://login.example.org?x=1"},
    ):
        with pytest.raises(ConfigurationError, match="PROMPTLEDGER_AUTHORITY"):
            Settings.read(environment)


_PART = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([TENANT, "RS256", "first"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["alg", "kid", "tid", "aud", "exp", "iss", "oid", "crit", "typ"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(head=_PART, payload=_PART, signature=st.binary(max_size=8))
@example(head=b"[" * 5_000, payload=b"{}", signature=b"")
@example(head=b'{"alg":"RS256","kid":"first"}', payload=b"[" * 5_000, signature=b"")
@example(head=b'{"alg":"RS256","kid":"first"}', payload=b'{"tid":"' + TENANT.encode() + b'"}', signature=b"x")
@example(head=b'{"alg":["RS256"]}', payload=b"{}", signature=b"")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_token_are_a_401_and_never_a_fault(
    issuer: Issuer, head: bytes, payload: bytes, signature: bytes
) -> None:
    token = ".".join(map(_written, (head, payload, signature)))
    headers = Headers({"authorization": f"Bearer {token}"}).raw
    request = Request({"type": "http", "headers": headers, "method": "GET", "path": "/"})

    with pytest.raises(HTTPException) as caught:
        _shared_authenticator(issuer).caller(request)

    assert caught.value.status_code == 401


_authenticators: dict[str, TokenAuthenticator] = {}


def _shared_authenticator(issuer: Issuer) -> TokenAuthenticator:
    return _authenticators.setdefault(issuer.url, TokenAuthenticator(issuer.settings))
