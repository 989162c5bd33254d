"""What the documents quote exists: commands, flags, make targets, files, links, imports."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import farthing
from tests import command_tree

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MODULES = sorted((ROOT / "src").rglob("*.py"))
COMMAND_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PUBLISHED = [
    path
    for folder in ("src", "native", "docs", "bench", "requirements")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.is_file() and path.suffix not in {".pyc", ".so", ".png", ".jpg", ".safetensors"}
]

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
OWN_FILE = re.compile(r"^(src|native|docs|tests|bench|requirements|examples|\.ci)/[\w./-]*\w$")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(home|root|work|tmp|Users|mnt|opt)/")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _code(page: Path) -> Iterator[str]:
    """Each line of a fenced block, continuation lines joined, and each inline code span."""
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        yield from fence["body"].replace("\\\n", " ").splitlines()
    yield from SPAN.findall(FENCE.sub("", text))


def _quoted_commands(lines: Iterator[str], program: str) -> Iterator[str]:
    """What follows `program` on each line that runs it."""
    for line in lines:
        for part in re.split(r"[;&|]{1,2} | \u00b7 ", line):
            words = part.removeprefix("$ ").strip()
            if re.match(rf"(\S*/)?{program}( |$)", words):
                yield words.partition(program)[2].partition(" #")[0].strip()


def _check_command(words: str) -> None:
    """Asserts that a command line, without the word `farthing`, names a command and options that exist."""
    command, path = command_tree.root(), "farthing"
    for word in words.split():
        below = command_tree.subcommands(command)
        if not below or not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        assert word in below, f"`{path} {word}` does not exist"
        command, path = below[word], f"{path} {word}"
    unknown = set(OPTION.findall(words)) - command_tree.options(command)
    assert not unknown, f"`{path}` has no {', '.join(sorted(unknown))}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_quoted_commands_and_flags_exist(page: Path) -> None:
    for words in _quoted_commands(_code(page), "farthing"):
        _check_command(words)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_commands_quoted_in_messages_exist(path: Path) -> None:
    for words in _quoted_commands(iter(SPAN.findall(path.read_text(encoding="utf-8"))), "farthing"):
        _check_command(re.sub(r"\{[^}]*\}", "X", words))


@pytest.mark.parametrize(("path", "command"), list(command_tree.leaves()))
def test_examples_in_the_help_exist(path: tuple[str, ...], command: object) -> None:
    for words in re.findall(r"farthing (.+)", getattr(command, "epilog", None) or ""):
        _check_command(words)


@pytest.mark.parametrize("path", [path for path, _ in command_tree.leaves()], ids=" ".join)
def test_every_command_is_documented(path: tuple[str, ...]) -> None:
    quoted = f"farthing {' '.join(path)}"
    assert any(quoted in page.read_text(encoding="utf-8") for page in COMMAND_PAGES), f"no page mentions `{quoted}`"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_quoted_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in _quoted_commands(_code(page), "make"):
        target = words.split()[0] if words else "help"
        assert target in targets, f"there is no `make {target}`"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_and_quoted_files_exist(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not re.match(r"https?:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), f"broken link to {target}"
    for span in SPAN.findall(page.read_text(encoding="utf-8")):
        if OWN_FILE.match(span):
            assert (ROOT / span).exists(), f"there is no {span}"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_examples_import_what_exists(page: Path) -> None:
    for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
        if fence["language"] != "python":
            continue
        for node in ast.walk(ast.parse(fence["body"])):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("farthing"):
                module = importlib.import_module(node.module or "")
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("path", [path for path in MODULES if not path.name.startswith("_")], ids=_name)
def test_the_architecture_has_a_place_for_every_module(path: Path) -> None:
    assert path.name in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_nothing_published_names_a_path_of_one_machine() -> None:
    files = [*PAGES, *PUBLISHED, ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "CMakeLists.txt"]
    found = [_name(path) for path in files if MACHINE_PATH.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_decisions_are_numbered_and_named_alike() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    for number, page in enumerate(pages, start=1):
        assert page.name.startswith(f"{number:04d}-")
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_the_changelog_knows_this_version() -> None:
    assert f"## {farthing.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
