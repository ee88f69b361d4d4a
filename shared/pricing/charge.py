"""A call and the price book -> its charge: pure, in decimals, each rule with the page that states it.

What these rules leave out, because no call shows it: hours of fine-tuned deployments
(https://learn.microsoft.com/azure/foundry/openai/how-to/fine-tuning-cost-management), storage of files and vectors,
training.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import chain
from typing import Any, Final, NamedTuple

from shared.domain.call_errors import is_refusal
from shared.domain.interaction import Provenance
from shared.pricing.book import Book, Model, Place, Rates, model_of
from shared.pricing.charges import TOOLS_EXTRA, Charge, Confidence, Part
from shared.pricing.entries import SKUS, TOOL_MODELS, Deployment, PriceEntry, Scope, Tier, Unit
from shared.pricing.quantities import Quantities, Quantity, quantities_of
from shared.pricing.shares import is_spilled, names_of, shared_charge, throughput_of_call

__all__ = ["PRICED_BY", "UNMAPPED", "Charge", "Confidence", "Part", "charge_of"]


PRICED_BY: Final = (
    "occurred_at", "usage_provenance", "http_status", "error_code", "gateway_refused",
    "operation", "method", "deployment", "served_deployment", "backend_host", "model", "requested_model", "parameters",
    "cached", "spillover", "service_tier", "input_tokens", "cached_input_tokens", "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens", "audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens",
    "total_tokens", "images", "seconds", "characters", "web_searches",
    "file_searches", "code_sessions",
)  # fmt: skip
"""The fields of an interaction that its charge follows from."""
UNMAPPED: Final = "unmapped-deployment"
"""Nobody said what the deployment is: a finding."""
_SPILLED: Final = "spill-over"
"""Served by a standard deployment that nobody names: as if at the widest scope of its model."""

_MILLION: Final = Decimal(1_000_000)
_PLACES: Final = Decimal("1e-12")
_DIGITS: Final = 60

_NOT_PROCESSED: Final = frozenset({401, 403, 404, 405, 413, 415, 429})
"""Refused before the model: nothing is charged.

Source: https://learn.microsoft.com/azure/foundry/openai/how-to/manage-costs, "HTTP Error response code and billing
status": without processing there is no charge, as with 401 and 429.
"""
_TOO_LONG: Final = frozenset({"context_length_exceeded", "string_above_max_length"})
"""A 400 for too long an input is charged, and so is a 408. Source: as above."""
_READS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_NO_MODEL: Final = frozenset(
    {"assistants", "threads", "threads.messages", "files", "uploads", "models", "deployments", "conversations"}
)
"""Operations that keep or list things: no model runs."""
_TIERS: Final = {
    "priority": Tier.PRIORITY,
    "flex": Tier.FLEX,
    "batch": Tier.BATCH,
    "default": Tier.STANDARD,
    "standard": Tier.STANDARD,
}
"""The answer's `service_tier` decides, not the request's: a priority call that was downgraded is charged as standard.

Source: https://learn.microsoft.com/azure/foundry/openai/concepts/priority-processing
"""
_PARTS: Final = {Tier.FLEX: Decimal("0.5"), Tier.BATCH: Decimal("0.5")}
"""What a tier costs of the standard price, where the list has no price of its own.

Source: https://learn.microsoft.com/azure/foundry/openai/how-to/flex-processing and .../how-to/batch: 50% less.
"""
_BATCHES: Final = "batches"
_ROUTER: Final = "model-router"
"""Charges its fee on input tokens, beside the model that it chose.

Source: https://learn.microsoft.com/azure/foundry/openai/concepts/model-router-faq
"""
_SESSIONS: Final = "sessions-assumed"
"""A session of the code interpreter lasts an hour, in which other calls may go on in it: each that names it is charged.

