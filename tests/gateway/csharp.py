"""C# expressions of policies: found, parsed by tree-sitter, and evaluated.

The evaluator knows what docs/capture.md lists and nothing else: any other node, type or member is an error, so
that a policy cannot come to use what no test ever ran.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

import tree_sitter_c_sharp
from tree_sitter import Language, Node, Parser

from tests.gateway import dotnet
from tests.gateway.dotnet import CSharpError
from tests.gateway.newtonsoft import JArray, JObject, JToken

__all__ = ["Evaluator", "Expression", "expression", "expressions", "named_nodes"]

_PARSER = Parser(Language(tree_sitter_c_sharp.language()))
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True)
class Expression:
    """One `@(...)` or `@{...}`."""

    text: str
    body: Node = field(compare=False)
    """The block of the method that it was wrapped in."""
    errors: tuple[str, ...] = ()


@cache
def expression(text: str) -> Expression | None:
    """Return the expression that `text`, an attribute or a node's text, is; None for a literal."""
    inner = text.strip()
    if inner.startswith("@(") and inner.endswith(")"):
        code = f"{{ return {inner[2:-1]}; }}"
    elif inner.startswith("@{") and inner.endswith("}"):
        code = inner[1:]
    else:
        return None
    tree = _PARSER.parse(f"class Policy {{ object Run() {code} }}".encode())
    (body,) = [node for node in _walk(tree.root_node) if node.type == "method_declaration"][:1] or [tree.root_node]
    errors = tuple(_shown(node) for node in _walk(tree.root_node) if node.is_error)
    if tree.root_node.has_error and not errors:
        errors = ("a token is missing",)
    block = body.child_by_field_name("body") or body
    return Expression(inner, block, errors)


def expressions(root: Element) -> Iterator[tuple[str, Expression]]:
    """Yield every expression below `root` with the policy that holds it."""
    for element in root.iter():
        for text in (*element.attrib.values(), element.text or ""):
            found = expression(text)
            if found is not None:
                yield element.tag, found


def named_nodes(node: Node) -> Iterator[Node]:
    return (found for found in _walk(node) if found.is_named)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _shown(node: Node) -> str:
    return f"{node.type} at {node.start_point}: {_text(node)[:80]}"


def _text(node: Node) -> str:
    return re.sub(r"\s+", " ", (node.text or b"").decode())


class _Returned(Exception):  # noqa: N818 - a value on its way out, no error
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


@dataclass(frozen=True)
class _Static:
    members: Mapping[str, Any]
    name: str


