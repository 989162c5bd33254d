"""The lock names its files by digest, and nothing in it binds who uses the project."""

from __future__ import annotations

from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement

from tests.licences import is_refused, licence, locked


@pytest.mark.parametrize(("requirement", "has_digest"), locked().items(), ids=str)
def test_a_locked_package_has_digests_and_a_licence_that_suits(requirement: Requirement, has_digest: bool) -> None:
    assert has_digest
    text = licence(requirement.name)
    if text is None:
        pytest.skip(f"{requirement.name} is not installed here")
    assert text
    assert not is_refused(text), text


def test_the_gpl_is_in_its_optional_extra_alone() -> None:
    asking = [text for text in requires("farthing") or [] if Requirement(text).name == "bitorch"]
    assert [str(Requirement(text).marker) for text in asking] == ['extra == "bitorch"']
    assert "bitorch" not in {requirement.name for requirement in locked()}


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("MIT", False),
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0", True),
        ("License :: OSI Approved :: GNU Affero General Public License v3", True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", True),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", False),
        ("LGPL-2.1-only", False),
        ("MIT AND GPL-2.0-only", True),
        ("MIT OR GPL-2.0-only", False),
    ],
)
def test_licences_are_told_apart(text: str, refused: bool) -> None:
    assert is_refused(text) == refused
