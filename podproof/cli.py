"""The command line: the embedded cluster, by hand."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from podproof import __version__, interruption
from podproof.cluster.embedded import doctor, flags, origin, state
from podproof.cluster.embedded.cluster import DEFAULT_NAME, DEFAULT_NODES, EmbeddedCluster
from podproof.cluster.embedded.gobuild import Components
from podproof.cluster.embedded.machine import Machine
from podproof.cluster.embedded.progress import Progress, silent
from podproof.cluster.embedded.recipes import DEFAULT_KUBERNETES
from podproof.errors import CleanupError, MachineError, PodproofError, UsageError

_INTERRUPTED = 130
"""What a shell reports for a program that was ended by Ctrl-C, and what ends as if by it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # argparse mixes what follows "--" with the command's own arguments.
    ours, theirs = _split(words) if words[:1] == ["matrix"] else (words, [])
    options = _parser().parse_args(ours)
    options.pytest = theirs
    command: Callable[[argparse.Namespace], int] = options.command
    undo = interruption.on_sigterm()
    try:
        return command(options)
    except PodproofError as error:
        print(f"podproof: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("podproof: interrupted; podproof down removes what was started", file=sys.stderr)
        return _INTERRUPTED
    finally:
        undo()


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is ours, and what follows the first ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return list(words[:at]), list(words[at + 1 :])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="podproof",
        description="Start, inspect and stop real Kubernetes clusters on this machine. "
        "Claims are proved on them with: pytest features/",
    )
    parser.add_argument("--version", action="version", version=f"podproof {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(command=run)
        command.add_argument("--name", default=DEFAULT_NAME, help="which cluster (default: %(default)s)")
        return command

    up = add("up", _up, "start a cluster, or repair it; does nothing if it runs")
    _add_version(up)
    up.add_argument(
        "--nodes",
        type=int,
        help=f"how many Nodes (default: {DEFAULT_NODES}); half of them are for Node faults",
    )
    up.add_argument(
        "--set",
        action="append",
        default=[],
        dest="flags",
        metavar="COMPONENT.FLAG=VALUE",
        help="start it with this flag of a component, for example "
        "kube-controller-manager.node-monitor-grace-period=75s; may be given again; components are "
        f"{', '.join(flags.COMPONENTS)}",
    )
    add("down", _down, "stop a cluster and remove everything of it")
    status = add("status", _status, "show the clusters of this machine, or one with its machines")
    status.set_defaults(name=None)
    add("kubeconfig", _kubeconfig, "print the path of a cluster's kubeconfig")
    kubectl = add("kubectl", _kubectl, "run the cluster's own kubectl on it")
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER, help="what kubectl is told")
    logs = add("logs", _logs, "print the log of a component or of all components of a Node")
    logs.add_argument(
        "what", metavar="COMPONENT|NODE", help="for example kube-apiserver, kubelet, node-1, node-1/kubelet"
    )
    build = add(
        "build", _build, "build the components and images of a version into the cache, and start nothing"
    )
    _add_version(build)
    examine = add("doctor", _doctor, "say what this machine lacks for a cluster, and what mends it")
    _add_version(examine)
    _add_matrix(
        commands.add_parser("matrix", help=_MATRIX, description=f"{_MATRIX[0].upper()}{_MATRIX[1:]}.")
    )
    text = "undo faults, and remove what else runs that were killed have left on clusters"
    clean = commands.add_parser("clean", help=text, description=f"{text[0].upper()}{text[1:]}.")
    clean.set_defaults(command=_clean)
    text = "list the steps that scenarios are made of, with an example of each"
    steps = commands.add_parser("steps", help=text, description=f"{text[0].upper()}{text[1:]}.")
    steps.set_defaults(command=_steps)
    steps.add_argument(
        "suite", nargs="?", type=Path, default=Path(), help="what has steps/ and features/ (default: .)"
    )
    return parser


_MATRIX = "try several versions of Kubernetes, or clusters, and show what differs between them"


