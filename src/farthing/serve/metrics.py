"""What a server did, in the text format of Prometheus.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4.
"""

from __future__ import annotations

import resource
import time
from bisect import bisect_left
from collections import Counter
from pathlib import Path

from starlette.types import Message, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """Counts of one process since its start; used by the event loop alone."""

    def __init__(self) -> None:
        """All zero."""
        self._requests: Counter[int] = Counter()
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._seconds = 0.0
        self.num_rows = 0
        self.reloads: Counter[str] = Counter()
        self.model_hash = ""

    def count_request(self, status: int) -> None:
        """One more answer with this status."""
        self._requests[status] += 1

    def watched(self, send: Send) -> Send:
        """`send`, with status and time of the answer counted; the time runs from now to its last byte."""
        start = time.perf_counter()

        async def send_and_count(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self.count_request(message["status"])
            elif not message.get("more_body", False):
                self._observe(time.perf_counter() - start)

        return send_and_count

    def _observe(self, seconds: float) -> None:
        self._buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self._seconds += seconds

    def text(self) -> str:
        """All of it."""
        statuses = [f'farthing_requests_total{{status="{status}"}} {n}' for status, n in sorted(self._requests.items())]
        reloads = [f'farthing_reloads_total{{result="{name}"}} {self.reloads[name]}' for name in ("loaded", "refused")]
        families = [
            ("requests_total", "counter", "Answered requests by status.", statuses),
            ("request_seconds", "histogram", "From a request's headers to its answer.", self._histogram()),
            ("rows_total", "counter", "Scored rows.", [f"farthing_rows_total {self.num_rows}"]),
            ("reloads_total", "counter", "Models that were loaded, or refused.", reloads),
            ("model_info", "gauge", "The model in use.", [f'farthing_model_info{{hash="{self.model_hash}"}} 1']),
            ("resident_bytes", "gauge", "Memory in use.", [f"farthing_resident_bytes {resident_bytes()}"]),
        ]
        lines: list[str] = []
        for name, kind, about, samples in families:
            lines += [f"# HELP farthing_{name} {about}", f"# TYPE farthing_{name} {kind}", *samples]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        lines, total = [], 0
        for limit, count in zip((*BUCKETS_S, "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'farthing_request_seconds_bucket{{le="{limit}"}} {total}')
        return [*lines, f"farthing_request_seconds_sum {self._seconds:.6f}", f"farthing_request_seconds_count {total}"]


def resident_bytes() -> int:
    """Memory that this process has in RAM; its peak where the system tells no more."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
