"""How long the cluster's DNS may go on saying what is no longer so: CoreDNS' own configuration, read."""

import re

_PLUGIN_TTL = 5
"""Seconds that answers of the plugin "kubernetes" live by default, coredns.io/plugins/kubernetes."""

_PLUGIN_CACHE = 3600
"""Seconds that the plugin "cache" keeps an answer at most by default, coredns.io/plugins/cache."""


def cache_time(corefile: str) -> int | None:
    """Seconds for which an answer about a Service may be kept, or None if the file is not understood.

    An answer lives no longer than its TTL says and than the cache keeps it. A Corefile may leave the names of
    the cluster out of the cache, as kubeadm's does.
    """
    kubernetes = re.search(r"^\s*kubernetes\b([^{\n]*)(?:\{(.*?)\})?", corefile, re.MULTILINE | re.DOTALL)
    if kubernetes is None:
        return None
    zone = next(iter(kubernetes[1].split()), "")
    ttl = re.search(r"^\s*ttl\s+(\d+)", kubernetes[2] or "", re.MULTILINE)
    lifetime = int(ttl[1]) if ttl else _PLUGIN_TTL
    cache = re.search(r"^\s*cache\b([^{\n]*)(?:\{(.*?)\})?", corefile, re.MULTILINE | re.DOTALL)
    if cache is None:
        return 0
    disabled = re.search(r"^\s*disable\s+success\b(.*)$", cache[2] or "", re.MULTILINE)
    if disabled and (not disabled[1].split() or zone in disabled[1].split()):
        return 0
    kept = re.match(r"\s*(\d+)", cache[1])
    return min(lifetime, int(kept[1]) if kept else _PLUGIN_CACHE)
