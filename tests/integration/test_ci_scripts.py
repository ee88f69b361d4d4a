"""What the scripts of CI do where the machine has, or lacks, what they look for."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Compiler = Callable[[str], Path]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing beside it."""
    folder = tmp_path / "one" / "checkout"
    (folder / "infra").mkdir(parents=True)
    (folder / ".ci").mkdir()
    for name in ("compile-templates", "find-bicep"):
        shutil.copy(ROOT / ".ci" / name, folder / ".ci" / name)
    return folder


def a_compiler(path: Path, *, says: str = "", code: int = 0) -> Path:
    """Write a program that calls itself Bicep and answers whatever it is asked to compile in one way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    version = 'if [ "$1" = --version ]; then echo "Bicep CLI version 1.2.3 (of the test)"; exit; fi'
    path.write_text(f"#!/bin/sh\n{version}\necho '{says}' >&2\nexit {code}\n")
    path.chmod(0o755)
    return path


def compiled(checkout: Path, path: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the script with the system's own commands, and `path`, on PATH."""
    # Only folders in which no Bicep of this machine lies.
    folders = [folder for folder in ("/usr/bin", "/bin") if not (Path(folder) / "bicep").exists()]
    environment = {"PATH": ":".join([*([str(path)] if path else []), *folders]), **settings}
    return subprocess.run(
        [checkout / ".ci" / "compile-templates"], env=environment, capture_output=True, text=True, check=False
    )


def test_without_a_compiler_it_says_so_and_goes_on(checkout: Path) -> None:
    done = compiled(checkout)

    assert done.returncode == 0
    assert "no Bicep compiler here" in done.stderr
    assert "NOTE: the templates were not compiled" in done.stdout


def test_the_compiler_on_path_and_the_one_beside_the_checkout_are_found(checkout: Path, tmp_path: Path) -> None:
    on_path = a_compiler(tmp_path / "bin" / "bicep")

    by_path = compiled(checkout, path=on_path.parent)
    a_compiler(checkout.parent / "shared" / "tools" / "bicep" / "bicep")
    beside = compiled(checkout)

    assert (by_path.returncode, beside.returncode) == (0, 0)
    assert "compiles, without a warning: Bicep CLI version 1.2.3" in by_path.stdout
    assert "compiles, without a warning: Bicep CLI version 1.2.3" in beside.stdout


@pytest.mark.parametrize(
    ("says", "code"),
    [("main.bicep(1,5) : Warning no-unused-vars: x", 0), ("main.bicep(1,5) : Error BCP070: x", 1), ("", 1)],
)
def test_a_warning_fails_as_an_error_does(checkout: Path, tmp_path: Path, says: str, code: int) -> None:
    named = a_compiler(tmp_path / "own" / "mine", says=says, code=code)

    done = compiled(checkout, BICEP=str(named))

    assert done.returncode == 1
    assert says in done.stderr


def test_a_compiler_that_is_named_and_is_none_fails(checkout: Path) -> None:
    done = compiled(checkout, BICEP=os.devnull)

    assert done.returncode == 1
    assert "is no Bicep compiler" in done.stderr