Source: https://learn.microsoft.com/azure/foundry/openai/how-to/code-interpreter
"""
_STAND_INS: Final = {
    # Before gpt-5.6 writing to the cache costs nothing more than the input that is written.
    # Source: https://learn.microsoft.com/azure/foundry/openai/how-to/prompt-caching
    Unit.CACHE_WRITE: Unit.INPUT,
    # Models that see bill images as input tokens.
    # Source: https://learn.microsoft.com/azure/ai-services/openai/overview, "Image tokens"
    Unit.IMAGE_INPUT: Unit.INPUT,
}


class _Priced(NamedTuple):
    number: Decimal
    price: Decimal
    """Of 1,000,000."""
    entry: PriceEntry
    doubt: str | None

    @property
    def amount(self) -> Decimal:
        return self.number * self.price / _MILLION


_HALF_KNOWN: Final = Charge(Confidence.UNMETERED, "output-unknown")


def charge_of(
    call: Mapping[str, Any], book: Book, *, counts: bool, used: Mapping[tuple[str, str], int] | None = None
) -> Charge:
    """Return the charge of a call.

    Args:
        call: an interaction, at least `PRICED_BY`.
        book: prices and deployments.
        counts: whether its usage counts: what polls and caches repeat is billed with the call that is repeated.
        used: weighted tokens of all calls that share provisioned throughput, by its name and hour, as far as known.
    """
    if reason := _free(call, counts=counts):
        return Charge(Confidence.FREE, reason, Decimal(0))
    billed = quantities_of(call)
    held = book.holding(call["occurred_at"])
    if billed is None or not billed.lines or _is_half(call, billed):
        charge = _without_usage(call) if billed is None or not billed.lines else _HALF_KNOWN
        # What nothing is known of took its part of the throughput too.
        shared = throughput_of_call(call, held) if charge.confidence is Confidence.UNMETERED else None
        return replace(charge, capacity=shared.name) if shared else charge
    with localcontext(prec=_DIGITS):
        return _priced(call, billed, held, used or {})


def _free(call: Mapping[str, Any], *, counts: bool) -> str | None:
    if call.get("cached"):
        return "cached"
    if not counts:
        return "repeated"
    if call.get("gateway_refused") or call.get("http_status") in _NOT_PROCESSED:
        return "refused"
    return None


def _without_usage(call: Mapping[str, Any]) -> Charge:
    """Return the charge of a call of which nothing tells what it used.

    A 400 of the content filter is charged for prompt and completion, though it tells no usage; another 400 that says
    what is wrong with the request was not processed.

    Source: https://learn.microsoft.com/azure/foundry/openai/concepts/content-filter, and manage-costs as above.
    """
    code = call.get("error_code")
    if call.get("http_status") == 400 and code and not is_refusal(code) and code not in _TOO_LONG:
        return Charge(Confidence.FREE, "invalid", Decimal(0))
    succeeded = (call.get("http_status") or 500) < 400
    if succeeded and (call.get("method") in _READS or call.get("operation") in _NO_MODEL):
        return Charge(Confidence.FREE, "no-model", Decimal(0))
    return Charge(Confidence.UNMETERED, "no-usage")


def _is_half(call: Mapping[str, Any], billed: Quantities) -> bool:
    return billed.doubt == _HALF_KNOWN.reason and call.get("http_status") != 400


def _priced(call: Mapping[str, Any], billed: Quantities, book: Book, used: Mapping[tuple[str, str], int]) -> Charge:
    shared = throughput_of_call(call, book)
    if shared is not None:
        return shared_charge(call, billed, shared, used)
    at = call["occurred_at"]
    mapped = _mapped(call, book)
    model = _model(call, mapped, book)
    if model is None:
        return Charge(Confidence.NO_PRICE, "unknown-model" if call.get("model") or mapped else UNMAPPED)
    place = _place(call, mapped, book.scope_of(model.name, at))
    if place.scope is Scope.PROVISIONED:
        return Charge(Confidence.NO_PRICE, "provisioned")
    rates = _rates(book, model, place, at)
    own = [one for one in billed.lines if one.unit not in TOOL_MODELS]
    lines = [_line(one, billed.input_tokens, rates) for one in own]
    if _ROUTER in {mapped.model if mapped else None, call.get("requested_model")}:
        fee = Quantity(Unit.INPUT, Decimal(billed.input_tokens))
        router = _rates(book, Model(_ROUTER), Place(Scope.GLOBAL, Tier.STANDARD), at)
        lines.append(_line(fee, billed.input_tokens, router))
    tools = list(_tools(billed, book, place, at, {line.entry.currency for line in lines if line}))
    doubts = chain(
        _doubts(call, billed, mapped, rates), [TOOLS_EXTRA if len(own) + len(tools) < len(billed.lines) else None]
    )
    return _total(own, [*lines, *tools], doubts)


def _mapped(call: Mapping[str, Any], book: Book) -> Deployment | None:
    """Return what is known of the deployment that served; newer paths name it as the model."""
    if is_spilled(call):
        return None
    names = names_of(call)
    found = (book.deployment(name, call.get("backend_host"), call["occurred_at"]) for name in names if name)
    return next(filter(None, found), None)


def _model(call: Mapping[str, Any], mapped: Deployment | None, book: Book) -> Model | None:
    """Return the model that served: as the answer names it, else as the table of deployments says."""
    named = model_of(call.get("model"))
    if named is not None and book.knows(named.name, call["occurred_at"]):
        is_same = mapped is not None and mapped.model == named.name
        return named if named.version or mapped is None or not is_same else Model(named.name, mapped.version)
    if mapped is None or not mapped.model or mapped.model == _ROUTER:
        return None
    return Model(mapped.model, mapped.version)


def _place(call: Mapping[str, Any], mapped: Deployment | None, widest: Scope | None) -> Place:
    """Return where and how the call ran; where nobody says, the widest scope in which the model is offered.

    Data zones and regions have prices of their own.
    Source: https://learn.microsoft.com/azure/foundry/foundry-models/concepts/deployment-types
    """
    scope, tier = SKUS[mapped.sku] if mapped else (widest or Scope.GLOBAL, Tier.STANDARD)
    if call.get("operation") == _BATCHES:
        tier = Tier.BATCH
    elif tier is Tier.STANDARD:
        tier = _TIERS.get(call.get("service_tier") or "", Tier.STANDARD)
    return Place(scope, tier, mapped.region if mapped else "")


class _Tiers(NamedTuple):
    """The prices of the tier that served, and those of the standard tier."""

    own: Rates
    standard: Rates
    part: Decimal | None
    """Of the standard price, where the tier has none of its own."""


def _rates(book: Book, model: Model, place: Place, at: str) -> _Tiers:
    standard = book.rates(model, place._replace(tier=Tier.STANDARD), at)
    return _Tiers(book.rates(model, place, at), standard, _PARTS.get(place.tier))


def _line(one: Quantity, tokens: int, rates: _Tiers) -> _Priced | None:
    """Return what a line costs; None where the book has no price for it."""
    # Speech and images have one kind of output, and their answers do not say which.
    unit = rates.standard.only_output() if one.unit is Unit.OUTPUT else one.unit
    part, doubt = Decimal(1), None
    entry = _find(rates.own, unit, one.variant, tokens)
    usual = _find(rates.standard, unit, one.variant, tokens)
    if entry is None and unit is Unit.CACHED_INPUT:
        # No discount that we know of: the whole price.
        entry, doubt = _find(rates.own, Unit.INPUT, "", tokens), "no-cached-price"
    if entry is None and unit is Unit.SEARCH:
        entry = usual
    if entry is None and rates.part is not None:
        entry, part, doubt = usual, rates.part, "tier-derived"
    if entry is None and unit in _STAND_INS:
        entry, doubt = _find(rates.own, _STAND_INS[unit], "", tokens), None
    if entry is None:
        return None
    if usual is not None and usual.above_tokens > entry.above_tokens:
        doubt = doubt or "long-context"
    return _Priced(one.number, entry.amount * part, entry, doubt)


def _find(rates: Rates, unit: Unit, variant: str, tokens: int) -> PriceEntry | None:
    return rates.find(unit, variant, tokens) or (rates.find(unit, "", tokens) if variant else None)


def _tools(used: Quantities, book: Book, place: Place, at: str, currencies: Collection[str]) -> Iterator[_Priced]:
    """Yield what tools cost beside the model, as far as the book has a price for them in the call's currency."""
    where = Place(Scope.GLOBAL, Tier.STANDARD, place.region)
    for one in used.lines:
        if one.unit in TOOL_MODELS:
            entry = book.rates(Model(TOOL_MODELS[one.unit]), where, at).find(one.unit, "", 0)
            if entry is not None and (not currencies or entry.currency in currencies):
                yield _Priced(one.number, entry.amount, entry, _SESSIONS if one.unit is Unit.CODE_SESSION else None)