def _add_matrix(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_matrix)
    parser.usage = "podproof matrix TARGET... [options] [-- PYTEST-OPTION...]"
    parser.epilog = (
        "Exit status: 0 nothing became worse, 1 something did, 2 it could not be told. "
        "What follows -- is passed on to pytest, for example: -- -m 'not slow'"
    )
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="TARGET",
        help="a version (1.36, 1.37.2, latest), with flags of its components if wanted "
        "(1.37+kube-controller-manager.node-monitor-grace-period=75s), or context:NAME",
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=1,
        metavar="N",
        help="run what measures a recovery within half a minute N times; "
        "8 are the fewest that tell a difference from noise (default: %(default)s)",
    )
    _add_components(parser)
    parser.add_argument("--resume", action="store_true", help="keep what was tried before in the same way")
    parser.add_argument("--baseline", type=Path, metavar="FILE", help="compare with this matrix.json, too")
    parser.add_argument(
        "--workers",
        type=int,
        default=3,
        metavar="N",
        help="how many scenarios at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("reports/matrix"),
        metavar="DIR",
        help="where everything goes (default: %(default)s)",
    )


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kubernetes-version",
        metavar="VERSION",
        help=f"a patch release (1.33.13), a minor one (1.33) or latest (default: {DEFAULT_KUBERNETES})",
    )
    _add_components(parser)


def _add_components(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--components",
        metavar="build|release|DIR",
        help="where Kubernetes' own components come from: built here, the project's own binaries, or a "
        "directory that has them all (default: $PODPROOF_COMPONENTS, or else what is cached, or else the "
        "release if its site answers)",
    )


def _up(options: argparse.Namespace) -> int:
    report = Progress()
    cluster = EmbeddedCluster(
        options.name,
        kubernetes_version=options.kubernetes_version,
        nodes=options.nodes,
        components=options.components,
        flags=options.flags,
        report=report,
    )
    started = cluster.up()
    what = f"Kubernetes {cluster.kubernetes_version} on {len(cluster.nodes)} Nodes"
    report(f"{what}: ready" if started else f"{what}: runs already")
    print(f"export KUBECONFIG={cluster.kubeconfig}")
    return 0


def _down(options: argparse.Namespace) -> int:
    stopped = EmbeddedCluster(options.name, report=Progress()).down()
    print(f"cluster {options.name} is gone" if stopped else f"there was no cluster {options.name}")
    return 0


def _status(options: argparse.Namespace) -> int:
    doctor.require_root()
    if options.name is None:
        names = state.every_name()
        for name in names:
            print(_summary(EmbeddedCluster(name)))
        if not names:
            print("no cluster runs here; podproof up starts one")
        return 0
    cluster = _running(options.name)
    print(_summary(cluster))
    for machine in cluster.machines():
        print(f"  {machine.name:<14} {machine.address:<14} {_describe(machine)}")
    return 0


def _summary(cluster: EmbeddedCluster) -> str:
    try:
        version, nodes, owner = cluster.kubernetes_version, len(cluster.nodes), cluster.owner
    except PodproofError:
        remedy = f"podproof down --name {cluster.name} removes it"
        return f"{cluster.name}: being started, or left by a start that was cut off; {remedy}"
    condition = "runs" if cluster.is_complete else "is not whole; podproof up repairs it"
    bound = "" if owner is None else f", until process {owner} ends"
    changed = "".join(f", {flag}" for flag in cluster.flags)
    what = f"Kubernetes {version} ({cluster.components_origin}), {nodes} Nodes{changed}"
    return f"{cluster.name}: {what}, {condition}{bound}"


def _describe(machine: Machine) -> str:
    processes = machine.processes()
    if not processes:
        return "off"
    programs = ", ".join(f"{name} {condition.lower()}" for name, condition in machine.programs().items())
    memory = 0
    for process in processes:
        try:
            memory += process.memory_full_info().pss
        except psutil.Error:
            continue  # it ended in between
    return f"{len(processes):3} processes, {memory / 2**20:5.0f} MiB: {programs}"


