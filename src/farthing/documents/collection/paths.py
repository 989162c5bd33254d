"""Names that a file or a request brings along, as paths that cannot leave a folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from farthing.base.errors import DataError

# The limits of usual file systems, with room for the path of the folder.
_MAX_PART_BYTES = 255
_MAX_BYTES = 2048


def inside(root: Path, name: str) -> Path:
    """The path that `name` stands for below `root`, links followed; the file need not exist.

    Args:
        root: the folder that holds everything that `name` may reach.
        name: a relative path with `/` between its parts, from a manifest, an annotation file or a request.

    Raises:
        DataError: `name` is empty, absolute, too long, no text, has a part `..` or a NUL byte, or a link on it leads
            out of `root`.
    """
    parts = PurePosixPath(name).parts
    encoded = [part.encode(errors="surrogatepass") for part in parts]
    is_too_long = len(b"".join(encoded)) > _MAX_BYTES or max(map(len, encoded), default=0) > _MAX_PART_BYTES
    if not parts or "\0" in name or ".." in parts or parts[0].startswith("/") or is_too_long:
        raise DataError(f"{name!r}: a name must be a relative path inside {root}, without '..'")
    path = root.joinpath(*parts)
    try:
        is_below = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, UnicodeEncodeError) as error:  # a circle of links; characters that no file name has
        raise DataError(f"{name!r}: cannot be followed inside {root}") from error
    if not is_below:
        raise DataError(f"{name!r}: leads out of {root} through a link; copy the file into the folder")
    return path
