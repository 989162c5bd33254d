"""The model folder: what comes back, and that every damaged, foreign or hostile one is refused by name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.lowbit import artifact as module
from farthing.lowbit.artifact import load_artifact, save_artifact, verify_artifact
from farthing.lowbit.tensorfile import DTYPES, MAX_HEADER_BYTES, MAX_TENSORS

TENSORS = {
    "codes": torch.arange(24, dtype=torch.uint8).view(4, 6),
    "scale": torch.linspace(0.5, 1.5, 4),
    "steps": torch.tensor(7),
    "empty": torch.zeros(0, 3),
    "flag": torch.tensor([True, False]),
}
CONFIG = {"name": "page", "layers": {"a": {"bits": 4}}, "note": "\u20ac"}
NAMES = ("SHA256SUMS", "card.md", "config.json", "model.safetensors")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_artifact(tmp_path / "model", config=CONFIG, tensors=TENSORS, files={"card.md": b"# A model\n"})
    return tmp_path / "model"


def resummed(folder: Path) -> None:
    """Makes SHA256SUMS right again, so that what is behind it is reached."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_there_and_back(folder: Path) -> None:
    artifact = load_artifact(folder)
    assert artifact.config == CONFIG
    assert artifact.files == {"card.md": folder / "card.md"}
    assert artifact.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert artifact.tensors[name].dtype == tensor.dtype
        assert torch.equal(artifact.tensors[name], tensor)
    assert verify_artifact(folder) == []