def _doubts(
    call: Mapping[str, Any], used: Quantities, mapped: Deployment | None, rates: _Tiers
) -> Iterator[str | None]:
    yield None if mapped else _SPILLED if is_spilled(call) else UNMAPPED
    yield "usage-estimated" if call.get("usage_provenance") == Provenance.ESTIMATED else None
    yield used.doubt
    yield "newest-version" if rates.own.is_newest_version else None
    yield "region-unknown" if rates.own.differs_by_region else None


def _total(used: list[Quantity], lines: list[_Priced | None], doubts: Iterable[str | None]) -> Charge:
    """Return the sum of the lines: of all of them, or of none."""
    priced = [line for line in lines if line is not None]
    if len(priced) < len(lines):
        lacking = [one.unit.value for one, line in zip(used, lines, strict=False) if line is None]
        return Charge(Confidence.NO_PRICE, f"no-{lacking[0] if lacking else _ROUTER}-price")
    if not priced:
        return Charge(Confidence.NO_PRICE, TOOLS_EXTRA)
    if len({line.entry.currency for line in priced}) > 1:
        return Charge(Confidence.NO_PRICE, "several-currencies")
    doubt = next(filter(None, chain(doubts, (line.doubt for line in priced))), None)
    amount = _rounded(sum((line.amount for line in priced), Decimal(0)))
    return Charge(
        Confidence.EXACT if doubt is None else Confidence.ESTIMATED,
        doubt,
        amount,
        priced[0].entry.currency,
        max(line.entry.book_version for line in priced),
        parts=_parts(priced, amount),
    )


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_PLACES, ROUND_HALF_EVEN)


def _parts(priced: list[_Priced], amount: Decimal) -> tuple[Part, ...]:
    """Return the parts of an amount; the last digits that rounding takes or gives go to the largest."""
    amounts = [_rounded(line.amount) for line in priced]
    amounts[amounts.index(max(amounts))] += amount - sum(amounts)
    return tuple(Part(line.entry, line.number, line.price, part) for line, part in zip(priced, amounts, strict=True))
