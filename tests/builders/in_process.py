"""HTTP without a socket: a transport by which a client of httpx asks an application in this process."""

import asyncio

import httpx
from fastapi import FastAPI

__all__ = ["InProcess"]


class InProcess(httpx.BaseTransport):
    """Hands requests to an ASGI application, as if they came from this machine."""

    def __init__(self, app: FastAPI, address: str = "127.0.0.1") -> None:
        self._transport = httpx.ASGITransport(app, client=(address, 50_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def answer() -> httpx.Response:
            response = await self._transport.handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            # As it was sent: whoever asks unpacks it.
            body = httpx.ByteStream(b"".join([part async for part in response.stream]))
            return httpx.Response(response.status_code, headers=response.headers, stream=body, request=request)

        return asyncio.run(answer())
