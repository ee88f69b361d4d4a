"""Operation ids and display names -> the operation that they mean.

`operation_names.tsv` has every id and display name of the published specifications of Azure OpenAI,
Azure AI and OpenAI that name an operation. API Management writes ids anew when it imports them
(lower case, dashes, 76 characters, a suffix for the second of a name), and people write their own:
case and punctuation say nothing, a cut name means what it is the beginning of. What none of this
tells is unknown, and leaves a trace.

Source: event formats, section 2.5 and appendix.
"""

import re
from bisect import bisect_left
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from shared.domain.interaction import Facts
from shared.domain.unknown_words import note
from shared.domain.values import Json
from shared.operations.targets import target_of

__all__ = ["note_unknown_operation", "operation_of_id", "published_names"]

_FILE: Final = "operation_names.tsv"
"""Part of the code: lines of operation and name, by a tab; `other` for what has no family here."""
_OTHER: Final = "other"
_LENGTH: Final = 80
"""Letters and digits of a name that count: no two names of different operations begin alike for so long."""
_CUT: Final = 24
"""A name no shorter than this may be cut; a shorter one must be complete."""
_READ: Final = 256
_CACHED: Final = 1024
_SUFFIX: Final = re.compile(r"[-_ ](?=[0-9a-z]*[0-9])[0-9a-z]{1,32}$")

# Nouns that are a name once its verb is off: "Responses_Create", "post-embeddings".
_VERBS: Final = (
    "cancel create delete generate get list modify patch post retrieve search submit update upload"
).split()
_NOUNS: Final = {
    "chatcompletion": "chat.completions",
    "completion": "completions",
    "embedding": "embeddings",
    "response": "responses",
    "imagegeneration": "images.generations",
    "imageedit": "images.edits",
    "imagevariation": "images.variations",
    "transcription": "audio.transcriptions",
    "audiotranscription": "audio.transcriptions",
    "translation": "audio.translations",
    "audiotranslation": "audio.translations",
    "speech": "audio.speech",
    "audiospeech": "audio.speech",
    "assistant": "assistants",
    "thread": "threads",
    "message": "threads.messages",
    "threadmessage": "threads.messages",
    "run": "threads.runs",
    "threadrun": "threads.runs",
    "runstep": "threads.runs.steps",
    "file": "files",
    "upload": "uploads",
    "vectorstore": "vector_stores",
    "finetuningjob": "fine_tuning.jobs",
    "batch": "batches",
    "model": "models",
    "deployment": "deployments",
    "container": "containers",
    "eval": "evals",
    "conversation": "conversations",
    "moderation": "moderations",
    "realtime": "realtime",
    "realtimesession": "realtime",
}
_METHODS: Final = frozenset({"delete", "get", "patch", "post", "put"})
_PARTED: Final = re.compile(r"[-_/ ]+")
_PATH_WORDS: Final = frozenset(
    "api assistant assistants audio batch batches cancel chat completions container containers content "
    "conversation conversations deployment deployments edits embeddings eval evals file files fine generations id "
    "images input items job jobs message messages model models openai realtime response responses run runs "
    "session sessions speech step steps store stores submit thread threads tool outputs transcriptions "
    "translations tuning upload uploads v1 variations vector version".split()
)
# What a name of anybody's making means wherever it stands in it; the first that occurs tells.
_WORDS: Final = (
    ("chatcompletion", "chat.completions"),
    ("chatconversation", "chat.completions"),
    ("embedding", "embeddings"),
    ("imageedit", "images.edits"),
    ("imagesedit", "images.edits"),
    ("imagevariation", "images.variations"),
    ("imagesvariation", "images.variations"),
    ("imagegeneration", "images.generations"),
    ("imagesgeneration", "images.generations"),
    ("realtime", "realtime"),
    ("englishlanguagetranscribed", "audio.translations"),
    ("audiotranslation", "audio.translations"),
    ("audiotranscription", "audio.transcriptions"),
    ("audiospeech", "audio.speech"),
    ("vectorstore", "vector_stores"),
    ("finetuning", "fine_tuning.jobs"),
)


class _Read(NamedTuple):
    operation: str | None
    known: bool


def operation_of_id(name: Json) -> str | None:
    """Return the operation that an operation id, or a display name, of whatever spelling means."""
    return _read(name[:_READ]).operation if isinstance(name, str) else None


def note_unknown_operation(facts: Facts, *names: Json) -> None:
    """Leave a trace in `facts` of the ids and names, all of which should tell the operation, that are unknown."""
    given = [name for name in names if isinstance(name, str) and name.strip()]
    if given and not any(_read(name[:_READ]).known for name in given):
        note(facts, "operation", given[:1])


def published_names() -> list[tuple[str, str]]:
    """Return the table: operation and name."""
    lines = files(__package__).joinpath(_FILE).read_text(encoding="utf-8").splitlines()[1:]
    return [(operation, name) for operation, _, name in (line.partition("\t") for line in lines)]


@lru_cache(maxsize=_CACHED)
def _read(name: str) -> _Read:
    lowered = name.strip().lower()
    for written in dict.fromkeys((lowered, _SUFFIX.sub("", lowered))):
        operation = _published_operation(_letters(written)) or _of_noun(_letters(written)) or _of_path(written)
        if operation is not None:
            return _Read(None if operation == _OTHER else operation, known=True)
    operation = _of_words(_letters(lowered))
    return _Read(operation, known=operation is not None)


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum())


@cache
def _table() -> tuple[dict[str, str], list[str]]:
    operations = {_letters(name.lower())[:_LENGTH]: operation for operation, name in published_names()}
    return operations, sorted(operations)


def _published_operation(letters: str) -> str | None:
    """Return the operation of a published name, or of those that a cut name is the beginning of, if it is one."""
    operations, names = _table()
    letters = letters[:_LENGTH]
    operation = operations.get(letters)
    if operation is not None or len(letters) < _CUT:
        return operation
    place = bisect_left(names, letters)
    meant = set()
    while place < len(names) and names[place].startswith(letters):
        meant.add(operations[names[place]])
        place += 1
    return meant.pop() if len(meant) == 1 else None


def _of_noun(letters: str) -> str | None:
    for verb in _VERBS:
        for noun in (letters.removeprefix(verb), letters.removesuffix(verb)):
            if noun != letters and (operation := _noun(noun)) is not None:
                return operation
    return _noun(letters)


def _noun(letters: str) -> str | None:
    for ending in ("", "s", "es"):
        if letters.endswith(ending) and (operation := _NOUNS.get(letters[: len(letters) - len(ending)])) is not None:
            return operation
    return None


def _of_path(written: str) -> str | None:
    """Return the operation of an id made of a method and a path: `post-deployments-deployment-id-embeddings`."""
    method, *words = _PARTED.split(written)
    if method not in _METHODS or not words or not _PATH_WORDS.issuperset(words):
        return None
    path = "/".join(words).replace("vector/stores", "vector_stores").replace("fine/tuning", "fine_tuning")
    return target_of(f"/{path}").operation


def _of_words(letters: str) -> str | None:
    return next((operation for word, operation in _WORDS if word in letters), None)
