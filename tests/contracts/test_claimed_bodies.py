"""What every store of claimed bodies does."""

import base64
import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from shared.domain.reassembly.claim_checks import Claim, ClaimFault
from shared.settings import ClaimAccount
from shared.stores.blob import BlobClaimedBodies, connected
from shared.stores.ports import ClaimedBodies
from tests.builders.claims import CONTAINER, MemoryBodies
from tests.parts.servers import Azurite, azurite

LARGEST = 10 * 1024 * 1024
BODY = b'{"messages": []}'
CHECKSUM = hashlib.sha256(BODY).digest()

Upload = Callable[[str, bytes, str], None]


@pytest.fixture(scope="module")
def storage() -> Iterator[Azurite]:
    with azurite() as server:
        yield server


@pytest.fixture(params=["memory", "azurite"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[ClaimedBodies, Upload]]:
    """Return a store, and how a blob comes into it: by name, bytes and container."""
    if request.param == "memory":
        memory = MemoryBodies(largest=LARGEST)
        yield memory, memory.upload
        return
    account = ClaimAccount(connection_string=request.getfixturevalue("storage").connection_string)
    with connected(account) as client:

        def upload(blob: str, body: Any, container: str = CONTAINER) -> None:
            with suppress(ResourceExistsError):
                client.create_container(container)
            client.get_blob_client(container, blob).upload_blob(body, overwrite=True)

        store = BlobClaimedBodies(lambda: connected(account), containers=frozenset([CONTAINER]), largest=LARGEST)
        yield store, upload
        store.close()


def a_claim(blob: str, *, size: int | None = len(BODY), sha256: str | None = None, container: str = CONTAINER) -> Claim:
    return Claim(container, blob, size, sha256)


@pytest.mark.parametrize("name", ["plain", "2026/03/02/call 1.json", "Grüße?#%2e%2e/&+", "a/..b/c"])
def test_a_body_comes_back_byte_for_byte(place: tuple[ClaimedBodies, Upload], name: str) -> None:
    bodies, upload = place
    upload(name, BODY, CONTAINER)

    assert bodies.fetch([a_claim(name)]) == [BODY]


@pytest.mark.parametrize("size", [0, 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, LARGEST])
def test_a_body_of_any_size_up_to_the_largest_comes_back(place: tuple[ClaimedBodies, Upload], size: int) -> None:
    bodies, upload = place
    body = random.Random(size).randbytes(size)
    upload("sized", body, CONTAINER)

    assert bodies.fetch([a_claim("sized", size=size, sha256=hashlib.sha256(body).hexdigest())]) == [body]


@pytest.mark.parametrize(
    "checksum", [CHECKSUM.hex(), CHECKSUM.hex().upper(), base64.b64encode(CHECKSUM).decode(), None]
)
def test_a_checksum_may_be_in_hexadecimal_in_base64_or_left_out(
    place: tuple[ClaimedBodies, Upload], checksum: str | None
) -> None:
    bodies, upload = place
    upload("checked", BODY, CONTAINER)

    assert bodies.fetch([a_claim("checked", size=None, sha256=checksum)]) == [BODY]


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        pytest.param({"size": len(BODY) + 1}, ClaimFault.SIZE, id="another size"),
        pytest.param({"sha256": hashlib.sha256(b"other").hexdigest()}, ClaimFault.CHECKSUM, id="another checksum"),
        pytest.param({"sha256": "00"}, ClaimFault.CHECKSUM, id="half a checksum"),
        pytest.param({"sha256": "no checksum"}, ClaimFault.CHECKSUM, id="no checksum at all"),
        pytest.param({"size": LARGEST + 1}, ClaimFault.LARGE, id="larger than allowed"),
    ],
)
def test_a_body_that_is_not_the_claimed_one_is_not_taken(
    place: tuple[ClaimedBodies, Upload], changes: dict[str, Any], flaw: ClaimFault
) -> None:
    bodies, upload = place
    upload("other", BODY, CONTAINER)

    assert bodies.fetch([a_claim("other", **changes)]) == [flaw]


def test_a_body_that_is_larger_than_allowed_is_not_read_though_nobody_said_so(
    place: tuple[ClaimedBodies, Upload],
) -> None:
    bodies, upload = place
    upload("huge", bytes(LARGEST + 1), CONTAINER)

    assert bodies.fetch([a_claim("huge", size=None)]) == [ClaimFault.LARGE]


def test_a_body_that_is_not_there_yet_is_absent(place: tuple[ClaimedBodies, Upload]) -> None:
    bodies, upload = place
    upload("here", BODY, CONTAINER)

    assert bodies.fetch([a_claim("not here"), a_claim("here")]) == [ClaimFault.ABSENT, BODY]


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(a_claim("secret", container="vault"), id="another container"),
        pytest.param(a_claim("../vault/secret"), id="up and over"),
        pytest.param(a_claim("a/../../vault/secret"), id="up and over from below"),
        pytest.param(a_claim("./../vault/secret"), id="with a dot"),
        pytest.param(a_claim("..\\vault\\secret"), id="with backslashes"),
        pytest.param(a_claim("secret", container="bodies/../vault"), id="in the container's name"),
        pytest.param(a_claim("a\nb"), id="a line end"),
        pytest.param(a_claim("a" * 1025), id="longer than names are"),
    ],
)
def test_no_event_makes_us_read_what_the_settings_do_not_name(
    place: tuple[ClaimedBodies, Upload], claim: Claim
) -> None:
    bodies, upload = place
    upload("secret", BODY, "vault")
    upload("a", BODY, CONTAINER)

    assert bodies.fetch([claim]) == [ClaimFault.FOREIGN]


def test_many_bodies_come_back_in_the_order_of_their_claims(place: tuple[ClaimedBodies, Upload]) -> None:
    bodies, upload = place
    for number in range(20):
        upload(f"many/{number}", b"%d" % number, CONTAINER)

    found = bodies.fetch([a_claim(f"many/{number}", size=None) for number in range(20)])

    assert found == [b"%d" % number for number in range(20)]


def test_storage_that_does_not_answer_is_unreachable() -> None:
    client = BlobServiceClient("http://127.0.0.1:9/nobody", retry_total=0)
    store = BlobClaimedBodies(lambda: client, containers=frozenset([CONTAINER]), largest=LARGEST)

    assert store.fetch([a_claim("x")]) == [ClaimFault.UNREACHABLE]
    store.close()
    store.close()
