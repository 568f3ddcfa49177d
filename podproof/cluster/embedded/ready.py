"""Hearing from a service that it is ready, by the protocol of sd_notify(3)."""

import socket
import time
from pathlib import Path


class ReadySocket:
    """Receives the message by which a service says that it is ready: sd_notify(3)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def wait(self, seconds: float) -> bool:
        """Wait for the message; false if it did not come within `seconds`."""
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if b"READY=1" in self._socket.recv(4096):
                    return True
        except TimeoutError:
            pass
        finally:
            self._socket.close()
            self.path.unlink(missing_ok=True)
        return False
