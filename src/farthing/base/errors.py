"""The errors a caller can cause, one class per kind of cause.

Every message names the parameter or file, the rule, the value it got and, where there is one, the fix.
"""

from __future__ import annotations


class FarthingError(Exception):
    """Base of every error that farthing raises on purpose."""


class ConfigError(FarthingError, ValueError):
    """A setting is unknown, out of range, or does not fit another one."""


class DataError(FarthingError, ValueError):
    """Input data breaks a rule of its format."""


class FormatError(FarthingError, ValueError):
    """A file that farthing wrote (model, checkpoint, data set) is damaged or foreign."""


class KernelError(FarthingError, RuntimeError):
    """A native kernel or tier cannot run as asked."""
