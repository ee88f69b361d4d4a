"""Bodies of the HTTP calls around realtime sessions; what is said in a session passes no policy."""

from collections.abc import Mapping

from shared.domain.facts import state
from shared.domain.interaction import Facts
from shared.domain.values import Json
from shared.operations.generic import answered, asked
from shared.operations.said import Said
from shared.operations.texts import joined, variable_texts

__all__ = ["read_request", "read_response"]


def read_request(body: Mapping[str, Json]) -> Said:
    """Read what a session, a client secret or a call is asked for with; texts are the variables of a stored prompt.

    Source: event formats, section 8.10.
    """
    session = body.get("session")
    holders = [body, session] if isinstance(session, dict) else [body]
    said = asked(body, joined(text for holder in holders for text in variable_texts(holder.get("prompt"))))
    said.facts.update({**_session(body, requested_model="model"), **said.facts})
    return said


def read_response(body: Mapping[str, Json]) -> Said:
    """Read a session, or the secret that opens one; a call is answered with SDP, not JSON."""
    said = answered(body, {}, None)
    said.facts.update({**_session(body, model="model", response_id="id"), **said.facts})
    return said


def _session(body: Mapping[str, Json], **fields: str) -> Facts:
    """Return what the session inside the body says."""
    session, facts = body.get("session"), Facts()
    if isinstance(session, dict):
        for field, member in fields.items():
            state(facts, field, session.get(member))
    return facts
