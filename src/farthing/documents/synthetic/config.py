"""What synthetic pages are made of."""

from __future__ import annotations

from dataclasses import dataclass

from farthing.base.errors import ConfigError
from farthing.documents.classes import CLASSES

MIN_SIDE, MAX_SIDE = 256, 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class SynthesisConfig:
    """How pages are made.

    Attributes:
        classes: the objects that pages show; at least one of `CLASSES`.
        min_side: least long side of a page image, in pixels, from 256.
        max_side: greatest long side, in pixels, up to 2048.
        bare_share: of the pages, without any object, in [0, 1]: what a filter must learn to leave out.
        manuscript_share: of the pages, written by hand, in [0, 1].
        typescript_share: of the pages, typewritten, in [0, 1]; the rest is printed.
        spread_share: of the scans, that show two facing pages, in [0, 1].
        like_share: of the pages, that follow the collection they are fitted to, if there is one, in [0, 1].
    """

    classes: tuple[str, ...] = CLASSES
    min_side: int = 512
    max_side: int = 800
    bare_share: float = 0.38
    manuscript_share: float = 0.3
    typescript_share: float = 0.17
    spread_share: float = 0.06
    like_share: float = 0.85

    def __post_init__(self) -> None:
        unknown = [name for name in self.classes if name not in CLASSES]
        if unknown or not self.classes:
            raise ConfigError(f"classes must be some of {', '.join(CLASSES)}, got {', '.join(unknown) or 'none'}")
        if not MIN_SIDE <= self.min_side <= self.max_side <= MAX_SIDE:
            raise ConfigError(
                f"min_side must be in [{MIN_SIDE}, max_side] and max_side at most {MAX_SIDE}, "
                f"got {self.min_side} and {self.max_side}"
            )
        for name in ("bare_share", "manuscript_share", "typescript_share", "spread_share", "like_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if self.manuscript_share + self.typescript_share > 1:
            raise ConfigError("manuscript_share + typescript_share must be <= 1")
