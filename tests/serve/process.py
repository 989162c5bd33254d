"""`farthing recommend serve` in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

WAIT_S = 60.0


@dataclass
class ServerProcess:
    """A running server: its address, its process, and what it has said so far."""

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port


@contextlib.contextmanager
def serving(model: Path, *options: str) -> Iterator[ServerProcess]:
    """A server on a free port of the loopback interface; ends with the block, if it has not ended before."""
    command = [sys.executable, "-m", "farthing", "recommend", "serve", str(model), "--port", "0", *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        url = next((word for line in lines for word in line.split() if word.startswith("http://")), None)
        assert url, f"the server ended with exit code {process.wait()}"
        server = ServerProcess(process, url)
        # A pipe that nobody empties would stop the server when it is full.
        reader = threading.Thread(target=server.said.extend, args=(lines,))
        reader.start()
        try:
            yield server
        finally:
            process.terminate()
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
            reader.join()
