"""podproof takes sentences that people say about Kubernetes and proves them on a real cluster."""

__version__ = "0.1.0"
