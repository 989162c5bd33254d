"""Names that a file or a request brings along, as paths that cannot leave a folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from farthing.base.errors import DataError


def inside(root: Path, name: str) -> Path:
    """The path that `name` stands for below `root`, links followed; the file need not exist.

    Args:
        root: the folder that holds everything that `name` may reach.
        name: a relative path with `/` between its parts, from a manifest, an annotation file or a request.

    Raises:
        DataError: `name` is empty, absolute, has a part `..` or a NUL byte, or a link on it leads out of `root`.
    """
    parts = PurePosixPath(name).parts
    if not parts or "\0" in name or ".." in parts or parts[0] == "/":
        raise DataError(f"{name!r}: a name must be a relative path inside {root}, without '..'")
    path = root.joinpath(*parts)
    try:
        is_below = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # a circle of links; a name longer than the file system allows
        raise DataError(f"{name!r}: cannot be followed inside {root}") from error
    if not is_below:
        raise DataError(f"{name!r}: leads out of {root} through a link; copy the file into the folder")
    return path
