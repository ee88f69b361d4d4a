"""What the content filter says of prompts and completions: safe, nearly always."""

from typing import Any, Final

from localhost.traffic.dice import Dice

__all__ = ["of_a_completion", "of_a_prompt", "that_refuse"]

_SAFE: Final[dict[str, Any]] = {
    name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")
}
_HARMS: Final = tuple(_SAFE)


def of_a_prompt(dice: Dice) -> dict[str, Any]:
    """Return the annotations of a prompt that was let pass, though something may have been found in it."""
    results = _SAFE | {"jailbreak": {"filtered": False, "detected": False}}
    fraction = dice.fraction()
    if fraction < 0.02:
        return results | {dice.pick(_HARMS): {"filtered": False, "severity": dice.pick(("low", "medium"))}}
    if fraction < 0.025:
        return results | {"jailbreak": {"filtered": False, "detected": True}}
    if fraction < 0.028:
        return results | {"indirect_attack": {"filtered": False, "detected": True}}
    if fraction < 0.031:
        return results | {"profanity": {"filtered": False, "detected": True}}
    return results


def of_a_completion(dice: Dice) -> dict[str, Any]:
    """Return the annotations of a completion; when one of them is `filtered`, it was cut there."""
    fraction = dice.fraction()
    if fraction < 0.01:
        return _SAFE | {dice.pick(_HARMS): {"filtered": False, "severity": "low"}}
    if fraction < 0.013:
        return _SAFE | {dice.pick(_HARMS): {"filtered": True, "severity": dice.pick(("medium", "high"))}}
    if fraction < 0.016:
        return _SAFE | {"protected_material_text": {"filtered": False, "detected": True}}
    if fraction < 0.019:
        citation = {"URL": "https://github.com/example/sorting", "license": "MIT"}
        return _SAFE | {"protected_material_code": {"filtered": False, "detected": True, "citation": citation}}
    return _SAFE


def that_refuse(dice: Dice) -> dict[str, Any]:
    """Return the annotations of a prompt that was refused, blocklists in both of their shapes."""
    fraction = dice.fraction()
    if fraction < 0.6:
        return _SAFE | {dice.pick(_HARMS): {"filtered": True, "severity": dice.pick(("medium", "high"))}}
    if fraction < 0.8:
        return _SAFE | {"jailbreak": {"filtered": True, "detected": True}}
    if fraction < 0.9:
        return _SAFE | {"custom_blocklists": [{"filtered": True, "id": "product-names"}]}
    details = [{"filtered": True, "id": "product-names"}]
    return _SAFE | {"custom_blocklists": {"filtered": True, "details": details}}
