"""Steps about storage that every Node reaches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given

from podproof.cluster import capabilities
from podproof.cluster.share import Share
from podproof.kube.kinds import NODE, name
from podproof.kube.node_directories import NodeDirectories
from podproof.kube.scene import Scene


@pytest.fixture
def share(
    scene: Scene, volumes: None, node_directories: NodeDirectories, request: pytest.FixtureRequest
) -> Iterator[Share]:
    """A share that every Node mounts which takes any Pod or may be broken, until the end of the scenario."""
    del volumes  # asked for: without leave nothing is made
    nodes = capabilities.ordinary_nodes(list(scene.recording.latest(NODE)))
    if request.node.get_closest_marker("victim-node"):
        victim = request.getfixturevalue("victim_node")
        nodes += [node for node in scene.recording.latest(NODE) if name(node) == victim]
    made = Share(scene, nodes)
    try:
        made.start()
        yield made
    finally:
        unused = made.stop()
        for node in nodes:
            if name(node) in unused:
                node_directories.use(node)


@given("a share that every Node mounts")
def a_share(share: Share) -> None:
    """Start a server of files and mount them on every Node."""
    del share  # asked for: it is mounted by now
