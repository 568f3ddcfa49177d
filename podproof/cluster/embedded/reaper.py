"""Stops a cluster when the process that it was started for is gone, however that ended.

Run as ``python -m podproof.cluster.embedded.reaper NAME PID``. It waits on a file descriptor of the
process, so it costs no time until then; if the cluster was stopped in the meantime, there is nothing left
to do.
"""

import os
import select
import sys

from .cluster import EmbeddedCluster


def main(name: str, owner: int) -> None:
    """Wait for the owner's end, then stop the cluster if it is still the one that was started for it."""
    try:
        descriptor = os.pidfd_open(owner)
    except ProcessLookupError:
        descriptor = None
    if descriptor is not None:
        select.select([descriptor], [], [])
    EmbeddedCluster(name).release(owner)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
