"""A server that speaks as much of TDS as a login and simple statements need, for tests with the real driver.

It understands no SQL: the test says what each statement is answered with. So it judges no statement,
but everything between our code and the wire: how we sign in, what the driver sends, and what the
driver's own errors look like for each error number. The protocol: MS-TDS, chapters 2 and 3.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Answer", "Counts", "Fault", "Hang", "Several", "Silence", "TdsServer", "serving"]

_PRELOGIN, _RPC, _ATTENTION, _TRANSACTION, _RESULT = 0x12, 0x03, 0x06, 0x0E, 0x04
_BEGIN, _COMMIT, _ROLLBACK = 5, 7, 8
_COLLATION = bytes.fromhex("0904d00034")
_ENCRYPTED = 1
_BY_TOKEN, _FEDERATED = 6, 2
_DONE, _DONE_PROC, _DONE_IN_CALL = 0xFD, 0xFE, 0xFF
_SELECT, _UPDATE = 0xC1, 0xC5
_INTN, _NVARCHAR, _VARBINARY = 0x26, 0xE7, 0xA5
_READABLE = (_INTN, _NVARCHAR, _VARBINARY)
_BY_NUMBER = _LONG = 0xFFFF


@dataclass(frozen=True)
class Fault:
    """The server's error: its number in sys.messages, its text."""

    number: int
    text: str = "fault"
    severity: int = 16


@dataclass(frozen=True)
class Hang:
    """The connection ends here: nothing is answered any more."""


@dataclass(frozen=True)
class Silence:
    """The statement runs until the client gives it up."""


@dataclass(frozen=True)
class Several:
    """A batch of statements, each with its own answer."""

    answers: list[int | Fault]


@dataclass(frozen=True)
class Counts:
    """One row of numbers."""

    numbers: list[int]


Answer = list[str] | int | Counts | Fault | Several | Hang | Silence
"""A column of texts, the number of rows affected, a row of numbers, an error, several, the end, or nothing at all."""


@dataclass
class TdsServer:
    """What the server was told, and what it answers."""

    answer: Callable[[str], Answer]
    port: int = 0
    statements: list[str] = field(default_factory=list)
    """As sent: of a call with parameters, a line of their types and then its text; of what ends one, nothing."""
    parameters: list[list[bytes]] = field(default_factory=list)
    """Of each statement, those before the first that is neither text nor bytes."""
    in_transaction: list[bool] = field(default_factory=list)
    """Of each statement, whether a transaction was open."""
    tokens: list[str | None] = field(default_factory=list)
    """The access token of each login; None where it came with a password."""
    login: Callable[[], Answer] = lambda: 0
    received: list[int] = field(default_factory=list)
    """The bytes of each message since the login; each is a turn."""


@contextmanager
def serving(folder: Path, answer: Callable[[str], Answer]) -> Iterator[TdsServer]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    server = TdsServer(answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(_certificate(folder))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, context, server), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, server: TdsServer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_converse, args=(connection, context, server), daemon=True).start()


def _converse(connection: socket.socket, context: ssl.SSLContext, server: TdsServer) -> None:
    with connection:
        connection.settimeout(30)
        try:
            _Conversation(connection, context, server).hold()
        except (OSError, EOFError):
            return


