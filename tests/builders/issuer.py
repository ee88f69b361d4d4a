"""An issuer of tokens on this machine: signs as Entra does, and publishes its keys over HTTP as Entra does."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.token_settings import TokenSettings

__all__ = ["AUDIENCE", "OID", "TENANT", "Issuer", "an_issuer", "private_key", "public_pem", "published"]

TENANT: Final = "0f5c2b1e-7d3a-4c55-9a0e-5b1f3d2c4a60"
AUDIENCE: Final = "api://promptledger"
OID: Final = "7d0e8a54-3c1b-4b4e-9f0a-2b6c5d4e3f21"


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:  # noqa: ARG001  # each name has a key of its own
    """Return the key of this name, made once: that takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(name: str) -> bytes:
    """Return the public half of a key, as text."""
    public = private_key(name).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def published(name: str) -> dict[str, str]:
    """Return the public half of a key, as a set of keys holds it."""
    numbers = private_key(name).public_key().public_numbers()

    def written(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode().rstrip("=")

    return {"kty": "RSA", "use": "sig", "kid": name, "n": written(numbers.n), "e": written(numbers.e)}


class Issuer:
    """Signs tokens, and counts how often its keys are asked for."""

    def __init__(self, url: str) -> None:
        """Publish the key `first` under `url`."""
        self.url = url
        self.published_keys = ["first"]
        self.is_dead = False
        self.fetched: list[str] = []

    @property
    def settings(self) -> TokenSettings:
        """Settings that take the tokens of this issuer."""
        return TokenSettings(tenant_ids=(TENANT,), audiences=(AUDIENCE,), authority=self.url)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a token that is let in, with some changed, added, or left out (None)."""
        now = int(time.time())
        claims = {
            "aud": AUDIENCE,
            "iss": f"{self.url}/{TENANT}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "tid": TENANT,
            "oid": OID,
            "azp": "11111111-2222-4333-8444-555555555555",
            "preferred_username": "ada@example.org",
            "roles": ["Audit.Read"],
            "scp": "user_impersonation",
            "ver": "2.0",
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, key: str = "first", *, kid: str | None = None, **changes: Any) -> str:
        """Return a token signed by `key`, which says that it is by `kid`."""
        # As bytes: what no issuer writes is refused to be signed otherwise.
        payload = json.dumps(self.claims(**changes)).encode()
        head = {"kid": kid or key, "typ": "JWT"}
        return jwt.api_jws.encode(payload, private_key(key), algorithm="RS256", headers=head)


@contextmanager
def an_issuer() -> Iterator[Issuer]:
    """Serve an issuer on a free port of this machine."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetched.append(self.path)
            if issuer.is_dead or self.path != f"/{TENANT}/discovery/v2.0/keys":
                self.send_error(503)
                return
            body = json.dumps({"keys": [published(name) for name in issuer.published_keys]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
