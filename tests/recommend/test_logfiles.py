from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError
from farthing.recommend.logfiles import ahead, head, is_parquet, mapped_ahead, text_blocks


@given(st.lists(st.binary(max_size=30).map(lambda line: line.translate(None, b"\r\n")), min_size=1, max_size=30))
def test_blocks_join_to_the_file_and_number_its_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    text = b"label\n" + b"\n".join(lines) + b"\n"
    for content in (text, text[:-1], gzip.compress(text), gzip.compress(text[:20]) + gzip.compress(text[20:])):
        path.write_bytes(content)
        blocks = list(text_blocks(path, block_bytes=40))
        assert b"".join(block.text for block in blocks).rstrip(b"\n") == text.rstrip(b"\n")
        line = 1
        for block in blocks:
            assert block.first_line == line
            assert block.num_lines == block.text.count(b"\n")
            assert block.text.endswith(b"\n")
            line += block.num_lines


def test_windows_lines_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert [block.text for block in text_blocks(path)] == [b"a,b\n1,2\n"]
    assert head(path) == b"a,b\n1,2\n"


@pytest.mark.parametrize("cut", [-1, -9, 40])
def test_a_truncated_gzip_names_the_last_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"".join(b"%d\n" % i for i in range(5000)))[:cut])
    with pytest.raises(DataError, match=r"log.gz: the gzip data is truncated or damaged .*gzip --test"):
        list(text_blocks(path, block_bytes=1000))


def test_a_damaged_gzip(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    content = bytearray(gzip.compress(b"1\n" * 5000))
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="truncated or damaged"):
        list(text_blocks(path))


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    with pytest.raises(DataError, match="the file is empty"):
        list(text_blocks(tmp_path / "log"))
    (tmp_path / "log").write_bytes(gzip.compress(b""))
    with pytest.raises(DataError, match="has no lines"):
        list(text_blocks(tmp_path / "log"))


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        is_parquet(tmp_path / name)


def test_a_line_longer_than_a_block(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match="a line is longer than 100 bytes"):
        list(text_blocks(tmp_path / "log", block_bytes=100))


def test_ahead_keeps_items_and_passes_errors_on() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise DataError("broken")

    seen: list[int] = []
    with pytest.raises(DataError, match="broken"):
        seen.extend(ahead(items()))
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]


def test_items_that_are_not_read_are_let_go_without_waiting_for_the_next() -> None:
    """Whoever lets go of them may be the garbage collector, while a thread is being started."""
    is_let_go = threading.Event()

    def items() -> Iterator[bool]:
        yield False
        yield is_let_go.wait(5)

    one = ahead(items())
    assert next(one) is False
    start = time.monotonic()
    del one
    assert time.monotonic() - start < 3
    is_let_go.set()


def test_mapped_ahead_keeps_the_order_and_passes_errors_on() -> None:
    assert list(mapped_ahead(lambda i: i * i, iter(range(20)), threads=3)) == [(i, i * i) for i in range(20)]
    assert list(mapped_ahead(lambda i: i, iter(()), threads=2)) == []
    seen: list[tuple[int, int]] = []
    with pytest.raises(ZeroDivisionError):
        seen.extend(mapped_ahead(lambda i: 6 // (3 - i), iter(range(9)), threads=2))
    assert seen == [(0, 2), (1, 3), (2, 6)]


def test_mapped_ahead_has_a_few_items_at_a_time() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(50):
            made.append(i)
            yield i

    for item, _ in mapped_ahead(lambda i: i, items(), threads=2):
        assert len(made) <= item + 3
