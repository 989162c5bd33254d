from __future__ import annotations

import pytest

from farthing.base import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ConfigError, ValueError),
        (errors.DataError, ValueError),
        (errors.FormatError, ValueError),
        (errors.KernelError, RuntimeError),
    ],
)
def test_every_error_is_a_farthing_error_and_the_builtin_it_stands_for(
    error: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(error, errors.FarthingError)
    assert issubclass(error, builtin)
