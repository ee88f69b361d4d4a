"""Rows of the ledger -> JSON of the audit API, in the shapes that `models.py` states."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Final, NamedTuple, get_args, get_origin

import orjson
from pydantic import BaseModel

from shared.api import models, page_models
from shared.domain.balance import Balance, sum_of
from shared.domain.interaction import Provenance
from shared.domain.quarantine import Held
from shared.domain.values import Json, average
from shared.questions import CallCount
from shared.services.audit import PartitionBalance
from shared.services.quarantine import Replayed
from shared.stores.ports import Row

__all__ = [
    "Answer",
    "amount_view",
    "balance_view",
    "counted_page_view",
    "discarded_view",
    "finding_view",
    "found_page_view",
    "held_view",
    "interaction_view",
    "page_view",
    "prompt_view",
    "quarantine_view",
    "replayed_view",
    "texts_view",
    "usage_view",
    "view_of",
]

Answer = dict[str, Json]


class _Field(NamedTuple):
    """A field of an answer, and how it is read from a row."""

    name: str
    alias: str
    column: str
    form: Callable[[Any], Json] | None
    """Makes JSON of what the column holds; None where the column holds just that."""
    is_required: bool


def view_of(model: type[BaseModel], row: Mapping[str, Any], /, **stated: Json) -> Answer:
    """Return an answer in the shape of `model`.

    Each field is what is `stated` under its name, or else the row's column of that name in the form that its type
    says. A field with a default is left out where there is neither.
    """
    answer: Answer = {}
    for name, alias, column, form, is_required in _fields(model):
        if name in stated:
            answer[alias] = stated[name]
        elif is_required or column in row:
            answer[alias] = row[column] if form is None else form(row[column])
    return answer


@cache
def _fields(model: type[BaseModel]) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            name,
            field.alias or name,
            next((one.name for one in field.metadata if isinstance(one, models.Column)), name),
            _form(field.annotation),
            field.is_required(),
        )
        for name, field in model.model_fields.items()
    )


def _form(annotation: Any) -> Callable[[Any], Json] | None:  # noqa: ANN401  # whatever a model may be annotated with
    """Return how a value becomes what a type says; only JSON, which is stored as text, and flags change."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    if annotation is bool:
        return bool
    return next((_FORMS[kind] for kind in map(get_origin, kinds) if kind in _FORMS), _json if Any in kinds else None)


def _json(text: str | None) -> Any:  # noqa: ANN401  # any JSON value
    return None if text is None else orjson.loads(text)


_FORMS: Final[Mapping[Any, Callable[[Any], Json]]] = {dict: _json, list: lambda text: _json(text) or []}


def page_view(items: Iterable[Answer], next_cursor: str | None) -> Answer:
    """Return one page of a list."""
    return view_of(models.Page, {}, items=list(items), next_cursor=next_cursor)


def found_page_view(items: Iterable[Answer], next_cursor: str | None, *, is_degraded: bool, waiting: int) -> Answer:
    """Return one page of what a search finds."""
    stated = {"items": list(items), "next_cursor": next_cursor, "degraded": is_degraded, "waiting": waiting}
    return view_of(page_models.InteractionPage, {}, **stated)


def counted_page_view(items: Iterable[Answer], next_cursor: str | None, total: CallCount) -> Answer:
    """Return one page of interactions with how many there are on all."""
    counted = view_of(page_models.CallCount, asdict(total))
    return view_of(page_models.InteractionPage, {}, items=list(items), next_cursor=next_cursor, total=counted)


def interaction_view(row: Row) -> Answer:
    """Return an interaction: null is unknown, but lists are empty, and what is marked when seen is false."""
    is_error = row["error_code"] is not None or row["error_message"] is not None
    return view_of(
        models.Interaction,
        row,
        operation=row["operation"] or "other",
        usage=_usage(row),
        charge=_charge(row),
        content_filter=view_of(models.ContentFilter, row),
        error=view_of(models.CallError, row) if is_error else None,
    )


def _usage(row: Row) -> Answer:
    if row["cached"]:
        # The answer repeats the usage of the call that filled the cache; this one used nothing.
        return view_of(models.TokenUsage, dict.fromkeys(row), provenance=Provenance.MISSING.value)
    return view_of(models.TokenUsage, row)


def _charge(row: Row) -> Answer | None:
    if row["charge_confidence"] is None:
        return None
    version = row["charge_price_version"]
    return view_of(
        models.InteractionCharge,
        row,
        amount=amount_view(row["charge_amount"]),
        price_version=None if version is None else str(version),
    )


def amount_view(amount: Decimal | None) -> Json:
    """Return a decimal as a JSON number, digit by digit: no binary float comes between."""
    if amount is None:
        return None
    digits = f"{amount:f}"
    return orjson.Fragment(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def prompt_view(row: Row) -> Answer:
    """Return an item of the prompt list."""
    return view_of(models.Prompt, row)


def texts_view(texts: Mapping[str, Json]) -> Answer:
    """Return an interaction's texts and bodies."""
    return view_of(models.ContentTexts, {}, **texts)


def usage_view(row: Row, dimensions: Sequence[str]) -> Answer:
    """Return a group's usage. The average is over the requests whose tokens are known; what polls repeat is one.

    `amount` and `currency` are null where nothing is priced, and where several currencies are.
    """
    known, currency = row["token_requests"], row["currency_of_amount"]
    is_one = currency == row["other_currency"]
    return view_of(
        models.Usage,
        row,
        **{name: row[name] or None for name in dimensions if name != "currency"},
        average_total_tokens=average(row["total_tokens"], known) if known else None,
        amount=amount_view(row["amount"]) if is_one else None,
        currency=currency if is_one else None,
    )


def balance_view(balances: Sequence[PartitionBalance]) -> Answer:
    """Return the balance of each partition, and the sum."""
    items: list[Json] = [view_of(models.PartitionBalance, asdict(balance)) for balance in balances]
    total = view_of(models.BalanceCounts, asdict(sum_of(balances)))
    return view_of(models.Balance, {}, items=items, next_cursor=None, total=total)


def quarantine_view(row: Row) -> Answer:
    """Return what is known of an event in quarantine."""
    return view_of(models.QuarantinedEvent, row)


def held_view(held: Held) -> Answer:
    """Return an event of quarantine with its bytes."""
    body, encoded = None, None
    try:
        body = held.body.decode()
    except UnicodeDecodeError:
        encoded = base64.b64encode(held.body).decode()
    position = held.position._asdict()
    return view_of(models.QuarantinedBody, position, id=held.id, body=body, body_base64=encoded)


def replayed_view(replayed: Replayed, next_cursor: str | None) -> Answer:
    """Return what became of events that were tried again."""
    unknown: list[Json] = [*replayed.unknown]
    return view_of(models.ReplayResult, asdict(Balance.of(replayed.classes)), unknown=unknown, next_cursor=next_cursor)


def discarded_view(event_id: str) -> Answer:
    """Return that an event was discarded."""
    return view_of(models.Discarded, {}, id=event_id, discarded=True)


def finding_view(row: Row) -> Answer:
    """Return something that is missing."""
    return view_of(models.FoundAmiss, row, hub=row["hub"] or None)
