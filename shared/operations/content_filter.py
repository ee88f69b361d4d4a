"""Annotations of the content filter, and moderations -> who was filtered, by which category, how severely."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import orjson

from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical
from shared.domain.verdicts import HARMS, SIDES, VERDICTS

__all__ = [
    "add_new",
    "add_results",
    "error_filter_results",
    "filter_facts",
    "filter_results",
    "judge",
    "moderation_results",
    "prompt_annotations",
]

Categories = dict[str, dict[str, Json]]

_SEVERITIES: Final = {"safe": 0, "low": 1, "medium": 2, "high": 3}
_CATEGORY_LENGTH: Final = 64
_FEW: Final = 64
"""More entries than this are not searched for repeats."""
_FAILURE: Final = "error"
"""Among the results: why the filter did not run."""
_OF_EACH_SIDE: Final = {one.member for one in VERDICTS if one.side == "prompt"} & {
    one.member for one in VERDICTS if one.side == "completion"
}
"""What has a field for each side; the others have one, wherever they stand."""


def filter_results(annotated: Json) -> Json:
    """Return the results that an annotated prompt, choice or inner error carries, if any."""
    if not isinstance(annotated, dict):
        return None
    # Errors say it in the singular; the specification writes the plural there too.
    results = annotated.get("content_filter_results") or annotated.get("content_filter_result")
    failure = annotated.get("content_filter_error")
    if not failure:
        return results
    return {**(results if isinstance(results, dict) else {}), _FAILURE: failure}


def prompt_annotations(body: Mapping[str, Json]) -> Iterable[Json]:
    """Yield the filter results of each prompt: an array of them, one object (images) or null."""
    annotations = body.get("prompt_filter_results") or body.get("prompt_annotations")
    if isinstance(annotations, dict):
        # An image's annotations are the results themselves.
        yield filter_results(annotations) or annotations
    elif isinstance(annotations, list):
        for annotation in annotations:
            yield filter_results(annotation) or _failure(annotation)


def _failure(annotated: Json) -> Json:
    """Return the failure that stands beside the results, where there are none."""
    failure = annotated.get(_FAILURE) if isinstance(annotated, dict) else None
    return {_FAILURE: failure} if failure else None


def judge(filters: Json, sides: Mapping[str, list[Json]]) -> set[str]:
    """Add to `sides` the results in the `content_filters` of the Responses API, in answers and errors.

    Returns:
        The sides that were blocked.
    """
    blocked: set[str] = set()
    for entry in filters if isinstance(filters, list) else ():
        side = entry.get("source_type") if isinstance(entry, dict) else None
        if isinstance(side, str) and side in sides:
            sides[side] += [filter_results(entry), _failure(entry)]
            if entry.get("blocked") is True:
                blocked.add(side)
    return blocked


def moderation_results(moderation: Json) -> Iterator[Json]:
    """Yield what each result of a moderation found, or the one that it is, as the content filter would write it."""
    results = moderation.get("results") if isinstance(moderation, dict) else None
    yield from map(_categories_of, results if isinstance(results, list) else [moderation])


def _categories_of(result: Json) -> Json:
    categories = result.get("categories") if isinstance(result, dict) else None
    if not isinstance(categories, dict):
        return None
    return {name: {"detected": True} for name, found in categories.items() if found is True}


def error_filter_results(error: Mapping[str, Json]) -> Json:
    """Return the results inside the error that the filter refused a prompt with."""
    for inner in (error.get("innererror"), error.get("inner_error"), error):
        results = filter_results(inner)
        if results:
            return results
    return None


def filter_facts(prompt: Iterable[Json], completion: Iterable[Json]) -> Facts:
    """Return the filter's facts from the results of all prompts and of all choices.

    Any `filtered: true` and the highest severity win. Without annotations nothing is stated: a call
    that no filter looked at is not one that it let pass. Where an `error` stands among the results, the
    filter did not run, or not for all.

    Source: event formats, section 7.2.
    """
    sides = [list(filter(None, prompt)), list(filter(None, completion))]
    # Nearly every call is found safe in the same words.
    return dict(_facts_of(orjson.dumps(sides))) if any(sides) else {}


@lru_cache(maxsize=1024)
def _facts_of(sides: bytes) -> Facts:
    facts: Facts = {}
    categories: dict[str, Categories] = {}
    for side, results in zip(SIDES, orjson.loads(sides), strict=True):
        merged: Categories = {}
        for result in results:
            _merge(merged, result)
            if isinstance(result, dict) and result.get(_FAILURE):
                facts["filter_failed"] = True
        verdicts = [category["filtered"] for category in merged.values() if "filtered" in category]
        if verdicts:
            facts[f"{side}_filtered"] = any(verdicts)
        if merged:
            categories[side] = merged
    if categories:
        facts["filter_categories"] = canonical(categories)
    facts |= _verdicts(categories)
    return facts


def _verdicts(categories: Mapping[str, Categories]) -> Facts:
    """Return the fields of what was found, in the words of `shared.domain.verdicts`."""
    verdicts: Facts = {}
    for field, side, _, member in VERDICTS:
        found: Categories = {}
        for own in (side,) if member in _OF_EACH_SIDE else SIDES:
            _merge_category(found, member, categories.get(own, {}).get(member))
        text = _verdict(member, found.get(member, {}))
        if text:
            verdicts[field] = text
    return verdicts


def _verdict(member: str, category: Mapping[str, Json]) -> str:
    if member in HARMS:
        # What a moderation, which has the same names, only detects is no finding of the filter.
        found = category.get("severity", "").removeprefix("safe")
    else:
        found = "detected" if category.get("detected") else ""
    return f"{found} filtered".strip() if category.get("filtered") else found


def _merge(categories: Categories, results: Json) -> None:
    if not isinstance(results, dict):
        return
    for name, result in results.items():
        if len(name) > _CATEGORY_LENGTH or name == _FAILURE:
            continue
        if isinstance(result, list):  # custom blocklists, older shape: one object per list that matched
            for entry in result:
                _merge_category(categories, name, entry)
        else:
            _merge_category(categories, name, result)


def _merge_category(categories: Categories, name: str, result: Json) -> None:
    if not isinstance(result, dict):
        return
    given: dict[str, Json] = {key: result[key] for key in ("filtered", "detected") if isinstance(result.get(key), bool)}
    severity = result.get("severity")
    if isinstance(severity, str) and severity in _SEVERITIES:
        given["severity"] = severity
    if not given:
        return
    known = categories.setdefault(name, given)
    if known is given:
        return
    for key in ("filtered", "detected"):
        if key in given:
            known[key] = known.get(key, False) or given[key]
    if "severity" in given:
        known["severity"] = max(known.get("severity", "safe"), given["severity"], key=_SEVERITIES.__getitem__)


def add_results(merged: dict[str, Json], results: Json) -> None:
    """Add the results of one more chunk to those of an answer: any `true` wins, and the highest severity.

    Source: event formats, sections 7.2 and 9.2.
    """
    if not isinstance(results, dict):
        return
    for name, result in results.items():
        known = merged.get(name)
        if isinstance(known, dict) and isinstance(result, dict):
            _add_category(known, result)
        elif isinstance(known, list) and isinstance(result, list):
            add_new(known, result)
        elif not known:
            merged[name] = result.copy() if isinstance(result, dict | list) else result


def add_new(known: list[Json], entries: list[Json]) -> None:
    """Add the entries that `known` does not have."""
    for entry in entries:
        if len(known) > _FEW or entry not in known:
            known.append(entry)


def _add_category(known: dict[str, Json], result: Mapping[str, Json]) -> None:
    for key, value in result.items():
        before = known.get(key)
        if before is None or value is True:
            known[key] = value
        elif key == "severity" and all(isinstance(word, str) and word in _SEVERITIES for word in (before, value)):
            known[key] = max(before, value, key=_SEVERITIES.__getitem__)
