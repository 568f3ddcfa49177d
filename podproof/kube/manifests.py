"""Manifests: read from files, and remembered as they were applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from podproof.errors import UsageError
from podproof.kube.kinds import Object


@dataclass(frozen=True, slots=True)
class Applied:
    """One object that podproof applied.

    Attributes:
        source: The manifest's file, or what else it came from.
        submitted: The object as sent.
        stored: The object as the server stored it, defaults filled in.
    """

    source: str
    submitted: Object
    stored: Object


def load(path: Path) -> list[Object]:
    """The objects of a YAML file, in order.

    Raises:
        UsageError: The file is missing, is not YAML or has a document that is not an object of the API.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the manifest {path}: {error}") from error
    objects = [document for document in documents if document is not None]
    for document in objects:
        if not isinstance(document, dict) or not {"apiVersion", "kind", "metadata"} <= document.keys():
            raise UsageError(f"{path} has a document without apiVersion, kind and metadata")
    return objects
