"""What a matrix tries: versions of Kubernetes on this machine, and clusters that exist."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from podproof.cluster.embedded import origin
from podproof.cluster.embedded.progress import silent
from podproof.errors import ComponentError, UsageError

_CONTEXT = "context:"
_FLAG = re.compile(r"\+(?=[a-z-]+\.[a-z])")
"""Begins a flag of a component: the plus of a value is not followed by a component and a dot."""


_LONGEST_FLAG = 36
"""Letters that a column's heading has room for."""


@dataclass(frozen=True)
class Target:
    """A column of the matrix.

    Attributes:
        asked: As it was asked for: ``1.33``, ``latest``, ``context:staging``, with flags after a plus.
        name: What it is called: ``1.33.13``, ``staging``; unique in a matrix.
        kind: Whether podproof starts it.
        version: The full version; empty for a context, and where it cannot be had.
        components: ``build``, ``release`` or the directory that Kubernetes comes from; empty for a context.
        context: The context; empty for a version.
        flags: Flags of components that differ from podproof's own, ``component.flag=value``.
        why_not: Why it cannot be tried, in one line; empty if nothing is known against it.
    """

    asked: str
    name: str
    kind: Literal["version", "context"]
    version: str = ""
    components: str = ""
    context: str = ""
    flags: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def directory(self) -> str:
        """The name of the directory of its results: readable, and one for each name."""
        readable = re.sub(r"[^A-Za-z0-9.=,*-]+", "_", self.name)
        if self.kind == "version" or readable == self.name:
            return readable
        # Names of contexts may differ in signs alone that no file should be named by.
        return f"{readable}-{hashlib.sha256(self.name.encode()).hexdigest()[:6]}"


def parse(asked: Sequence[str], components: str | None = None) -> list[Target]:
    """Find out what is meant. One that cannot be had says why, and the others go on.

    Args:
        asked: As it was asked for.
        components: Where Kubernetes' components come from, see `origin.wanted`.

    Raises:
        UsageError: Nothing is asked for, or it makes no sense.
    """
    if not asked:
        raise UsageError("name what to try: versions (1.36 1.37.2 latest) or contexts (context:staging)")
    origin.wanted(components)  # which is the same for all, so it is not a version's fault
    found = [_parse(each, components) for each in asked]
    seen: Counter[str] = Counter()
    unique = []
    for each in found:
        seen[each.name] += 1
        again = seen[each.name] > 1
        unique.append(replace(each, name=f"{each.name} ({seen[each.name]})") if again else each)
    return unique


def _parse(asked: str, components: str | None) -> Target:
    if asked.startswith(_CONTEXT):
        context = asked.removeprefix(_CONTEXT)
        if not context:
            raise UsageError("context: needs the context's name, for example context:staging")
        return Target(asked, context, "context", context=context)
    wanted, *flags = _FLAG.split(asked)
    try:
        found = origin.choose(wanted, components, silent)
    except (ComponentError, UsageError) as error:
        return Target(asked, asked, "version", flags=tuple(flags), why_not=str(error))
    name = " + ".join((found.version, *map(_shown, flags)))
    return Target(asked, name, "version", version=found.version, components=found.place, flags=tuple(flags))


def _shown(flag: str) -> str:
    """A flag in a few letters: without its component, and without a value that is long."""
    short = flag.partition(".")[2]
    return short if len(short) <= _LONGEST_FLAG else short.partition("=")[0]