class _Conversation:
    """One connection: encryption, login, then statements until the client leaves."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext, server: TdsServer) -> None:
        self._socket = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._encrypted = False
        self._is_open = False
        self._server = server

    def hold(self) -> None:
        _, asked = self._receive()
        self._send(_prelogin(asked))
        self._shake_hands()
        _, login = self._receive()
        token = _features(login).get(_FEDERATED)
        self._server.tokens.append(None if token is None else token[5:].decode("utf-16-le"))
        told = self._server.login()
        if isinstance(told, Fault):
            self._send(_error(told) + _done(_DONE, 2))
            return
        self._send(_welcome(login))
        while True:
            kind, body = self._receive()
            self._server.received.append(len(body))
            if kind == _ATTENTION:
                self._send(_done(_DONE, 0x20))
                continue
            if kind == _TRANSACTION:
                tokens, self._is_open = _transaction(body)
                self._send(tokens)
                continue
            rest = body[struct.unpack_from("<I", body)[0] :]
            statement, parameters = _called(rest) if kind == _RPC else (rest.decode("utf-16-le", "replace"), [])
            self._server.parameters.append(parameters)
            self._server.statements.append(statement)
            self._server.in_transaction.append(self._is_open)
            answer = _to_the_toolkit(statement)
            answer = self._server.answer(statement) if answer is None else answer
            if isinstance(answer, Hang):
                return
            if isinstance(answer, Silence):
                continue
            self._send(_answer(answer, _DONE_PROC if kind == _RPC else _DONE, is_call=kind == _RPC))

    def _shake_hands(self) -> None:
        """TLS, whose messages travel in packets until it stands."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush_handshake()
                self._incoming.write(self._receive()[1])
            else:
                self._flush_handshake()
                self._encrypted = True
                return

    def _flush_handshake(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(_packets(_PRELOGIN, self._outgoing.read()))

    def _send(self, tokens: bytes) -> None:
        packets = _packets(_RESULT, tokens)
        if self._encrypted:
            self._tls.write(packets)
            packets = self._outgoing.read()
        self._socket.sendall(packets)

    def _receive(self) -> tuple[int, bytes]:
        parts: list[bytes] = []
        while True:
            kind, status, length = struct.unpack(">BBH4x", self._exactly(8))
            parts.append(self._exactly(length - 8))
            if status & 1:
                return kind, b"".join(parts)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._some(count - len(data))
        return data

    def _some(self, most: int) -> bytes:
        while self._encrypted:
            try:
                return self._tls.read(most) or self._ended()
            except ssl.SSLWantReadError:
                self._incoming.write(self._socket.recv(65536) or self._ended())
        return self._socket.recv(most) or self._ended()

    def _ended(self) -> bytes:
        raise EOFError


def _to_the_toolkit(statement: str) -> Answer | None:
    """Answer what driver and SQLAlchemy ask of each server before our own first statement."""
    told: dict[str, Answer] = {
        "sp_datatype_info": 0,
        "'ProductVersion'": ["16.0.1000.6"],
        "schema_name()": ["dbo"],
        "sys.system_views": ["dm_exec_sessions"],
        "transaction_isolation_level": ["READ COMMITTED"],
        "SET TRANSACTION ISOLATION LEVEL": 0,
        "'test max support'": ["test max support"],
        "fn_listextendedproperty": [],
    }
    return next((answer for asked, answer in told.items() if asked in statement), None)


def _packets(kind: int, body: bytes) -> bytes:
    chunks = [body[start : start + 4088] for start in range(0, len(body), 4088)] or [b""]
    return b"".join(
        struct.pack(">BBHHBB", kind, chunk is chunks[-1], len(chunk) + 8, 0, number % 256, 0) + chunk
        for number, chunk in enumerate(chunks, 1)
    )


def _prelogin(asked: bytes) -> bytes:
    options = {0: bytes([16, 0, 3, 232, 0, 0]), 1: bytes([_ENCRYPTED]), 2: b"\0", 3: b"", 4: b"\0"}
    if _BY_TOKEN in asked[: asked.index(b"\xff") : 5]:
        options[_BY_TOKEN] = b"\1"
    offset = 5 * len(options) + 1
    head = b""
    for number, value in options.items():
        head += struct.pack(">BHH", number, offset, len(value))
        offset += len(value)
    return head + b"\xff" + b"".join(options.values())


def _welcome(login: bytes) -> bytes:
    name = "Microsoft SQL Server"
    acknowledged = struct.pack(">BIB", 1, 0x74000004, len(name)) + name.encode("utf-16-le") + bytes([16, 0, 0, 0])
    changes = [b"\x01" + _short("ledger") + _short("master"), b"\x04" + _short("4096") + _short("4096")]
    changes.append(b"\x07\x05" + _COLLATION + b"\0")
    tokens = b"".join(b"\xe3" + struct.pack("<H", len(change)) + change for change in changes)
    tokens += b"\xad" + struct.pack("<H", len(acknowledged)) + acknowledged
    if _FEDERATED in _features(login):
        tokens += b"\xae\x02" + struct.pack("<I", 0) + b"\xff"
    return tokens + _done(_DONE, 0)


def _features(login: bytes) -> dict[int, bytes]:
    """Return the extensions that a login asks for: number -> data."""
    if not login[27] & 0x10:
        return {}
    (place,) = struct.unpack_from("<H", login, 56)
    (place,) = struct.unpack_from("<I", login, place)
    found: dict[int, bytes] = {}
    while login[place] != 0xFF:
        (size,) = struct.unpack_from("<I", login, place + 1)
        found[login[place]] = login[place + 5 : place + 5 + size]
        place += 5 + size
    return found


def _called(call: bytes) -> tuple[str, list[bytes]]:
    """Return what a call says, and its parameters; of one by name its name alone."""
    (length,) = struct.unpack_from("<H", call)
    if length != _BY_NUMBER:
        return call[2 : 2 + 2 * length].decode("utf-16-le"), []
    place = 6
    told: list[bytes] = []
    while place < len(call) and (kind := call[place + 2 + 2 * call[place]]) in _READABLE:
        place += 3 + 2 * call[place]
        if kind == _INTN:
            place += 2 + call[place + 1]
            continue
        (most,) = struct.unpack_from("<H", call, place)
        value, place = _value(call, place + (7 if kind == _NVARCHAR else 2), is_long=most == _LONG)
        told.append(value)
    # What ends a prepared statement has a handle alone.
    return "\n".join(text.decode("utf-16-le") for text in told[:2]), told[2:]


def _value(call: bytes, place: int, *, is_long: bool) -> tuple[bytes, int]:
    """Return a parameter's value, nothing for null, and where the next parameter begins."""
    if not is_long:
        (size,) = struct.unpack_from("<H", call, place)
        place += 2
        return (b"", place) if size == _LONG else (call[place : place + size], place + size)
    place += 8
    pieces = []
    while size := struct.unpack_from("<I", call, place)[0]:
        pieces.append(call[place + 4 : place + 4 + size])
        place += 4 + size
    return b"".join(pieces), place + 4


def _answer(answer: Answer, done: int, *, is_call: bool) -> bytes:
    # A prepared call returns its handle.
    handle = b"\x79\0\0\0\0\xac\0\0\0\x01\0\0\0\0\0\0\x26\x04\x04\x01\0\0\0" if is_call else b""
    if isinstance(answer, Several):
        # More follows after each, except the last.
        parts = [(_error(one), 2, 0) if isinstance(one, Fault) else (b"", 0x10, one) for one in answer.answers]
        last = len(parts) - 1
        return b"".join(
            told + _done(done, status | (place < last), rows, _UPDATE)
            for place, (told, status, rows) in enumerate(parts)
        )
    if isinstance(answer, Fault):
        return _error(answer) + _done(done, 2)
    if isinstance(answer, list):
        column = struct.pack("<IHB", 0, 9, 0xE7) + struct.pack("<H", 8000) + _COLLATION + _short("a")
        rows = b"".join(b"\xd1" + _long(row) for row in answer)
        return b"\x81\x01\0" + column + rows + handle + _done(done, 0x10, len(answer))
    if isinstance(answer, Counts):
        columns = (struct.pack("<IHBB", 0, 9, _INTN, 4) + _short("a")) * len(answer.numbers)
        row = b"".join(struct.pack("<Bi", 4, number) for number in answer.numbers)
        return struct.pack("<BH", 0x81, len(answer.numbers)) + columns + b"\xd1" + row + handle + _done(done, 0x10, 1)
    if isinstance(answer, int):
        inner = _done(_DONE_IN_CALL, 0x11, answer, _UPDATE) if is_call else b""
        return inner + handle + (_done(done, 0) if is_call else _done(done, 0x10, answer, _UPDATE))
    return b""


def _transaction(body: bytes) -> tuple[bytes, bool]:
    """Return the answer to a request to begin or end a transaction, and whether one is open then."""
    (request,) = struct.unpack_from("<H", body, struct.unpack_from("<I", body)[0])
    change = {
        _BEGIN: b"\x08\x08\1\0\0\0\0\0\0\0\0",
        _COMMIT: b"\x09\0\x08\1\0\0\0\0\0\0\0",
        _ROLLBACK: b"\x0a\0\x08\1\0\0\0\0\0\0\0",
    }[request]
    return b"\xe3" + struct.pack("<H", len(change)) + change + _done(_DONE, 0), request == _BEGIN


def _error(fault: Fault) -> bytes:
    text = fault.text.encode("utf-16-le")
    body = struct.pack("<IBBH", fault.number, 1, fault.severity, len(fault.text)) + text + _short("ledger") + b"\0"
    body += struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def _done(kind: int, status: int, rows: int = 0, command: int = _SELECT) -> bytes:
    return struct.pack("<BHHQ", kind, status, command, rows)


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def _long(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return struct.pack("<H", len(data)) + data


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "tds.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
