"""What can go wrong, and the exit status that says so.

Every error that a user may meet is one line: what happened, where, and what to do about it. An entry
point prints that line and exits with the error's status; a traceback means a defect of podproof.
"""

from typing import ClassVar


class PodproofError(Exception):
    """An error whose text is one clear line for the user.

    Attributes:
        exit_status: What the process exits with when this error ends it.
    """

    exit_status: ClassVar[int] = 1


class UsageError(PodproofError):
    """The command line or a file of the suite asks for something that makes no sense."""

    exit_status = 2


class MachineError(PodproofError):
    """This machine lacks something that the embedded cluster needs; `podproof doctor` says what."""

    exit_status = 10


class ComponentError(PodproofError):
    """A component of Kubernetes, in the version asked for, cannot be had or built."""

    exit_status = 11


class ClusterError(PodproofError):
    """The cluster did not start, cannot be reached, or is not the one that was meant."""

    exit_status = 12


class TrialError(PodproofError):
    """The trial of a claim failed, so nothing was proven: the verdict is NOT PROVEN, never FALSE."""

    exit_status = 13


class FaultLostError(TrialError):
    """A fault was not there all the time: whatever the cluster did then is no answer to it."""


class CleanupError(TrialError):
    """Something that podproof made could not be removed; the text names it."""

    exit_status = 14


class NotApplicable(Exception):  # noqa: N818 - nothing went wrong: there is nothing to try here
    """The cluster lacks a capability, which the text names; the scenario ends as NOT APPLICABLE."""
