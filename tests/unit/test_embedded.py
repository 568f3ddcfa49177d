"""The embedded cluster's pure logic."""

import configparser
import platform
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from podproof.cluster import settings
from podproof.cluster.base import Setting
from podproof.cluster.embedded import (
    doctor,
    gobuild,
    gotool,
    netfilter,
    node,
    policies,
    recipes,
    state,
    versions,
)
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.gobuild import Components
from podproof.cluster.embedded.machine import Program, _supervisor_configuration
from podproof.cluster.embedded.network import Addresses
from podproof.cluster.embedded.paths import ClusterPaths, check_name
from podproof.cluster.embedded.progress import Progress
from podproof.errors import ClusterError, ComponentError, MachineError, UsageError


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No cluster and nothing built."""
    monkeypatch.setenv("PODPROOF_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PODPROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("name", ["a", "default", "v1-37", "a" * 20])
def test_names_of_clusters(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "1st", "-a", "a-", "a_b", "a/b", "../a", "a" * 21])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="a cluster's name is at most 20"):
        check_name(name)


def test_sockets_of_the_longest_name_fit_into_the_kernels_limit() -> None:
    longest = ClusterPaths("a" * 20).disk("control-plane") / "podproof" / "containerd.ready"
    assert len(str(longest)) < 108, "sun_path, unix(7)"


@pytest.mark.parametrize(
    ("count", "victims"),
    [
        (1, []),
        (2, []),
        (3, ["node-3"]),
        (4, ["node-3", "node-4"]),
        (5, ["node-4", "node-5"]),
        (6, ["node-4", "node-5", "node-6"]),
    ],
)
def test_half_of_the_nodes_are_victims_as_far_as_two_others_are_left(count: int, victims: list[str]) -> None:
    specs = node.specifications(count, Addresses(7))
    assert [spec.name for spec in specs if spec.victim] == victims
    assert [spec.address for spec in specs] == [f"198.18.7.{10 + number}" for number in range(1, count + 1)]
    assert len({spec.pod_range for spec in specs}) == count


def test_only_victims_are_tainted() -> None:
    spared, victim = (
        node.registration(node.NodeSpec(1, False, "a", "c")),
        node.registration(node.NodeSpec(2, True, "b", "c")),
    )
    assert spared["spec"] == {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"], "taints": []}
    assert victim["spec"] == {
        "podCIDR": "10.244.2.0/24",
        "podCIDRs": ["10.244.2.0/24"],
        "taints": [{"key": "podproof.dev/victim", "value": "true", "effect": "NoSchedule"}],
    }


@pytest.mark.parametrize("nodes", [0, 10, -1])
def test_a_number_of_nodes_that_makes_no_sense(nodes: int) -> None:
    with pytest.raises(UsageError, match=f"1 to 9 Nodes, not {nodes}"):
        EmbeddedCluster(nodes=nodes)


@pytest.mark.parametrize(("text", "parsed"), [("1.37.1", (1, 37, 1)), ("v1.33.13", (1, 33, 13))])
def test_versions(text: str, parsed: tuple[int, int, int]) -> None:
    assert versions.parse(text) == parsed


def test_no_version_means_the_default_and_a_full_one_itself() -> None:
    assert versions.resolve(None) == recipes.DEFAULT_KUBERNETES
    assert versions.resolve("v1.36.1") == "1.36.1"


def test_supervisor_takes_percent_signs_and_restarts_for_good() -> None:
    text = _supervisor_configuration(
        [Program("app", ["/bin/app", "--share=50%"], {"A": "1%"}, start_at_boot=False)]
    )
    parsed = configparser.RawConfigParser()
    parsed.read_string(text)
    section = parsed["program:app"]
    assert section["command"] == "/bin/app --share=50%%"
    assert section["environment"] == 'A="1%%"'
    assert section["autostart"] == "false"
    assert section["autorestart"] == "true"


def test_commands_of_one_module_are_built_one_after_the_other() -> None:
    groups = gobuild._by_module(list(recipes.every_recipe(recipes.DEFAULT_KUBERNETES)))
    first, *_ = groups
    assert [recipe.name for recipe in first] == ["kubernetes", "agnhost"]
    assert sum(map(len, groups)) == len(recipes.every_recipe(recipes.DEFAULT_KUBERNETES))


def test_commands_whose_package_has_another_name_are_built_by_themselves() -> None:
    assert gobuild._calls(recipes.ETCD) == [["etcd"]]
    assert gobuild._calls(recipes.CNI_PLUGINS) == [["ptp", "loopback", "host-local", "portmap"]]


@pytest.mark.parametrize("text", ["one", "one two one"])
def test_a_module_that_is_not_what_is_to_be_patched_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    module = tmp_path / "module"
    module.mkdir()
    (module / "queue.go").write_text(text)
    monkeypatch.setattr(gotool, "ask", lambda _: {"Dir": str(module)})
    directory = tmp_path / "build"
    directory.mkdir()
    patch = recipes.Patch("example.org/queues", "queue.go", (("one", "1"), ("two", "2")))
    with pytest.raises(ComponentError, match=r"^example.org/queues v1.0.0: queue.go is not what is to be"):
        gobuild._patched(patch, "v1.0.0", directory)
    (module / "queue.go").write_text("one two")
    shutil.rmtree(directory / "patched")
    assert (gobuild._patched(patch, "v1.0.0", directory) / "queue.go").read_text() == "1 2"


def test_a_patch_is_part_of_a_builds_name() -> None:
    recipe = recipes.NETWORK_POLICIES
    assert gobuild.directory_of(recipe) != gobuild.directory_of(replace(recipe, patch=None))


def test_images_do_not_depend_on_what_enforces_policies() -> None:
    directories = {"kubernetes": "/k-1", "etcd": "/e-1"}
    one, other = Components.of(directories), Components.of(directories | {"kube-network-policies": "/p-1"})
    assert one.images_key == other.images_key


def test_the_name_of_a_build_changes_with_all_that_goes_into_it() -> None:
    names = {
        gobuild.directory_of(recipes.kubernetes(version)).name for version in ("1.36.1", "1.37.1", "1.37.2")
    }
    assert len(names) == 3
    assert gobuild.directory_of(recipes.ETCD) == gobuild.directory_of(recipes.ETCD)


def test_progress_tells_the_seconds() -> None:
    said: list[str] = []
    progress = Progress(said.append)
    progress("one")
    progress("two")
    assert [line[line.index("]") + 2 :] for line in said] == ["one\n", "two\n"]
    assert said[0].startswith("[   0.0 s]")


def test_a_cluster_that_does_not_run_says_how_to_start_it(empty: Path) -> None:
    cluster = EmbeddedCluster("nobody")
    assert not cluster.is_complete
    with pytest.raises(
        ClusterError, match="cluster nobody is not running: podproof up --name nobody starts it"
    ):
        _ = cluster.kubernetes_version
    assert state.every_name() == []
    assert not (empty / "state").exists(), "asking leaves nothing"


def test_a_cluster_of_an_earlier_podproof_is_told_by_what_it_lacks() -> None:
    running = state.State("1.37.2", 4, 0, None, complete=True, components={"kubernetes": "/k-1"})
    assert EmbeddedCluster("old")._difference(running).startswith("by an earlier podproof")


def test_the_first_thing_that_lacks_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(_: str, __: int, *, components: str) -> Iterator[doctor.Finding]:
        assert components == "build"
        yield doctor.Finding("tools", "unshare")
        yield doctor.Finding("Go", "none", "apt-get install golang-go")
        yield doctor.Finding("free disk", "1 GiB", "free 10 GiB")

    monkeypatch.setattr(doctor, "examine", examine)
    with pytest.raises(MachineError) as raised:
        doctor.require("1.37.1", 4)
    assert str(raised.value) == "Go: none: apt-get install golang-go (and 1 more: podproof doctor)"


def test_a_kernel_that_cannot_hold_packets_back_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netfilter, "why_no_queue", lambda: "no nfnetlink_queue (No such file)")
    finding = doctor._queue()
    assert not finding.well
    assert "nfnetlink_queue" in finding.remedy


@pytest.mark.parametrize(("release", "worked_around"), [("6.8.0-52-generic", True), ("6.18.1", False)])
def test_dns_is_judged_elsewhere_where_the_kernel_would_lose_it(
    monkeypatch: pytest.MonkeyPatch, release: str, *, worked_around: bool
) -> None:
    monkeypatch.setattr(platform, "release", lambda: release)
    command = policies.program(Components.of({policies.AGENT: "/p-1"}), "node-1", "198.18.0.10").command
    assert f"--netfilter-bug-1766-fix={str(worked_around).lower()}" in command


@pytest.mark.parametrize(("system", "user"), [("Darwin", 0), ("Linux", 1000)])
def test_without_root_or_off_linux_one_line_says_both_ways_on(
    monkeypatch: pytest.MonkeyPatch, system: str, user: int
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("os.geteuid", lambda: user)
    with pytest.raises(MachineError) as raised:
        doctor.require("1.37.1", 4)
    text = str(raised.value)
    assert "run as root (sudo)" in text
    assert "pytest features/ --context NAME" in text
    assert "\n" not in text


def test_settings_that_the_controllers_tell_are_not_assumed() -> None:
    told = settings._from_controllers(
        {
            "NodeLifecycleController": {"NodeMonitorGracePeriod": "40s"},
            "KubeCloudShared": {"NodeMonitorPeriod": "5s"},
        }
    )
    assert told["node-monitor-grace-period"] == Setting("40s", "kube-controller-manager, /configz")
    assert not any(setting.assumed for setting in told.values())
