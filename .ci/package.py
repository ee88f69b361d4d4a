"""Builds the package that is deployed: the files that .funcignore leaves, the same bytes for the same files.

    python .ci/package.py [FILE]        # build/app.zip

Needs the standard library only. The package holds no dependencies: the platform installs those that
requirements.txt pins when the package is deployed (remote build).
"""

import hashlib
import os
import sys
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["build", "is_deployed", "patterns", "shipped"]

_ROOT = Path(__file__).resolve().parents[1]
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold: a package must not differ by when it was built."""


def patterns(text: str) -> list[str]:
    """Return the patterns of a .funcignore.

    Only what all packaging tools read alike: names, paths from the root, `*`.

    Raises:
        ValueError: a pattern that some of them read otherwise.
    """
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for pattern in found:
        if pattern.startswith(("!", "/")) or pattern.endswith("/") or "**" in pattern or "\\" in pattern:
            raise ValueError(f".funcignore: {pattern!r} does not mean the same to every packaging tool")
    return found


def is_deployed(path: str, ignored: list[str]) -> bool:
    """Return whether a path from the root, with slashes, is part of the package.

    A pattern without slash drops a name at any depth, one with a slash a path from the root; with either, all below.
    """
    parts = path.split("/")
    prefixes = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    return not any(
        fnmatchcase(prefix, pattern) if "/" in pattern else fnmatchcase(prefix.rsplit("/", 1)[-1], pattern)
        for prefix in prefixes
        for pattern in ignored
    )


def shipped(root: Path) -> Iterator[str]:
    """Yield the path of every file of the package, sorted.

    Raises:
        ValueError: a link, which a package cannot hold.
    """
    ignored = patterns((root / ".funcignore").read_text(encoding="utf-8"))
    found = []
    for folder, folders, files in os.walk(root):
        place = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if is_deployed((place / name).as_posix(), ignored)]
        for name in files:
            path = (place / name).as_posix()
            if is_deployed(path, ignored):
                if (root / path).is_symlink():
                    raise ValueError(f"{path} is a link: a package cannot hold it")
                found.append(path)
    yield from sorted(found)


def build(root: Path, target: Path) -> list[str]:
    """Write the package of `root` to `target`; return what it holds."""
    names = list(shipped(root))
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for name in names:
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(member, (root / name).read_bytes())
    return names


def main(arguments: list[str]) -> int:
    """Build the package and say what it is."""
    target = Path(arguments[0]) if arguments else _ROOT / "build" / "app.zip"
    names = build(_ROOT, target)
    content = target.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    sys.stdout.write(f"{target}: {len(names)} files, {len(content):,} bytes, sha256 {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