class Evaluator:
    """Evaluates expressions against a context and remembers which nodes it came past."""

    def __init__(self, context: Any, now: Callable[[], Any], seen: set[tuple[str, int, int, str]]) -> None:
        self._context = context
        self._statics = {**dotnet.STATIC_MEMBERS, "DateTime": {"UtcNow": now}}
        self._seen = seen
        self._text = ""

    def run(self, found: Expression) -> Any:
        """Return the value of an expression.

        Raises:
            CSharpError: what .NET would throw.
        """
        self._text = found.text
        try:
            self._execute(found.body, {"context": self._context})
        except _Returned as returned:
            return returned.value
        raise CSharpError("not all code paths return a value")

    # Statements

    def _execute(self, node: Node, scope: dict[str, Any]) -> None:
        self._note(node)
        getattr(self, f"_do_{node.type}")(node, scope)

    def _do_block(self, node: Node, scope: dict[str, Any]) -> None:
        for child in node.named_children:
            self._execute(child, scope)

    def _do_return_statement(self, node: Node, scope: dict[str, Any]) -> None:
        raise _Returned(self._value(node.named_children[0], scope))

    def _do_expression_statement(self, node: Node, scope: dict[str, Any]) -> None:
        self._value(node.named_children[0], scope)

    def _do_local_declaration_statement(self, node: Node, scope: dict[str, Any]) -> None:
        for declarator in node.named_children[0].named_children[1:]:
            name, *value = declarator.named_children
            assert _text(name) not in scope, f"{_text(name)} is declared twice"
            scope[_text(name)] = self._value(value[0], scope) if value else None

    def _do_if_statement(self, node: Node, scope: dict[str, Any]) -> None:
        chosen = "consequence" if self._value(_part(node, "condition"), scope) else "alternative"
        branch = node.child_by_field_name(chosen)
        if branch is not None:
            self._execute(branch, _Scope(scope))

    def _do_try_statement(self, node: Node, scope: dict[str, Any]) -> None:
        body, clause = node.named_children
        assert clause.type == "catch_clause", clause.type
        try:
            self._execute(body, _Scope(scope))
        except CSharpError:
            self._execute(clause.named_children[-1], _Scope(scope))

    def _do_foreach_statement(self, node: Node, scope: dict[str, Any]) -> None:
        name = _text(_part(node, "left"))
        for item in dotnet.iterated(self._value(_part(node, "right"), scope)):
            inner = _Scope(scope)
            inner[name] = item
            self._execute(_part(node, "body"), inner)

    # Expressions

    def _value(self, node: Node, scope: dict[str, Any]) -> Any:
        self._note(node)
        static = self._static(node, scope)
        return static if static is not None else getattr(self, f"_of_{node.type}")(node, scope)

    def _static(self, node: Node, scope: dict[str, Any]) -> _Static | None:
        name = _text(node)
        if name in scope or name not in self._statics:
            return None
        return _Static(self._statics[name], name)

    def _of_identifier(self, node: Node, scope: dict[str, Any]) -> Any:
        name = _text(node)
        if name not in scope:
            raise CSharpError(f"the name {name} does not exist")
        return scope[name]

    def _of_string_literal(self, node: Node, _: dict[str, Any]) -> str:
        return "".join(
            _ESCAPES[_text(part)] if part.type == "escape_sequence" else (part.text or b"").decode()
            for part in node.named_children
        )

    def _of_character_literal(self, node: Node, _: dict[str, Any]) -> str:
        return _text(node)[1:-1]

    def _of_integer_literal(self, node: Node, _: dict[str, Any]) -> int:
        return int(_text(node))

    def _of_real_literal(self, node: Node, _: dict[str, Any]) -> float:
        return float(_text(node))

    def _of_null_literal(self, _: Node, __: dict[str, Any]) -> None:
        return None

    def _of_boolean_literal(self, node: Node, _: dict[str, Any]) -> bool:
        return _text(node) == "true"

    def _of_parenthesized_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        return self._value(node.named_children[0], scope)

    def _of_prefix_unary_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        value = self._value(node.named_children[0], scope)
        return not value if _text(node).startswith("!") else -value

    def _of_conditional_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        chosen = "consequence" if self._value(_part(node, "condition"), scope) else "alternative"
        return self._value(_part(node, chosen), scope)

    def _of_binary_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        operator = _text(_part(node, "operator"))
        left = self._value(_part(node, "left"), scope)
        if operator == "&&":
            return left and self._value(_part(node, "right"), scope)
        if operator == "||":
            return left or self._value(_part(node, "right"), scope)
        if operator == "??":
            return self._value(_part(node, "right"), scope) if left is None else left
        return _OPERATORS[operator](left, self._value(_part(node, "right"), scope))

    def _of_cast_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        return dotnet.cast(_text(_part(node, "type")), self._value(_part(node, "value"), scope))

    def _of_assignment_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        target, value = _part(node, "left"), self._value(_part(node, "right"), scope)
        self._note(target)
        if target.type == "identifier":
            assert _text(target) in scope
            _assign(scope, _text(target), value)
        elif target.type == "element_access_expression":
            owner, name = self._element(target, scope)
            owner.set(name, value)
        else:
            assert _text(target).endswith(".Value"), _text(target)
            self._value(_part(target, "expression"), scope).replace(value)
        return value

    def _of_member_access_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        owner = self._value(_part(node, "expression"), scope)
        return self._member(owner, _part(node, "name"))

    def _member(self, owner: Any, name: Node) -> Any:
        wanted, generic = _text(name), None
        if name.type == "generic_name":
            wanted, generic = _text(name.named_children[0]), _text(name.named_children[1])[1:-1]
        if isinstance(owner, _Static):
            if wanted not in owner.members:
                raise CSharpError(f"{owner.name} has no {wanted}")
            found = owner.members[wanted]
            if owner.name == "DateTime":
                return found()
            return _Static(self._statics[found], found) if found in self._statics_named() else found
        found = dotnet.get(owner, wanted)
        return found if generic is None else (lambda *a, **named: found(*a, generic=generic, **named))

    def _statics_named(self) -> set[str]:
        return {"Encoding.UTF8"}

    def _of_conditional_access_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        owner = self._value(node.named_children[0], scope)
        binding = node.named_children[1]
        assert binding.type == "member_binding_expression", binding.type
        return None if owner is None else self._member(owner, binding.named_children[0])

    def _of_element_access_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        owner, key = self._element(node, scope)
        if owner is None:
            raise CSharpError("NullReferenceException: element of null")
        if isinstance(owner, list):
            if not 0 <= key < len(owner):
                raise CSharpError(f"IndexOutOfRangeException: {key} of {len(owner)}")
            return owner[key]
        return owner.at(key) if isinstance(owner, dotnet.ReadOnly) else owner.get(key)

    def _element(self, node: Node, scope: dict[str, Any]) -> tuple[Any, Any]:
        (argument,) = _part(node, "subscript").named_children
        owner = self._value(_part(node, "expression"), scope)
        assert owner is None or isinstance(owner, dotnet.ReadOnly | JObject | list), type(owner)
        return owner, self._value(argument.named_children[0], scope)

    def _of_invocation_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        function = self._value(_part(node, "function"), scope)
        plain, named, out = self._arguments(_part(node, "arguments"), scope)
        result = function(*plain, **named)
        if out is not None:
            result, told = result
            _assign(scope, out, told)
        return result

    def _arguments(self, node: Node, scope: dict[str, Any]) -> tuple[list[Any], dict[str, Any], str | None]:
        plain: list[Any] = []
        named: dict[str, Any] = {}
        out = None
        for argument in node.named_children:
            *name, value = argument.named_children
            if any(child.type == "out" for child in argument.children):
                out = _text(value)
            elif name:
                named[_text(name[0])] = self._value(value, scope)
            else:
                plain.append(self._value(value, scope))
        return plain, named, out

    def _of_object_creation_expression(self, node: Node, scope: dict[str, Any]) -> Any:
        name = _text(_part(node, "type"))
        if name not in dotnet.CLASSES:
            raise CSharpError(f"no class {name}")
        plain, _, _ = self._arguments(_part(node, "arguments"), scope)
        return dotnet.CLASSES[name](*plain)

    def _of_array_creation_expression(self, node: Node, scope: dict[str, Any]) -> bytes | list[None]:
        (rank,) = [found for found in named_nodes(node) if found.type == "array_rank_specifier"]
        length = self._value(rank.named_children[0], scope)
        if _text(node).startswith("new byte["):
            return bytes(length)
        assert _text(node).startswith("new string[")
        return [None] * length

    def _of_implicit_array_creation_expression(self, node: Node, scope: dict[str, Any]) -> list[Any]:
        return [self._value(item, scope) for item in node.named_children[-1].named_children]

    def _of_lambda_expression(self, node: Node, scope: dict[str, Any]) -> Callable[..., Any]:
        parameters, body = _part(node, "parameters"), _part(node, "body")
        names = [_text(one) for one in parameters.named_children] or [_text(parameters)]
        assert not set(names) & set(scope), f"one of {names} is declared twice"

        def called(item: Any, index: int) -> Any:
            inner = _Scope(scope)
            inner.update(zip(names, (item, index), strict=False))
            return self._value(body, inner)

        return called if len(names) == 2 else lambda item: called(item, 0)

    def _note(self, node: Node) -> None:
        self._seen.add((self._text, node.start_byte, node.end_byte, node.type))


class _Scope(dict[str, Any]):
    """The names of a block: those of the blocks around it, and its own."""

    def __init__(self, outer: dict[str, Any]) -> None:
        super().__init__(outer)
        self.outer = outer


def _assign(scope: dict[str, Any], name: str, value: Any) -> None:
    scope[name] = value
    while isinstance(scope, _Scope) and name in scope.outer:
        scope = scope.outer
        scope[name] = value


def _part(node: Node, name: str) -> Node:
    found = node.child_by_field_name(name)
    assert found is not None, f"{node.type} has no {name}"
    return found


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, str) or isinstance(right, str):
        return f"{'' if left is None else left}{'' if right is None else right}"
    return left + right


def _same(left: Any, right: Any) -> bool:
    assert not isinstance(left, JToken | JArray), "tokens are compared by their values"
    return type(left) is type(right) and bool(left == right)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _added,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "%": lambda left, right: left % right,
    "/": lambda left, right: int(left / right) if isinstance(left, int) else left / right,
    "==": _same,
    "!=": lambda left, right: not _same(left, right),
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
