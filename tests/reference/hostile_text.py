"""Names that break pages which do not escape: markup, attributes, styles, charts' formulas, control characters."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</text></g></svg><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<iframe src='https://example.invalid'></iframe>",
    "<style>*{display:none}</style>",
    "x;background:url(https://example.invalid)",
    "$\\frac{a}{b}$ $unclosed",
    "a\u202eb\u0000c\u0007d",
    "\u0645\u0631\u062d\u0628\u0627 \u4f60\u597d \U0001f600",
    "x" * 300,
)
