"""The shapes of answers -> the columns of tables: members of members have names with points between."""

from collections.abc import Collection, Iterator
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from shared.services.export_files import Column, ColumnKind

__all__ = ["columns_of"]

_KINDS: Final = {bool: ColumnKind.FLAG, int: ColumnKind.INTEGER, float: ColumnKind.NUMBER}
_TIMES: Final = frozenset({"at", "occurredAt", "intervalStart"})
_AMOUNT: Final = "amount"


def columns_of(model: type[BaseModel], *, optional: Collection[str] = ()) -> list[Column]:
    """Return the columns of a table whose rows are of `model`.

    Args:
        model: of an item of a list.
        optional: public names of those members that answers leave out unless asked, and that are asked for.
    """
    return [
        column
        for name, field in model.model_fields.items()
        if field.is_required() or (field.alias or name) in optional
        for column in _columns((field.alias or name,), field.annotation)
    ]


def _columns(path: tuple[str, ...], annotation: Any) -> Iterator[Column]:  # noqa: ANN401  # whatever annotates a member
    kinds = get_args(annotation) if get_origin(annotation) in {UnionType, Union} else (annotation,)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                yield from _columns((*path, field.alias or name), field.annotation)
            return
    yield Column(path, _kind_of(path[-1], kinds))


def _kind_of(name: str, kinds: Collection[Any]) -> ColumnKind:
    if name in _TIMES:
        return ColumnKind.TIME
    if name == _AMOUNT:
        return ColumnKind.AMOUNT
    return next((_KINDS[kind] for kind in kinds if kind in _KINDS), ColumnKind.TEXT)
