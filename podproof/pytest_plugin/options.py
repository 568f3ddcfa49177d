"""What can be said on pytest's command line, and what it asks of the cluster."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

_GROUP = "podproof"
DEFAULT_NAME = "default"


def add_options(parser: pytest.Parser) -> None:
    """Add podproof's options to pytest's."""
    group = parser.getgroup(_GROUP, "podproof: claims about Kubernetes")
    group.addoption(
        "--context",
        metavar="NAME",
        help="use this context's cluster instead of the embedded one; the current context is never used "
        "unless it is named here",
    )
    group.addoption(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="the file that has the context (default: what kubectl would use)",
    )
    group.addoption("--kubernetes-version", metavar="X.Y.Z", help="version of the embedded cluster")
    group.addoption(
        "--components",
        metavar="build|release|DIR",
        help="where the embedded cluster's Kubernetes comes from (default: $PODPROOF_COMPONENTS, or else "
        "what is cached, or else the release if its site answers)",
    )
    group.addoption(
        "--cluster-set",
        action="append",
        default=[],
        metavar="COMPONENT.FLAG=VALUE",
        help="start the embedded cluster with this flag of a component, for example "
        "kube-controller-manager.node-monitor-grace-period=75s; may be given again",
    )
    group.addoption(
        "--cluster-name",
        default=DEFAULT_NAME,
        metavar="NAME",
        help="name of the embedded cluster (default: %(default)s)",
    )
    group.addoption(
        "--nodes",
        type=int,
        metavar="N",
        help="how many Nodes the embedded cluster has, if it is started for this run; half of "
        "them are for Node faults",
    )
    group.addoption(
        "--repeat",
        default="1",
        metavar="N",
        help="run every selected scenario N times, and report the spread of each measurement "
        "(default: %(default)s)",
    )
    group.addoption(
        "--keep-on-failure",
        action="store_true",
        help="leave the namespace of a scenario that failed, to look at it",
    )
    group.addoption(
        "--allow-node-disk",
        action="store_true",
        help="with --context: let scenarios read the disks of the Nodes, and write to /mnt/podproof there",
    )
    group.addoption(
        "--allow-cluster-objects",
        action="store_true",
        help="with --context: let scenarios make PersistentVolumes, StorageClasses and ClusterRoles",
    )
    group.addoption(
        "--allow-node-faults",
        metavar="NODE[,NODE]",
        help="with --context: let faults break these Nodes, through privileged Pods on them",
    )
    group.addoption(
        "--reports-dir",
        type=Path,
        default=Path("reports"),
        metavar="DIR",
        help="where reports go (default: %(default)s)",
    )


def check_options(config: pytest.Config) -> None:
    """Refuse what makes no sense together.

    Raises:
        pytest.UsageError: With one line that says what.
    """
    wanted = str(config.getoption("repeat"))
    if not wanted.isdecimal() or not int(wanted):
        raise pytest.UsageError(f"--repeat takes how often each scenario runs, 1 or more, not {wanted!r}")
    context, kubeconfig = config.getoption("context"), config.getoption("kubeconfig")
    if kubeconfig and not context:
        raise pytest.UsageError("--kubeconfig needs --context NAME: podproof never uses the current context")
    if config.getoption("allow_node_faults") and not context:
        raise pytest.UsageError(
            "--allow-node-faults needs --context NAME: the embedded cluster has Nodes of its own for that"
        )
    if not context:
        return
    embedded = {
        "--kubernetes-version": config.getoption("kubernetes_version"),
        "--components": config.getoption("components"),
        "--cluster-set": config.getoption("cluster_set"),
        "--nodes": config.getoption("nodes"),
        "--cluster-name": config.getoption("cluster_name") != DEFAULT_NAME,
    }
    if asked := [name for name, value in embedded.items() if value]:
        raise pytest.UsageError(
            f"{', '.join(asked)} is about the embedded cluster, --context names another: use one of them"
        )


def allowed_victims(config: pytest.Config) -> list[str]:
    """The Nodes of an existing cluster that may be broken."""
    return [each for each in (config.getoption("allow_node_faults") or "").split(",") if each]


def repetitions(config: pytest.Config) -> int:
    """How often each scenario is to run."""
    return int(config.getoption("repeat"))


def repeat_command(config: pytest.Config, nodeid: str) -> str:
    """The command that runs just this scenario again, as often and on the same cluster."""
    words = ["pytest", nodeid]
    for option, default in (
        ("--context", None),
        ("--kubeconfig", None),
        ("--kubernetes-version", None),
        ("--components", None),
        ("--cluster-name", DEFAULT_NAME),
        ("--nodes", None),
        ("--allow-node-faults", None),
        ("--repeat", "1"),
    ):
        value = config.getoption(option.removeprefix("--").replace("-", "_"))
        if value != default:
            words += [option, str(value)]
    for flag in config.getoption("cluster_set"):
        words += ["--cluster-set", flag]
    words += [
        option
        for option in ("--allow-node-disk", "--allow-cluster-objects")
        if config.getoption(option.removeprefix("--").replace("-", "_"))
    ]
    return shlex.join(words)


def names_features(config: pytest.Config) -> bool:
    """Whether the command line asks for feature files, by name or by their directory."""
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        if path.suffix == ".feature" or (path.is_dir() and any(path.rglob("*.feature"))):
            return True
    return False
