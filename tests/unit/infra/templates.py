"""Reads Bicep as a tree: what a template declares, what it passes on, what it refers to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from pathlib import Path

import tree_sitter
import tree_sitter_bicep

__all__ = [
    "INFRA",
    "Declaration",
    "Node",
    "Template",
    "dig",
    "faults",
    "objects",
    "parameter_values",
    "parse",
    "properties",
    "template",
    "templates",
    "text_of",
    "used_names",
    "walk",
]

INFRA = Path(__file__).parents[3] / "infra"
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}
Node = tree_sitter.Node


@dataclass(frozen=True, slots=True)
class Declaration:
    """One param, var, resource, module or output of a template."""

    kind: str
    name: str
    node: Node
    decorators: dict[str, str]
    """Argument text by decorator: description, allowed, ..."""

    @property
    def quoted(self) -> str:
        """Return the resource's type with version, or the module's path."""
        return text_of(self.node.named_children[1])

    @property
    def type(self) -> str:
        """Return the resource's type without version, the parameter's or output's type."""
        if self.kind == "resource":
            return self.quoted.partition("@")[0]
        return next((one.text or b"").decode() for one in self.node.named_children if one.type == "type")

    @property
    def value(self) -> Node | None:
        """Return the default of a parameter, or what a var or output is."""
        last = self.node.named_children[-1]
        return None if last.type in ("type", "identifier") and self.kind == "param" else last

    @property
    def existing(self) -> bool:
        """Tell whether the resource is referred to, not made."""
        return any(child.type == "existing" or child.text == b"existing" for child in self.node.children)

    @property
    def body(self) -> dict[str, Node]:
        """Return the properties of a resource or module, past its condition and loop."""
        return properties(next(one for one in objects(self.node.named_children[-1]) if "name" in properties(one)))


@dataclass(frozen=True, slots=True)
class Template:
    """One .bicep file."""

    path: Path
    root: Node
    declarations: list[Declaration] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the path below infra/."""
        return self.path.relative_to(INFRA).as_posix()

    def all(self, kind: str) -> list[Declaration]:
        """Return the declarations of one kind."""
        return [one for one in self.declarations if one.kind == kind]

    def module_of(self, declaration: Declaration) -> "Template":
        """Return the template that a module declaration names."""
        return template((self.path.parent / declaration.quoted).resolve())


def parse(source: str) -> Node:
    """Return the tree of Bicep source."""
    return _PARSER.parse(source.encode()).root_node


def parameter_values(path: Path) -> tuple[Node, dict[str, Node]]:
    """Return the tree of a .bicepparam file and what it assigns.

    The grammar knows templates alone, in which `param x = 1` lacks its type: written as variables, assignments are
    read all the same.
    """
    source = re.sub(r"^param ", "var ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    root = parse(source)
    assigned = {
        _first(one): one.named_children[-1] for one in root.named_children if one.type == "variable_declaration"
    }
    return root, assigned


@cache
def template(path: Path) -> Template:
    """Return a template, read once."""
    root = parse(path.read_text(encoding="utf-8"))
    found = Template(path, root)
    decorators: dict[str, str] = {}
    for node in root.named_children:
        if node.type == "decorators":
            decorators = dict(map(_decorator, node.named_children))
        elif node.type in _KINDS:
            found.declarations.append(Declaration(_KINDS[node.type], _first(node), node, decorators))
            decorators = {}
    return found


def templates() -> list[Template]:
    """Return every template of infra/."""
    return [template(path) for path in sorted(INFRA.rglob("*.bicep"))]


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def faults(root: Node) -> list[str]:
    """Return where a tree is not Bicep."""
    return [
        f"line {one.start_point.row + 1}: {(one.text or b'')[:60]!r}"
        for one in walk(root)
        if one.is_error or one.is_missing
    ]


def text_of(node: Node) -> str:
    """Return source text, a string's without its quotes and escapes."""
    text = (node.text or b"").decode()
    return text.strip("'").replace("\\'", "'") if node.type == "string" else text


def properties(node: Node) -> dict[str, Node]:
    """Return an object's own properties."""
    return {
        text_of(child.named_children[0]): child.named_children[-1]
        for child in node.named_children
        if child.type == "object_property"
    }


def objects(node: Node) -> list[Node]:
    """Return the objects that an expression may come to: through loops, arrays and conditions, not into objects."""
    if node.type == "object":
        return [node]
    if node.type in ("call_expression", "member_expression", "subscript_expression"):
        return []
    return [one for child in node.named_children for one in objects(child)]


def dig(node: Node | dict[str, Node], path: str) -> Node | None:
    """Return what stands at a dotted path of an object, or None."""
    for name in path.split("."):
        inside = node if isinstance(node, dict) else properties(node)
        if name not in inside:
            return None
        node = inside[name]
    return node if not isinstance(node, dict) else None


def used_names(node: Node) -> set[str]:
    """Return the names that an expression refers to, its own loop variables left out."""
    bound = {(one.text or b"").decode() for one in walk(node) if one.type in ("loop_variable", "loop_enumerator")}
    for one in walk(node):
        if one.type == "for_statement" and one.named_children[0].type == "identifier":
            bound.add(text_of(one.named_children[0]))
    return {name for name, called in _identifiers(node) if not called} - bound


def _identifiers(node: Node) -> Iterator[tuple[str, bool]]:
    if node.type == "identifier":
        yield text_of(node), False
        return
    children = node.named_children
    if node.type == "object_property":
        children = children[1:]
        key = node.named_children[0]
        if key.type == "string":
            children = [key, *children]
    elif node.type == "call_expression" and children and children[0].type == "identifier":
        yield text_of(children[0]), True
        children = children[1:]
    for child, following in zip_longest(children, children[1:]):
        # The grammar reads a call at the head of an array as a name and what stands in parentheses after it.
        if node.type == "array" and following is not None and following.type == "parenthesized_expression":
            yield from ((name, called or child.type == "identifier") for name, called in _identifiers(child))
        else:
            yield from _identifiers(child)


def _first(node: Node) -> str:
    return text_of(next(one for one in node.named_children if one.type == "identifier"))


def _decorator(node: Node) -> tuple[str, str]:
    call = node.named_children[0]
    arguments = call.named_children[1].named_children if len(call.named_children) > 1 else []
    return text_of(call.named_children[0]), text_of(arguments[0]) if arguments else ""
