"""A key in a URL stands in the logs of everything on the way: such calls are refused, and no log of ours keeps it."""

import pytest

from tests.gateway.calls import a_call, a_gateway
from tests.unit.infra.policies.record import parts

URL = "/openai/deployments/chat/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(
    "name", ["subscription-key", "api-key", "Subscription-Key", "key", "ocp-apim-subscription-key"]
)
def test_a_call_that_brings_its_key_in_the_url_is_refused_and_the_record_has_the_call_without_the_key(
    name: str,
) -> None:
    call = a_gateway().run(a_call(url=f"{URL}&{name}=not-a-real-one"))

    (error,) = parts(call)
    assert (call.status, call.forwarded) == (400, [])
    assert (error["lastError"]["reason"], error["url"]) == ("KeyInUrl", URL)
    assert b"not-a-real-one" not in call.events[0][2]


def test_where_the_setting_says_so_such_a_call_goes_on_without_the_key() -> None:
    call = a_gateway(named={"query-keys": "allow"}).run(a_call(url=f"{URL}&subscription-key=not-a-real-one"))

    assert call.status == 200
    assert call.forwarded[0]["query"] == "api-version"
    assert not any(b"not-a-real-one" in event for _, _, event in call.events)


def test_other_parameters_are_nobody_s_key() -> None:
    assert a_gateway().run(a_call(url=f"{URL}&monkey=1&code=2")).status == 200
