"""What one vendor's API is to the rest: how its calls are recognised, and how its bodies and streams are read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.readings import BodyReading
from shared.operations.streams.answer import StreamAnswer

__all__ = ["Api", "Assembler", "Body", "Family", "Target"]

Body = Mapping[str, Json]


class Target(NamedTuple):
    """What a URL names."""

    path: str | None = None
    """Without the query: that is where secrets go."""
    operation: str | None = None
    deployment: str | None = None
    api_version: str | None = None
    model: str | None = None
    """The name asked for, where the path holds it."""
    streamed: bool | None = None
    """Whether a stream is asked for, where the path's verb says so."""


class Family(NamedTuple):
    """How the bodies of one operation are read. Where several APIs have it, the body's form tells whose it is."""

    read_request: Callable[[Body], BodyReading]
    read_response: Callable[[Body], BodyReading]
    owns_request: Callable[[Body], bool] | None = None
    """Whether a request is in this API's form; None where no other API has the operation."""
    owns_response: Callable[[Body], bool] | None = None
    """The same of a response."""


Assembler = Callable[[Iterable[tuple[str | None, dict[str, Json]]]], StreamAnswer]
"""Events of a stream, each with its name, -> the answer that they amount to."""


class Api(NamedTuple):
    """One vendor's API; None stands for what it does not have.

    To add one: a module that holds an `API`, and a line in `shared.operations.vendors`.
    """

    families: Mapping[str, Family]
    """Operation -> its readers."""
    target_of: Callable[[Sequence[str]], Target | None]
    """Segments of a path, percent-decoded -> what they name; None when it is not this API's path."""
    shape_of_request: Callable[[Body], str | None] | None = None
    """Request body without a path -> its operation."""
    shape_of_response: Callable[[Body], str | None] | None = None
    """Response body without a path -> its operation."""
    event_of: Callable[[str | None, Body], Assembler | None] | None = None
    """Name and data of a stream's event -> what assembles the stream, when the event is of this API."""
    array_of: Callable[[Sequence[Json]], StreamAnswer | None] | None = None
    """Elements of a JSON array -> the answer that they amount to, when they are a stream of this API."""
    lines_of: Callable[[Sequence[Body]], BodyReading | None] | None = None
    """Objects in lines of JSON -> what they say together, when they are results of this API."""
    error_of: Callable[[Body, Mapping[str, str]], tuple[Json, Json] | None] | None = None
    """Body and headers of an error -> code and message, when its form is this API's own."""
    complete: Callable[[Facts, Mapping[str, str]], None] | None = None
    """Facts of an answer and its headers, names in lower case: adds what the body lacks."""
    withhold_from_response: Callable[[dict[str, Json]], bool] | None = None
    """Takes from a response body, in place, what must not be kept; returns whether it did."""
    known_words: frozenset[str] = frozenset()
    """Words of this API that leave no trace as unknown: `kind:word`, as `shared.domain.unknown_words` has them."""
    headers: frozenset[str] = frozenset()
    """Headers of an answer that are worth keeping, and hold no secret."""
