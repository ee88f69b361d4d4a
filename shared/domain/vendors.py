"""Whose model answered: by its name, and by the API where only one vendor has it."""

from functools import lru_cache
from typing import Final

__all__ = ["VENDORS", "vendor_of"]

_BY_NAME: Final = (
    ("anthropic", ("claude", "anthropic.")),
    (
        "google",
        ("gemini", "gemma", "imagen", "veo-", "google.", "google/", "text-embedding-004", "text-multilingual-emb"),
    ),
    ("amazon", ("amazon.", "nova-", "titan-")),
    (
        "mistral",
        ("mistral", "ministral", "mixtral", "codestral", "pixtral", "magistral", "devstral", "voxtral"),
    ),
    ("deepseek", ("deepseek",)),
    ("xai", ("grok", "xai.")),
    ("cohere", ("cohere", "command-", "embed-v", "embed-english", "embed-multilingual", "rerank-", "c4ai-")),
    ("meta", ("llama", "meta.", "meta-")),
    (
        "openai",
        (
            "gpt", "chatgpt", "o1", "o3", "o4", "openai", "text-embedding-", "text-davinci", "text-moderation",
            "omni-moderation", "davinci", "babbage", "curie", "ada", "dall-e", "whisper", "tts", "sora", "codex",
            "computer-use", "model-router",
        ),
    ),
)  # fmt: skip
"""Vendor -> how the names of its models begin, behind a region and a vendor's own prefix."""
_BY_OPERATION: Final = {"messages": "anthropic", "generateContent": "google"}
_REGIONS: Final = ("us.", "eu.", "apac.", "global.", "us-gov.", "jp.", "au.", "ca.")
VENDORS: Final = (*(vendor for vendor, _ in _BY_NAME), "other")


@lru_cache(maxsize=1024)
def vendor_of(model: str | None, operation: str | None) -> str | None:
    """Return the vendor of a model, `other` for a name that none of them has; None where no name is known."""
    name = (model or "").lower()
    # Behind the path of a resource stands the name: of an ARN, of a registry, of Vertex.
    for written in (name, name.rpartition("/")[2]):
        bare = written.removeprefix("ft:")
        for region in _REGIONS:
            bare = bare.removeprefix(region)
        for vendor, beginnings in _BY_NAME:
            if bare.startswith(beginnings):
                return vendor
    return _BY_OPERATION.get(operation or "") or ("other" if name else None)
