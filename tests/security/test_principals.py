"""A principal counts as far as the platform vouches for it, and for callers of one tenant alone."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.api.app import create_app
from shared.api.principals import PrincipalAuthenticator
from shared.errors import ConfigurationError
from shared.token_settings import TokenSettings
from tests.builders.databases import new_sqlite
from tests.unit.api.rows import SETTINGS, Ledger, an_interaction, client_of

_TENANT = "0f5c2b1e-7d3a-4c55-9a0e-5b1f3d2c4a60"
_OTHER = "9b7c6d5e-1111-4222-8333-444455556666"
_OURS = TokenSettings(tenant_ids=(_TENANT,))
_SIGNED_IN = replace(SETTINGS, auth="app-service", in_azure=True, signs_in=True, tokens=_OURS)
_NAME = "X-MS-CLIENT-PRINCIPAL"
_CLAIMS = {
    "iss": f"https://login.microsoftonline.com/{_TENANT}/v2.0",
    "tid": _TENANT,
    "oid": "0a1b",
    "preferred_username": "ada@example.org",
    "roles": "Content.Read",
}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = new_sqlite(tmp_path)
    yield Ledger(engine)
    engine.dispose()


def told(auth_typ: Any = "aad", *more: tuple[str, str], **changes: str | None) -> str:
    """Return the header of a principal with claims changed, left out (None) or added."""
    claims = [(kind, value) for kind, value in (_CLAIMS | changes).items() if value is not None]
    listed = [{"typ": kind, "val": value} for kind, value in (*claims, *more)]
    return base64.b64encode(json.dumps({"auth_typ": auth_typ, "claims": listed}).encode()).decode()


def asked(ledger: Ledger, *headers: str) -> httpx.Response:
    ledger.has(an_interaction())
    client = client_of(
        ledger.audit(), address="203.0.113.7", base_url="https://ledger.example.org", settings=_SIGNED_IN
    )
    return client.get("/api/v1/interactions/call-1/content", headers=[(_NAME, one) for one in headers])


@pytest.mark.parametrize(
    "issuer",
    [
        f"https://login.microsoftonline.com/{_TENANT}/v2.0",
        f"https://sts.windows.net/{_TENANT}/",
        f"https://login.microsoftonline.us/{_TENANT}/v2.0",
        f"https://sts.chinacloudapi.cn/{_TENANT}/",
    ],
)
def test_a_principal_of_the_tenant_is_let_in_whichever_cloud_and_version_issued_it(ledger: Ledger, issuer: str) -> None:
    assert asked(ledger, told(iss=issuer)).status_code == 200


def test_the_long_names_of_claims_count_as_the_short_ones(ledger: Ledger) -> None:
    prefix = "http://schemas.microsoft.com/identity/claims"
    long = ((f"{prefix}/tenantid", _TENANT.upper()), (f"{prefix}/objectidentifier", "0a1b"))

    assert asked(ledger, told("aad", *long, tid=None, oid=None)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([told("google")], id="another provider"),
        pytest.param([told("AAD ")], id="nearly the provider"),
        pytest.param([told(None)], id="no provider"),
        pytest.param([told(["aad"])], id="a list of providers"),
        pytest.param([told(tid=_OTHER)], id="another tenant"),
        pytest.param([told(tid=None)], id="no tenant"),
        pytest.param([told("aad", ("tid", _OTHER))], id="two tenants"),
        pytest.param([told(iss=f"https://login.microsoftonline.com/{_OTHER}/v2.0")], id="another tenant's issuer"),
        pytest.param([told(iss=f"https://evil.example/{_TENANT}/v2.0")], id="an issuer elsewhere"),
        pytest.param([told(iss="https://accounts.google.com")], id="another provider's issuer"),
        pytest.param([told(iss=None)], id="no issuer"),
        pytest.param([told(oid=None)], id="no object id"),
        pytest.param([told("aad", ("oid", "0c2d"))], id="two object ids"),
        pytest.param([told(oid="0" * 65)], id="an object id that is none"),
        pytest.param([told(oid="0a\N{GRINNING FACE}")], id="an object id of other letters"),
        pytest.param([told(oid="0a\0b")], id="an object id with a null in it"),
        pytest.param([told(oid="0a1b ")], id="an object id with a space behind it"),
        pytest.param([told(), told()], id="the header twice"),
        pytest.param([told(), told(oid="0c2d")], id="two callers"),
        pytest.param([f"{told()},{told()}"], id="twice, joined on the way"),
        pytest.param([told()[:-8]], id="cut"),
        pytest.param(["%%%"], id="no base64"),
        pytest.param([""], id="empty"),
        pytest.param([base64.b64encode(b"\xff\xfe").decode()], id="no text"),
        pytest.param([base64.b64encode(b"[" * 100_000).decode()], id="deeper than anybody reads"),
        pytest.param(
            [base64.b64encode(b'{"auth_typ":"aad","claims":{"oid":"0a1b"}}').decode()], id="no list of claims"
        ),
    ],
)
def test_a_principal_that_nobody_vouches_for_is_nobody(ledger: Ledger, headers: list[str]) -> None:
    response = asked(ledger, *headers)

    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.json()["type"] == "urn:promptledger:problem:not-signed-in"
    assert ledger.reads() == []


@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(
            lambda value: json.dumps({"auth_typ": "aad", "claims": value}).encode()
        ),
    )
)
def test_any_bytes_in_the_header_are_a_401_and_never_a_fault(content: bytes) -> None:
    header = base64.b64encode(content).decode()
    request = Request({"type": "http", "headers": Headers({_NAME: header}).raw, "method": "GET", "path": "/"})

    with pytest.raises(HTTPException) as caught:
        PrincipalAuthenticator([_TENANT]).caller(request)

    assert caught.value.status_code == 401


@pytest.mark.parametrize("name", ["a" * 300, "ä" * 300, "\N{GRINNING FACE}" * 300])
def test_a_long_name_is_cut_and_the_object_id_is_not(ledger: Ledger, name: str) -> None:
    oid = "7d0e8a54-3c1b-4b4e-9f0a-2b6c5d4e3f21"

    assert asked(ledger, told(oid=oid, preferred_username=name)).status_code == 200

    ((reader, _, _),) = ledger.reads()
    kept = reader.removeprefix(f"{oid} (").removesuffix(")")
    assert kept == name[: len(kept)]
    assert 255 <= len(kept.encode("utf-16-le")) // 2 <= 256


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param("ada\0", "ada\N{REPLACEMENT CHARACTER}", id="a null"),
        pytest.param("  ", None, id="spaces"),
        pytest.param(" ada ", "ada", id="spaces around"),
        pytest.param("ada (0c2d)", "ada (0c2d)", id="what looks like another's id"),
    ],
)
def test_a_name_that_no_database_takes_is_written_so_that_it_does(ledger: Ledger, name: str, kept: str | None) -> None:
    assert asked(ledger, told(preferred_username=name)).status_code == 200

    assert [reader for reader, _, _ in ledger.reads()] == ["0a1b" if kept is None else f"0a1b ({kept})"]


def test_two_callers_with_the_same_name_stay_two_however_long_it_is(ledger: Ledger) -> None:
    for oid in ("0a1b", "0c2d"):
        header = told(oid=oid, preferred_username="n" * 400)
        client = client_of(ledger.audit(), settings=_SIGNED_IN)
        if not ledger.reads():
            ledger.has(an_interaction())
        assert client.get("/api/v1/interactions/call-1/content", headers={_NAME: header}).status_code == 200

    assert [reader.split()[0] for reader, _, _ in ledger.reads()] == ["0a1b", "0c2d"]


@pytest.mark.parametrize("changes", [{"signs_in": False}, {"tokens": TokenSettings()}])
def test_a_principal_counts_nowhere_but_behind_the_platform_and_for_a_known_tenant(
    ledger: Ledger, changes: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="PROMPTLEDGER_"):
        create_app(ledger.audit(), replace(_SIGNED_IN, **changes), ledger.quarantine())


def test_where_tokens_are_validated_here_a_principal_is_a_header_like_any_other(ledger: Ledger) -> None:
    settings = replace(_SIGNED_IN, auth="entra", tokens=replace(_OURS, audiences=("api://ledger",)))
    client = client_of(ledger.audit(), settings=settings)

    assert client.get("/api/v1/balance", headers={_NAME: told(roles="Audit.Read")}).status_code == 401


def test_in_local_mode_a_principal_is_a_header_like_any_other(ledger: Ledger) -> None:
    client = client_of(ledger.audit(), address="203.0.113.7")

    assert client.get("/api/v1/balance", headers={_NAME: told(roles="Audit.Read")}).status_code == 403
