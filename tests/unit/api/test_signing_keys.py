"""When keys are fetched, and how long they are trusted."""

import json

import pytest

from shared.api.signing_keys import KeysUnavailableError, SigningKeys
from tests.builders.issuer import published

_HOUR = 3_600.0


class Endpoint:
    """Publishes keys, or does not answer."""

    def __init__(self) -> None:
        self.names = ["first"]
        self.document: bytes | None = None
        self.is_dead = False
        self.fetched = 0
        self.now = 1_000.0
        self.keys = SigningKeys("https://issuer/keys", fetch=self.fetch, now=lambda: self.now)

    def fetch(self, url: str) -> bytes:
        assert url == "https://issuer/keys"
        self.fetched += 1
        if self.is_dead:
            raise ConnectionRefusedError
        return self.document or json.dumps({"keys": [published(name) for name in self.names]}).encode()

    def has(self, key_id: str) -> bool:
        return self.keys.key(key_id) is not None


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


def test_a_rotated_key_is_fetched_when_a_token_names_it_at_most_twice_a_minute(endpoint: Endpoint) -> None:
    assert endpoint.has("first")
    endpoint.names = ["second"]

    assert not endpoint.has("second")  # fetched a moment ago
    endpoint.now += 30
    assert endpoint.has("second")
    assert not endpoint.has("first")
    assert endpoint.fetched == 2


def test_made_up_key_ids_are_asked_for_at_most_twice_a_minute(endpoint: Endpoint) -> None:
    for number in range(600):
        assert not endpoint.has(f"made-up-{number}")
        endpoint.now += 0.1

    assert endpoint.fetched <= 3


def test_keys_are_fetched_anew_every_hour_so_that_a_withdrawn_one_counts_no_more(endpoint: Endpoint) -> None:
    assert endpoint.has("first")
    endpoint.names = ["second"]

    endpoint.now += _HOUR - 1
    assert endpoint.has("first")
    endpoint.now += 1
    assert not endpoint.has("first")


def test_while_nobody_answers_known_keys_count_for_a_day_and_then_no_more(endpoint: Endpoint) -> None:
    assert endpoint.has("first")
    endpoint.is_dead = True

    endpoint.now += 23 * _HOUR
    assert endpoint.has("first")
    endpoint.now += _HOUR
    with pytest.raises(KeysUnavailableError):
        endpoint.has("first")
    endpoint.is_dead = False
    endpoint.now += 30
    assert endpoint.has("first")


def test_of_an_unknown_key_nobody_says_that_it_is_none_while_nobody_answers(endpoint: Endpoint) -> None:
    assert endpoint.has("first")
    endpoint.is_dead = True
    endpoint.now += 30

    with pytest.raises(KeysUnavailableError):
        endpoint.has("second")
    assert endpoint.has("first")


@pytest.mark.parametrize(
    "document",
    [b"", b"no json", b"[]", b'{"keys": 7}', b'{"keys": []}',
     b'{"keys": [7, {"kty": "RSA", "kid": "first", "n": "%"}]}',
     b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}]}'],
)  # fmt: skip
def test_what_is_no_set_of_keys_is_as_if_nobody_answered(endpoint: Endpoint, document: bytes) -> None:
    endpoint.document = document or b" "

    with pytest.raises(KeysUnavailableError):
        endpoint.has("first")


def test_a_key_that_cannot_be_read_takes_none_of_the_others_away(endpoint: Endpoint) -> None:
    keys = [{"kty": "EC", "kid": "x"}, {"kty": "RSA", "kid": "y", "n": "%"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}]
    endpoint.document = json.dumps({"keys": [*keys, published("first")]}).encode()

    assert endpoint.has("first")
    assert not endpoint.has("x")
