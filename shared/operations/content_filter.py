"""Annotations of the content filter -> who was filtered, by which category, how severely."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import orjson

from shared.domain.interaction import Facts
from shared.domain.values import Json, canonical
from shared.domain.verdicts import HARMS, SIDES, VERDICTS

__all__ = ["error_filter_results", "filter_facts", "filter_results", "judge", "prompt_annotations"]

Categories = dict[str, dict[str, Json]]

_SEVERITIES: Final = {"safe": 0, "low": 1, "medium": 2, "high": 3}
_CATEGORY_LENGTH: Final = 64
_FAILURE: Final = "error"
"""Among the results: why the filter did not run."""
_OF_EACH_SIDE: Final = {one.member for one in VERDICTS if one.side == "prompt"} & {
    one.member for one in VERDICTS if one.side == "completion"
}
"""What has a field for each side; the others have one, wherever they are told."""


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


def judge(told: Json, sides: Mapping[str, list[Json]]) -> set[str]:
    """Add to `sides` the results in the `content_filters` of the Responses API, in answers and errors.

    Returns:
        The sides that were blocked.
    """
    blocked: set[str] = set()
    for entry in told if isinstance(told, list) else ():
        side = entry.get("source_type") if isinstance(entry, dict) else None
        if isinstance(side, str) and side in sides:
            sides[side] += [filter_results(entry), _failure(entry)]
            if entry.get("blocked") is True:
                blocked.add(side)
    return blocked


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
    told = [list(filter(None, prompt)), list(filter(None, completion))]
    # Nearly every call is found safe in the same words.
    return dict(_facts_of(orjson.dumps(told))) if told[0] or told[1] else {}


@lru_cache(maxsize=1024)
def _facts_of(told: bytes) -> Facts:
    facts: Facts = {}
    categories: dict[str, Categories] = {}
    for side, results in zip(SIDES, orjson.loads(told), strict=True):
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


def _verdict(member: str, told: Mapping[str, Json]) -> str:
    if member in HARMS:
        # What a moderation, which has the same names, only detects is no finding of the filter.
        found = told.get("severity", "").removeprefix("safe")
    else:
        found = "detected" if told.get("detected") else ""
    return f"{found} filtered".strip() if told.get("filtered") else found


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
    told: dict[str, Json] = {key: result[key] for key in ("filtered", "detected") if isinstance(result.get(key), bool)}
    severity = result.get("severity")
    if isinstance(severity, str) and severity in _SEVERITIES:
        told["severity"] = severity
    if not told:
        return
    known = categories.setdefault(name, told)
    if known is told:
        return
    for key in ("filtered", "detected"):
        if key in told:
            known[key] = known.get(key, False) or told[key]
    if "severity" in told:
        known["severity"] = max(known.get("severity", "safe"), told["severity"], key=_SEVERITIES.__getitem__)
