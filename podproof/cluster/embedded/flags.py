"""Flags of components that a cluster is started with, instead of those that it would have."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from podproof.errors import UsageError

from .machine import Program

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "etcd")

_SYNTAX = re.compile(r"(?P<component>[a-z-]+)\.(?P<name>[A-Za-z0-9][\w.-]*)=(?P<value>[^\0-\x1f]*)")
_EXAMPLE = "kube-controller-manager.node-monitor-grace-period=75s"


@dataclass(frozen=True)
class Flag:
    """One flag of one component.

    Attributes:
        component: Whose.
        name: Without dashes before it.
        value: As the component takes it.
    """

    component: str
    name: str
    value: str

    @property
    def text(self) -> str:
        """As it is given on a command line."""
        return f"{self.component}.{self.name}={self.value}"

    @classmethod
    def parse(cls, text: str) -> "Flag":
        """Take ``COMPONENT.FLAG=VALUE`` apart; everything after the first equals sign is the value.

        Raises:
            UsageError: It is nothing like that, or there is no such component.
        """
        match = _SYNTAX.fullmatch(text)
        if not match:
            raise UsageError(f"{text!r} sets no flag: give COMPONENT.FLAG=VALUE, for example {_EXAMPLE}")
        if match["component"] not in COMPONENTS:
            known = ", ".join(COMPONENTS)
            raise UsageError(f"{text!r} sets a flag of no component: those that have any are {known}")
        return cls(**match.groupdict())


def with_flags(programs: Sequence[Program], texts: Sequence[str]) -> list[Program]:
    """The programs with these flags: each instead of one that is there already, or else in addition.

    A flag that is given more than once is handed on as often: what that means is the component's business.

    Raises:
        UsageError: A text is no flag.
    """
    flags = [Flag.parse(text) for text in texts]
    return [
        _changed(program, [flag for flag in flags if flag.component == program.name]) for program in programs
    ]


def _changed(program: Program, flags: Sequence[Flag]) -> Program:
    given = {_spelled(flag.name) for flag in flags}
    kept = [word for word in program.command if _name_of(str(word)) not in given]
    return replace(program, command=[*kept, *(f"--{flag.name}={flag.value}" for flag in flags)])


def _name_of(word: str) -> str | None:
    return _spelled(word[2:].partition("=")[0]) if word.startswith("--") else None


def _spelled(name: str) -> str:
    """Components take ``-`` and ``_`` for the same (k8s.io/component-base/cli/flag)."""
    return name.replace("_", "-")