def _kubeconfig(options: argparse.Namespace) -> int:
    print(_running(options.name).kubeconfig)
    return 0


def _kubectl(options: argparse.Namespace) -> int:
    cluster = _running(options.name)
    command = str(cluster.components.command("kubectl"))
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    sys.stdout.flush()
    os.execve(  # noqa: S606 - kubectl takes over this process, its terminal and its exit status
        command, [command, *arguments], os.environ | {"KUBECONFIG": str(cluster.kubeconfig)}
    )


def _running(name: str) -> EmbeddedCluster:
    doctor.require_root()
    cluster = EmbeddedCluster(name)
    _ = cluster.kubernetes_version  # which only a running cluster has
    return cluster


def _logs(options: argparse.Namespace) -> int:
    machine_name, _, component = options.what.rpartition("/")
    machines = _running(options.name).machines()
    every = [(machine.name, file) for machine in machines for file in sorted(machine.logs.glob("*.log"))]
    files = [
        (machine, file)
        for machine, file in every
        if (machine_name in ("", machine) and file.stem == component) or (machine == options.what)
    ]
    if not files:
        known = sorted({file.stem for _, file in every})
        raise UsageError(
            f"nothing called {options.what} keeps a log: components are {', '.join(known)}; "
            f"machines are {', '.join(machine.name for machine in machines)}"
        )
    for machine, file in files:
        if len(files) > 1:
            print(f"==> {machine}/{file.stem} <==")
        with file.open(errors="replace") as log:
            for line in log:
                sys.stdout.write(line)
    return 0


def _build(options: argparse.Namespace) -> int:
    from podproof.cluster.embedded import store  # only a machine that can build gets this far

    report = Progress()
    own = origin.choose(options.kubernetes_version, options.components, report)
    doctor.require(own.version, 0, components=own.place)
    store.template(Components(own.version, report, origin=own.place), report)
    report(f"Kubernetes {own.version} and all that goes with it is there")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    lacking = 0
    own = origin.choose(options.kubernetes_version, options.components, silent)
    for finding in doctor.examine(own.version, DEFAULT_NODES, components=own.place):
        mark = "ok   " if finding.well else "LACKS"
        print(f"{mark}  {finding.what}: {finding.found}")
        if not finding.well:
            lacking += 1
            print(f"       mend it: {finding.remedy}")
    print("this machine can run an embedded cluster" if not lacking else f"lacking: {lacking}")
    return MachineError.exit_status if lacking else 0


def _matrix(options: argparse.Namespace) -> int:
    # Only this command needs them.
    from podproof.matrix import document, run, targets, trials

    if options.samples < 1 or options.workers < 1:
        raise UsageError("--samples and --workers take 1 or more")
    baseline = document.read(options.baseline) if options.baseline else None
    found = targets.parse(options.targets, options.components)
    if any(each.kind == "version" for each in found):
        doctor.require_root()
    how = trials.Options(options.samples, options.workers, tuple(options.pytest))
    try:
        made = run.run(found, how, options.directory, Progress(), resume=options.resume, baseline=baseline)
    except KeyboardInterrupt:
        print(
            "podproof: interrupted; the same command with --resume goes on where it stopped", file=sys.stderr
        )
        return _INTERRUPTED
    print(made["outcome"]["text"])
    print(f"open it in a browser: {(options.directory / 'index.html').absolute().as_uri()}")
    status: int = made["outcome"]["status"]
    return status


def _clean(options: argparse.Namespace) -> int:
    del options
    from podproof.faults import mending  # only this command undoes what others have left

    failed = False
    told = False
    for outcome in mending.clean():
        told = True
        failed |= outcome.failed
        print(outcome.text, file=sys.stderr if outcome.failed else sys.stdout)
    if not told:
        print("there is nothing to undo")
    return CleanupError.exit_status if failed else 0


def _steps(options: argparse.Namespace) -> int:
    from podproof.reporting import vocabulary  # only this command needs pytest-bdd

    for line in vocabulary.listing(vocabulary.steps_of(options.suite.resolve())):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
