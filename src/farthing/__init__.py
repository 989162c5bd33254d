"""Few bits, few labels: low-bit recommenders, page filters and class discovery that run on a CPU."""

__version__ = "0.1.0"
