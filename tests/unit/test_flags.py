"""Flags of components that are set differently."""

import shlex

import pytest
from supervisor.options import UnhosedConfigParser

from podproof.cluster.embedded import start
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.flags import COMPONENTS, Flag, with_flags
from podproof.cluster.embedded.machine import Program, _supervisor_configuration
from podproof.errors import UsageError

AWKWARD = [
    "*,-horizontal-pod-autoscaler-controller",
    "memory.available<100Mi",
    "A=true,B=false",
    "50%",
    "%(ENV_HOME)s",
    'it\'s "quoted" \\ and more',
    "a ;b  #c",
    "; ;; # '' ;",
    "",
    " ",
    "$HOME `id` ~",
]


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        (
            "kube-controller-manager.controllers=*,-a",
            Flag("kube-controller-manager", "controllers", "*,-a"),
        ),
        (
            "kube-apiserver.feature-gates=A=true,B=false",
            Flag("kube-apiserver", "feature-gates", "A=true,B=false"),
        ),
        (
            "etcd.listen-metrics-urls=http://1.2.3.4:1",
            Flag("etcd", "listen-metrics-urls", "http://1.2.3.4:1"),
        ),
        ("kubelet.v=", Flag("kubelet", "v", "")),
    ],
)
def test_a_flag(text: str, flag: Flag) -> None:
    assert Flag.parse(text) == flag
    assert flag.text == text


@pytest.mark.parametrize(
    "text", ["", "kubelet", "kubelet.v", "kubelet=4", ".v=4", "kubelet.=4", "kubelet.--v=4", "kubelet.v=4\n5"]
)
def test_what_sets_no_flag(text: str) -> None:
    with pytest.raises(UsageError, match=r"sets no flag: give COMPONENT\.FLAG=VALUE, for example"):
        EmbeddedCluster(flags=[text])


def test_a_component_that_there_is_none_of() -> None:
    with pytest.raises(UsageError) as raised:
        EmbeddedCluster(flags=["scheduler.v=4"])
    assert str(raised.value) == (
        f"'scheduler.v=4' sets a flag of no component: those that have any are {', '.join(COMPONENTS)}"
    )


def test_a_flag_that_is_there_is_replaced_and_others_are_added() -> None:
    programs = [
        Program("kubelet", ["/bin/kubelet", "--node-ip=1", "--config=a"]),
        Program("etcd", ["/bin/etcd", "--unsafe-no-fsync", "--name=a=b"]),
        Program("containerd", ["/bin/containerd", "--config", "a"]),
    ]
    changed = with_flags(
        programs,
        ["kubelet.node_ip=2", "kubelet.v=4", "kubelet.v=5", "etcd.unsafe-no-fsync=false", "etcd.name=c=d"],
    )
    assert [program.command for program in changed] == [
        ["/bin/kubelet", "--config=a", "--node_ip=2", "--v=4", "--v=5"],
        ["/bin/etcd", "--unsafe-no-fsync=false", "--name=c=d"],
        ["/bin/containerd", "--config", "a"],
    ]
    assert with_flags(programs, []) == programs


@pytest.mark.parametrize("value", AWKWARD)
def test_values_reach_a_component_through_supervisor_as_they_are(value: str) -> None:
    [program] = with_flags([Program("kubelet", ["/path with spaces/kubelet"])], [f"kubelet.flag={value}"])
    parser = UnhosedConfigParser()
    parser.read_string(_supervisor_configuration([program]))
    command = parser.saneget("program:kubelet", "command", expansions={"ENV_HOME": "/root"})
    assert shlex.split(command) == ["/path with spaces/kubelet", f"--flag={value}"]


@pytest.mark.parametrize(
    ("log", "complaint"),
    [
        ("Usage:\n  -v\n\nError: unknown flag: --nonsense\n", "unknown flag: --nonsense"),
        (
            'E1126 04:43:58.6 23 run.go:72] "command failed" err="not a flag: no"\nlast words\n',
            '"not a flag: no"',
        ),
        (
            "flag provided but not defined: -nonsense\nUsage:\n\n  etcd gateway\n",
            "flag provided but not defined: -nonsense",
        ),
        (
            'invalid value "x" for flag -quota: parse error\nUsage:\n',
            'invalid value "x" for flag -quota: parse error',
        ),
        ("panic: oh\n\nits last words\n\n", "its last words"),
        ("", "no output"),
    ],
)
def test_the_complaint_of_a_component_is_found_in_its_log(log: str, complaint: str) -> None:
    assert start._complaint(log) == complaint
