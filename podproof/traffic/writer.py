"""A client that stores one object after the other, and knows which were acknowledged."""

from __future__ import annotations

import threading
import time
from typing import Self

import urllib3

from podproof.errors import PodproofError, TrialError
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.kinds import Kind, Object, name, uid

_CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
_PREFIX = "stored-"
_PAUSE = 0.05
"""Seconds after a refusal: a server that is down refuses thousands of requests a second."""


class Writer:
    """Stores ConfigMaps in a namespace, in a thread of its own, as a context manager.

    An object whose answer is lost is not stored again: it may be there or not, and proves nothing.

    Attributes:
        acknowledged: What the server answered to each that it acknowledged, by name.
        longest_silence: The most seconds between two acknowledgements.
    """

    def __init__(self, api: Api, namespace: str) -> None:
        """Prepare; nothing is stored before the context begins."""
        self.acknowledged: dict[str, Object] = {}
        self.longest_silence = 0.0
        self._api = api
        self._namespace = namespace
        self._ended = threading.Event()
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._ended.set()
        self._thread.join(deadlines.API_REQUEST.seconds)

    def await_acknowledged(self, more: int) -> None:
        """Return after so many further acknowledgements.

        Raises:
            TrialError: They do not come.
        """
        with self._news:
            goal = len(self.acknowledged) + more
            if not self._news.wait_for(
                lambda: len(self.acknowledged) >= goal, deadlines.OBJECTS_STORED.patience
            ):
                raise TrialError(
                    f"{len(self.acknowledged) + more - goal} of {more} objects were acknowledged within "
                    f"{deadlines.OBJECTS_STORED}"
                )

    def stop(self) -> list[str]:
        """End it; gives the names of objects that were acknowledged and are not there as they were stored."""
        self.__exit__()
        there = {name(each): each for each in self._api.list(_CONFIG_MAP, self._namespace)["items"]}
        return [
            stored
            for stored, answer in self.acknowledged.items()
            if stored not in there
            or uid(there[stored]) != uid(answer)
            or there[stored].get("data") != answer.get("data")
        ]

    def _write(self) -> None:
        last = time.monotonic()
        number = 0
        while not self._ended.is_set():
            number += 1
            thing: Object = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"{_PREFIX}{number}"},
                "data": {"number": str(number)},
            }
            try:
                stored = self._api.create(_CONFIG_MAP, self._namespace, thing)
            except (PodproofError, urllib3.exceptions.HTTPError):
                self._ended.wait(_PAUSE)
                continue
            now = time.monotonic()
            with self._news:
                self.longest_silence = max(self.longest_silence, now - last)
                self.acknowledged[name(stored)] = stored
                self._news.notify_all()
            last = now
