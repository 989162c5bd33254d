"""Pytest plugin that puts another build of the extension in place of the installed one (`make sanitize`).

`FARTHING_TEST_EXTENSION=FILE python -m pytest -p tests.native.extension` tests that file.
"""

from __future__ import annotations

import importlib.util
import os
import sys

_spec = importlib.util.spec_from_file_location("farthing._native", os.environ["FARTHING_TEST_EXTENSION"])
assert _spec is not None
assert _spec.loader is not None
sys.modules["farthing._native"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["farthing._native"])
