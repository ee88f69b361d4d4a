import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import redaction
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


_PIECES = [
    *b"key KEY en tok cook ie sk ek absk ak ia sharedk ey passw or d pw aws4- authoriz ation x-amz -sig aiz a".split(),
    *b"az se fu ca eg eyj qqj99 xox b- p- xai- gocspx - 9q ~ [removed] sig = signature sas code aiot +asb +aeh".split(),
    *b"+arm % 3d gh s _ hf github_pat sk_live expires ya29 . aq sec ret redential c onnstr connection string".split(),
    *b"ssertion bearer basic + 20 passphrase passcode glp at- asia : \" ' , & is are ----- k-api j z @ ://".split(),
    *(b" ", b"\t", b"\n", b"\\", b"A" * 86, b"b" * 16, b"c" * 30, b"0" * 12, b"m" * 5),
]


@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=2), max_size=12).map(b"".join))
def test_any_bytes_that_may_hold_a_secret_hold_one_of_the_hints(body: bytes) -> None:
    # The hints are a quick first look: what they pass over is never looked at again.
    assert not redaction._may_hold_secrets(body.lower()) or redaction._HINTS.search(body) or b"@" in body