def test_the_same_model_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    reordered = dict(reversed(TENSORS.items()))
    (tmp_path / "source").write_bytes(b"# A model\n")
    save_artifact(tmp_path / "again", config=CONFIG, tensors=reordered, files={"card.md": tmp_path / "source"})
    for name in NAMES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "again" / name).stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_checksums_are_those_of_sha256sum(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_tensors_that_share_memory_or_are_strided_are_written(tmp_path: Path) -> None:
    table = torch.arange(6.0).view(2, 3)
    save_artifact(tmp_path / "model", config={}, tensors={"a": table, "b": table, "c": table.t()})
    tensors = load_artifact(tmp_path / "model").tensors
    assert torch.equal(tensors["a"], table)
    assert torch.equal(tensors["b"], table)
    assert torch.equal(tensors["c"], table.t())


@pytest.mark.parametrize("is_mapped", [False, True])
def test_every_type_comes_back(tmp_path: Path, is_mapped: bool) -> None:
    tensors = {name: torch.ones(3, 2).to(dtype) for name, dtype in DTYPES.items()} | {"one": torch.tensor(2.5)}
    save_artifact(tmp_path / "model", config={}, tensors=tensors)
    loaded = load_artifact(tmp_path / "model", is_mapped=is_mapped).tensors
    assert {name: tensor.dtype for name, tensor in loaded.items()} == {name: t.dtype for name, t in tensors.items()}
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_loaded_tensors_start_on_lines_of_the_cache(folder: Path) -> None:
    tensors = load_artifact(folder).tensors
    assert all(tensor.data_ptr() % 64 == 0 for tensor in tensors.values())


def resident_kb(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
@pytest.mark.parametrize("is_mapped", [False, True])
def test_a_loaded_model_is_in_memory_once_and_a_mapped_one_where_it_is_used(tmp_path: Path, is_mapped: bool) -> None:
    size = 64 << 20
    save_artifact(tmp_path / "model", config={}, tensors={"codes": torch.zeros(size, dtype=torch.uint8)})
    load_artifact(tmp_path / "model", is_mapped=is_mapped)  # what the first call of anything takes
    before = resident_kb("VmRSS")
    artifact = load_artifact(tmp_path / "model", is_mapped=is_mapped)
    grown = (resident_kb("VmRSS") - before) * 1024
    assert artifact.tensors["codes"].shape == (size,)
    assert grown <= (0.1 if is_mapped else 1.1) * size


def test_a_mapped_file_is_not_hashed_but_measured(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert load_artifact(folder, is_mapped=True).tensors.keys() == TENSORS.keys()
    assert verify_artifact(folder)
    path.write_bytes(content[:-1])
    with pytest.raises(FormatError, match=r"the tensors take \d+ bytes, the file has \d+ for them"):
        load_artifact(folder, is_mapped=True)


def test_a_mapped_model_survives_its_replacement_and_is_never_written(folder: Path) -> None:
    before = (folder / "model.safetensors").read_bytes()
    scale = load_artifact(folder, is_mapped=True).tensors["scale"]
    scale.mul_(2)
    assert (folder / "model.safetensors").read_bytes() == before
    save_artifact(folder, config={}, tensors={"a": torch.zeros(1)})
    assert torch.equal(scale, 2 * TENSORS["scale"])


def test_a_mapped_tensor_must_be_aligned(folder: Path) -> None:
    header = json.dumps({"codes": entry("U8", (1,), (0, 1)), "scale": entry("F32", (1,), (1, 5))}).encode()
    content = safetensors_file(header + b" " * (-len(header) % 8), b"12345")
    (folder / "model.safetensors").write_bytes(content)
    config = json.loads((folder / "config.json").read_text())
    digests = {"codes": hashlib.sha256(b"1").hexdigest(), "scale": hashlib.sha256(b"2345").hexdigest()}
    (folder / "config.json").write_text(json.dumps(config | {"tensors": digests}))
    resummed(folder)
    assert load_artifact(folder).tensors["codes"].tolist() == [ord("1")]
    with pytest.raises(FormatError, match="tensor 'scale' is not aligned to its type; load the model without"):
        load_artifact(folder, is_mapped=True)


def is_refused(folder: Path, name: str, content: bytes) -> None:
    """Writes `content` in place of a file, expects it to be noticed, and puts the file back."""
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(content)
    with pytest.raises(FormatError, match=str(folder)):
        load_artifact(folder)
    assert verify_artifact(folder)
    (folder / name).write_bytes(before)


@pytest.mark.parametrize("name", NAMES)
def test_any_flipped_bit_is_refused(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    places = torch.linspace(0, len(content) - 1, min(len(content), 150)).long().tolist()
    for place in places:  # a bit in every section: header, each tensor, each line
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        is_refused(folder, name, bytes(flipped))


@pytest.mark.parametrize("name", NAMES)
def test_any_truncation_is_refused(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    for end in torch.linspace(0, len(content) - 1, min(len(content), 60)).long().tolist():
        is_refused(folder, name, content[:end])
    for ending in (b"\0", b"\n", b" "):
        is_refused(folder, name, content + ending)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(FormatError, match=rf"{name}: cannot be read"):
        load_artifact(folder)
    assert any(name in finding for finding in verify_artifact(folder))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="nowhere"):
        load_artifact(tmp_path / "nowhere")


def test_a_damaged_tensor_is_named_where_the_checksum_file_was_made_anew(folder: Path) -> None:
    arrays = {name: tensor.clone() for name, tensor in TENSORS.items()}
    arrays["scale"][2] += 1
    safetensors.torch.save_file(arrays, folder / "model.safetensors")
    resummed(folder)
    with pytest.raises(FormatError, match="tensor 'scale' is damaged"):
        load_artifact(folder)


@pytest.mark.parametrize("change", ["missing", "extra"])
def test_a_missing_or_an_extra_tensor_is_named(folder: Path, change: str) -> None:
    arrays = {name: tensor for name, tensor in TENSORS.items() if change != "missing" or name != "steps"}
    if change == "extra":
        arrays["zzz"] = torch.ones(1)
    safetensors.torch.save_file(arrays, folder / "model.safetensors")
    resummed(folder)
    with pytest.raises(FormatError, match=r"tensor '(steps|zzz)' is missing or was not part of the model"):
        load_artifact(folder)


def test_a_file_that_nothing_vouches_for_is_a_finding_but_no_error(folder: Path) -> None:
    (folder / "extra.txt").write_text("hello")
    assert load_artifact(folder).config == CONFIG
    assert verify_artifact(folder) == [f"{folder / 'extra.txt'}: not part of the model; nothing vouches for it"]


def safetensors_file(header: object, data: bytes = b"", *, size: int | None = None) -> bytes:
    """A file with this header, as bytes or as JSON, and this length of it."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded) if size is None else size) + encoded + data


def entry(dtype: str = "U8", shape: Any = (4,), offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


# A pickle that would run a command; as a file of ours it is only a header of an absurd length.
PICKLE = b"cos\nsystem\n(S'touch /tmp/pwned'\ntR."

HOSTILE_TENSORS = {
    "empty file": b"",
    "seven bytes": b"1234567",
    "a pickle": PICKLE,
    "header longer than the file": safetensors_file({}, size=500),
    "header length of 2**63": safetensors_file({}, size=2**63),
    "header above the cap": safetensors_file(b"{" + b" " * MAX_HEADER_BYTES + b"}"),
    "header that is no JSON": safetensors_file(b"\xff\xfe not json"),
    "header that is a list": safetensors_file([1, 2]),
    "header nested 100,000 deep": safetensors_file(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "entry without offsets": safetensors_file({"a": {"dtype": "U8", "shape": [1]}}, b"1"),
    "offsets beyond the data": safetensors_file({"a": entry(offsets=(0, 400))}, b"1234"),
    "offsets backwards": safetensors_file({"a": entry(offsets=(4, 0))}, b"1234"),
    "offsets below zero": safetensors_file({"a": entry(offsets=(-4, 0))}, b"1234"),
    "offsets beyond 64 bits": safetensors_file({"a": entry(offsets=(0, 2**70))}, b"1234"),
    "overlapping tensors": safetensors_file({"a": entry(), "b": entry(offsets=(2, 6))}, b"123456"),
    "a gap between tensors": safetensors_file({"a": entry(), "b": entry(offsets=(6, 10))}, b"1234567890"),
    "data behind the last tensor": safetensors_file({"a": entry()}, b"12345678"),
    "shape that overflows": safetensors_file({"a": entry(shape=(2**40, 2**40), offsets=(0, 0))}),
    "no element, but axes that overflow": safetensors_file({"a": entry(shape=(0, 2**40, 2**40), offsets=(0, 0))}),
    "a hundred axes": safetensors_file({"a": entry(shape=(1,) * 100, offsets=(0, 1))}, b"1"),
    "shape below zero": safetensors_file({"a": entry(shape=(-4,))}, b"1234"),
    "shape that is no list": safetensors_file({"a": entry(shape="4")}, b"1234"),
    "shape larger than the data": safetensors_file({"a": entry(dtype="F32")}, b"1234"),
    "type that torch lacks": safetensors_file({"a": entry(dtype="F4", shape=(8,))}, b"1234"),
    "type with code in it": safetensors_file({"a": entry(dtype="__import__('os')")}, b"1234"),
    "the same name twice": safetensors_file(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' * 2, b"1"),
    "too many tensors": safetensors_file({format(i, "x"): entry("U8", (0,), (0, 0)) for i in range(MAX_TENSORS + 1)}),
}


@pytest.mark.parametrize("content", list(HOSTILE_TENSORS.values()), ids=list(HOSTILE_TENSORS))
def test_hostile_tensor_files_are_refused(folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    resummed(folder)
    for is_mapped in (False, True):
        with pytest.raises(FormatError, match=r"model\.safetensors"):
            load_artifact(folder, is_mapped=is_mapped)
    assert verify_artifact(folder)


def with_config(**changes: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda config: json.dumps(config | changes).encode()


HOSTILE_CONFIGS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "another format": with_config(format="onnx"),
    "a later version": with_config(version=2),
    "a version of text": with_config(version="1"),
    "an unknown field": with_config(run="rm"),
    "a digest that is none": with_config(tensors={"codes": "abc"}),
    "a path upwards": with_config(files=["../../etc/passwd"]),
    "an absolute path": with_config(files=["/etc/passwd"]),
    "a path with a NUL": with_config(files=["card.md\0"]),
    "a hidden file": with_config(files=[".bashrc"]),
    "a file that is not there": with_config(files=["card.md", "other.md"]),
    "no JSON": lambda _: b"{'format': 1}",
    "not UTF-8": lambda _: b'{"format": "\xff"}',
    "nested 100,000 deep": lambda _: b'{"config":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    "above the cap": lambda config: json.dumps(config).encode() + b" " * module.MAX_CONFIG_BYTES,
    "a list": lambda _: b"[]",
}


@pytest.mark.parametrize("change", list(HOSTILE_CONFIGS.values()), ids=list(HOSTILE_CONFIGS))
def test_hostile_configs_are_refused(folder: Path, change: Callable[[dict[str, Any]], bytes]) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_bytes(change(config))
    resummed(folder)
    with pytest.raises(FormatError, match=str(folder)):
        load_artifact(folder)


DIGEST = "0" * 64
HOSTILE_SUMS = {
    "a path upwards": f"{DIGEST}  ../x\n",
    "an absolute path": f"{DIGEST}  /etc/passwd\n",
    "not in order": f"{DIGEST}  model.safetensors\n{DIGEST}  config.json\n",
    "a name twice": f"{DIGEST}  config.json\n{DIGEST}  config.json\n{DIGEST}  model.safetensors\n",
    "no model": f"{DIGEST}  config.json\n",
    "capital digits": f"{'A' * 64}  config.json\n",
    "nothing": "",
    "a blank line": "\n",
    "above the cap": "\n" * (MAX_HEADER_BYTES + 1),
}


@pytest.mark.parametrize("text", list(HOSTILE_SUMS.values()), ids=list(HOSTILE_SUMS))
def test_hostile_checksum_files_are_refused(folder: Path, text: str) -> None:
    (folder / "SHA256SUMS").write_text(text)
    with pytest.raises(FormatError, match="SHA256SUMS"):
        load_artifact(folder)
    assert len(verify_artifact(folder)) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_only_regular_files_are_read(folder: Path, name: str, kind: str, tmp_path: Path) -> None:
    shutil.move(folder / name, tmp_path / "elsewhere")
    if kind == "link":
        (folder / name).symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        (folder / name).mkdir()
    else:
        os.mkfifo(folder / name)
    with pytest.raises(FormatError, match=f"{name}: not a regular file"):
        load_artifact(folder)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "", ".x", "x\0", "config.json", "SHA256SUMS", "a" * 200])
def test_only_plain_file_names_are_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is not a plain file name"):
        save_artifact(tmp_path / "model", config={}, tensors={}, files={name: b""})
    assert list(tmp_path.iterdir()) == []


def test_too_many_tensors_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"at most 10000 fit in one model file, got 10001"):
        save_artifact(tmp_path / "model", config={}, tensors={str(i): torch.ones(1) for i in range(MAX_TENSORS + 1)})


def test_a_failed_write_leaves_the_old_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", disk_is_full)
    with pytest.raises(DataError, match="No space left on device"):
        save_artifact(folder, config={}, tensors={"a": torch.zeros(1)})
    assert load_artifact(folder).config == CONFIG
    assert {path.name for path in folder.parent.iterdir()} == {"model"}
