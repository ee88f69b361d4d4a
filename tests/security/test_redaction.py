import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.redaction import redacted
from tests.builders.other_events import SECRET


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps({"appSubscriptionKey": SECRET, "n": 1}), id="a member"),
        pytest.param(json.dumps({"appSubscriptionKey": SECRET}, indent=2)[:-8], id="a member that was cut"),
        pytest.param(json.dumps([{"x": json.dumps({"AppSubscriptionKey": SECRET})}]), id="JSON in JSON"),
        pytest.param(f"/openai/models?api-version=1&api-key={SECRET}&x=1", id="a parameter"),
        pytest.param(f"request:x\nGET / HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\nHost: a\r\n", id="a header"),
        pytest.param(f"request:x\nGET / HTTP/1.1\r\nOcp-Apim-Subscription-Key:{SECRET}", id="the last header"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-16"])
def test_keys_are_taken_out_and_the_rest_stays(text: str, encoding: str) -> None:
    clean = redacted(text.encode(encoding)).decode(encoding)

    assert SECRET[:16] not in clean
    assert clean.replace("[removed]", "").strip("\ufeff") == re.sub(rf"(Bearer )?{SECRET[:16]}\w*", "", text)
    assert redacted(clean.encode(encoding)).decode(encoding) == clean


@given(st.binary())
def test_any_bytes_without_keys_stay_as_they_are(body: bytes) -> None:
    assert redacted(body) is body or b"key" in body.lower()
