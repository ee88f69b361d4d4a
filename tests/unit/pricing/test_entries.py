"""Files of prices and deployments: what they may say, and how they are refused."""

import csv
import io
from decimal import Decimal

import pytest

from shared.domain.values import NO_TIME
from shared.errors import InvalidFileError
from shared.pricing.entries import PriceEntry, Unit
from shared.pricing.files import Origin, PriceFile, read_file, shipped_text

PRICE = {
    "model": "gpt-4o", "version": "2024-11-20", "scope": "global", "tier": "standard", "region": "", "unit": "input",
    "variant": "", "above_tokens": "", "amount": "2.50", "currency": "USD", "valid_from": "2026-01-01", "valid_to": "",
    "source": "a contract", "dated": "2026-01-02",
}  # fmt: skip
DEPLOYMENT = {
    "name": "chat", "host": "AOAI.example.org", "model": "gpt-4o", "version": "", "sku": "GlobalStandard",
    "region": "", "valid_from": "", "valid_to": "2026-02-01",
}  # fmt: skip


def written(*lines: dict[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, lines[0])
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def read(*lines: dict[str, str]) -> PriceFile:
    return read_file(Origin.OWN if "unit" in lines[0] else Origin.DEPLOYMENTS, written(*lines))


def test_a_price_is_read_as_it_stands() -> None:
    (price,) = read(PRICE).entries

    assert isinstance(price, PriceEntry)
    assert (price.amount, price.unit, price.above_tokens, price.is_own) == (Decimal("2.50"), Unit.INPUT, 0, True)
    assert (price.valid_from, price.valid_to) == ("2026-01-01T00:00:00.000Z", None)


def test_a_deployment_is_read_as_it_stands() -> None:
    (one,) = read(DEPLOYMENT).entries

    assert (one.key, one.valid_to) == (("aoai.example.org", "chat", NO_TIME), "2026-02-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("line", "column", "value", "what"),
    [
        (PRICE, "model", "", "must not be empty"),
        (PRICE, "model", " gpt-4o", "no blank at its ends"),
        (PRICE, "model", "x" * 129, "128 characters"),
        (PRICE, "version", "x" * 33, "32 characters"),
        (PRICE, "scope", "Global", "must be one of global, data-zone"),
        (PRICE, "tier", "cheap", "must be one of standard, batch"),
        (PRICE, "unit", "tokens", "must be one of input"),
        (PRICE, "above_tokens", "-1", "whole number"),
        (PRICE, "above_tokens", "\N{ARABIC-INDIC DIGIT TWO}", "whole number"),
        (PRICE, "amount", "", "decimal number"),
        (PRICE, "amount", "-1", "decimal number"),
        (PRICE, "amount", "1e3", "decimal number"),
        (PRICE, "amount", "NaN", "decimal number"),
        (PRICE, "amount", "0.1234567890123", "decimal number"),
        (PRICE, "currency", "usd", "three capital letters"),
        (PRICE, "valid_from", "01.02.2026", "a day such as"),
        (PRICE, "valid_to", "2026-01-01", "later than valid_from"),
        (PRICE, "source", "", "must not be empty"),
        (PRICE, "dated", "", "must not be empty"),
        (DEPLOYMENT, "name", "", "must not be empty"),
        (DEPLOYMENT, "sku", "Globalstandard", "must be one of GlobalStandard"),
    ],
)
def test_a_wrong_value_is_refused_by_line_and_column(line: dict[str, str], column: str, value: str, what: str) -> None:
    with pytest.raises(InvalidFileError, match=rf"^line 3, {column}: .*{what}"):
        read(line, line | {column: value})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "line 1: the columns must be model,version"),
        ("model,amount\ngpt-4o,1\n", "line 1: the columns must be"),
        (written(PRICE) + "gpt-4o,1\n", "line 3: 14 values are needed"),
        (written(PRICE) + '"gpt-4o', "line 3"),
        (written(PRICE, PRICE), "line 3, model: the same entry stands there twice"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, what: str) -> None:
    with pytest.raises(InvalidFileError, match=what):
        read_file(Origin.OWN, text)


def test_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    assert len(read_file(Origin.OWN, "\ufeff" + written(PRICE) + "\r\n").entries) == 1


SHIPPED = [one for one in read_file(Origin.LIST, shipped_text()).entries if isinstance(one, PriceEntry)]


@pytest.mark.parametrize(
    "model",
    "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini gpt-4.1-nano o1 o3 o3-mini o3-pro o4-mini gpt-5 gpt-5-mini gpt-5-nano"
    " gpt-5.1 gpt-5.2 gpt-5.4 gpt-5.5 gpt-5.6-sol gpt-6-sol gpt-6.1-sol".split(),
)
def test_the_shipped_list_prices_input_and_output_of_each_model(model: str) -> None:
    units = {one.unit for one in SHIPPED if one.model == model}

    assert units >= {Unit.INPUT, Unit.OUTPUT}


def test_the_shipped_list_has_every_unit_and_a_source_of_each_entry() -> None:
    # Of a search in files no source has Azure's price: docs/cost.md says so.
    assert {one.unit for one in SHIPPED} == set(Unit) - {Unit.FILE_SEARCH}
    assert {one.source.split(":")[0] for one in SHIPPED} == {"Azure Retail Prices", "litellm 1.110.2"}
    assert all(one.amount > 0 for one in SHIPPED)


def test_cached_input_costs_no_more_than_input_and_a_batch_no_more_than_standard() -> None:
    listed = {one.key: one.amount for one in SHIPPED}
    dearer = []
    for one in SHIPPED:
        own = one.key
        input_, standard = list(own), list(own)
        input_[own.index(one.unit)], standard[own.index(one.tier)] = Unit.INPUT, "standard"
        if one.unit is Unit.CACHED_INPUT and one.amount > listed.get(tuple(input_), one.amount):
            dearer.append(own)
        if one.tier == "batch" and one.amount > listed.get(tuple(standard), one.amount):
            dearer.append(own)

    assert dearer == []
