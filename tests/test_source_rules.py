"""Rules of CONTRIBUTING.md that no linter checks, and those worth a second, independent check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
SOURCES = sorted(
    path
    for folder in ("src", "tests", "native", "bench")
    for path in (ROOT / folder).rglob("*.*")
    if path.suffix in {".py", ".pyi", ".cpp", ".hpp", ".html"}
)
# Each of these runs code that a file brings along.
UNPICKLERS = frozenset({"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"})
UNPICKLING_CALLS = frozenset({"torch.load", "torch.save", "torch.jit.load", "pandas.read_pickle"})
MAX_LINES = 400
BINDINGS = sorted(path for path in (ROOT / "native").glob("bind_*.cpp") if ".def(" in path.read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imported(tree: ast.AST) -> set[str]:
    """Every module and attribute that the tree imports, dotted."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _dotted(tree: ast.AST) -> set[str]:
    """Every attribute access of the tree, as written."""
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nothing_is_pickled(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = _imported(tree)
    assert not {name for name in imported if name.split(".")[0] in UNPICKLERS}
    assert not UNPICKLING_CALLS & (imported | _dotted(tree))
    assert "allow_pickle" not in {
        keyword.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords
    }


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_native_imports_the_extension(path: Path) -> None:
    imports_it = "farthing._native" in _imported(ast.parse(path.read_text(encoding="utf-8")))
    assert imports_it == (path == ROOT / "src/farthing/lowbit/native.py")


@pytest.mark.parametrize("path", [path for path in MODULES if "jaxtyping" in path.read_text()], ids=_name)
def test_shapes_are_enforced_wherever_they_are_written(path: Path, pytestconfig: pytest.Config) -> None:
    *enforced, _ = str(pytestconfig.getoption("--jaxtyping-packages")).split(",")
    module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
    assert any(f"{module}.".startswith(f"{package}.") for package in enforced)


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent.name == "base"], ids=_name)
def test_base_imports_only_the_standard_library_and_msgspec(path: Path) -> None:
    imported = {name.split(".")[0] for name in _imported(ast.parse(path.read_text(encoding="utf-8")))}
    assert not imported & {"torch", "numpy", "polars", "safetensors", "rich", "typer", "sklearn"}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_sources_are_ascii_and_short_enough_to_read(path: Path) -> None:
    text = path.read_bytes()
    assert text.isascii()
    assert text.count(b"\n") <= MAX_LINES


def _array_parameters(text: str) -> set[str]:
    """Names of the parameters that are an array, under one of the file's names for it too, or an optional one."""
    named = "|".join(["Array", "optional", *re.findall(r"using (\w+) = Array<", text)])
    while (plain := re.sub(r"<[^<>;]*>", "", text)) != text:
        text = plain
    return set(re.findall(rf"\b(?:{named})\s+(\w+)(?=\s*[,)])", text))


@pytest.mark.parametrize("path", BINDINGS, ids=_name)
def test_no_array_is_converted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bound = dict(re.findall(r'nb::arg\("(\w+)"\)(\.noconvert\(\))?', text))
    arrays = {name for name in _array_parameters(text) if name in bound}
    assert arrays
    assert {name for name in arrays if not bound[name]} == set()
