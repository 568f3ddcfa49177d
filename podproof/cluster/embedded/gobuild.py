"""Building components from their Go modules, once, into the cache; and all that a cluster runs."""

import functools
import hashlib
import json
import os
import platform
import queue
import shutil
import subprocess
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from podproof.errors import ComponentError

from . import cached, gotool, releases, versions
from .paths import cache_directory
from .progress import Report
from .recipes import DEFAULT_KUBERNETES, NETWORK_POLICIES, Patch, Recipe, every_recipe

FORMAT = 1
"""Counted up when the way of building changes what comes out."""

BUILD, RELEASE = "build", "release"
"""Where Kubernetes' own components may come from, unless they are in a directory that is named."""

BUILDS_AT_ONCE = 2
"""Linking keeps one core busy and compiling all of them: two builds at once fill each other's gaps."""

_REPORT_EVERY = 150
"""Packages compiled between two lines of progress: a line every ten seconds or so on two cores."""


@functools.cache
def _toolchain() -> str:
    return gotool.run(["env", "GOVERSION", "GOARCH"], directory=Path("/")).stdout.strip().replace("\n", " ")


def directory_of(recipe: Recipe) -> Path:
    """Where this recipe's commands are kept once built: named after everything that goes into them."""
    # Most recipes patch nothing, and are named as they were before one did.
    told = {key: value for key, value in asdict(recipe).items() if key != "patch" or value}
    inputs = json.dumps([FORMAT, told, _toolchain(), platform.machine()], sort_keys=True)
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:12]
    return cache_directory() / "components" / f"{recipe.label}-{digest}"


def missing(recipes: tuple[Recipe, ...]) -> list[Recipe]:
    """Those that are not in the cache yet."""
    return [recipe for recipe in recipes if not directory_of(recipe).exists()]


class Components:
    """The components of a cluster.

    Args:
        kubernetes_version: A full version.
        report: Told what is being downloaded and built.
        origin: Where Kubernetes' own come from: ``build``, ``release``, or the directory that they are in.

    Raises:
        ComponentError: One of them cannot be had or built.
    """

    def __init__(self, kubernetes_version: str, report: Report, *, origin: str = BUILD) -> None:
        own: dict[str, Path] = {}
        if origin == RELEASE:
            own["kubernetes"] = releases.fetch(kubernetes_version, report)
        elif origin != BUILD:
            own["kubernetes"] = Path(origin)
        recipes = every_recipe(None if own else kubernetes_version)
        wanting = missing(recipes)
        if wanting:
            report(f"building {', '.join(recipe.label for recipe in wanting)}: once, then cached")
            with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool:
                pending = [pool.submit(_build_all, group, report) for group in _by_module(wanting)]
                try:
                    for each in pending:
                        each.result()
                except BaseException:
                    for each in pending:
                        each.cancel()
                    raise
        self._directories = own | {recipe.name: directory_of(recipe) for recipe in recipes}

    @classmethod
    def of(cls, directories: Mapping[str, str]) -> "Components":
        """Those that were built before, by the directory of each."""
        known = cls.__new__(cls)
        known._directories = {name: Path(directory) for name, directory in directories.items()}
        return known

    @property
    def directories(self) -> dict[str, str]:
        """The directory of each component, by its name."""
        return {name: str(directory) for name, directory in self._directories.items()}

    def command(self, name: str) -> Path:
        """The path of a command, for example ``kubelet``."""
        for recipe in every_recipe(DEFAULT_KUBERNETES):
            if name in recipe.commands:
                return self._directories[recipe.name] / name
        raise KeyError(name)

    def file(self, component: str, name: str) -> Path:
        """The path of a file that a component ships, for example its manifest."""
        return self._directories[component] / name

    def directory(self, component: str) -> Path:
        """Where a component's commands are."""
        return self._directories[component]

    @property
    def images_key(self) -> str:
        """Names the builds that images hold and the containerd that stores them: not those of Nodes alone."""
        others = {"kubernetes", NETWORK_POLICIES.name}
        return ",".join(sorted(path.name for name, path in self._directories.items() if name not in others))


def _by_module(recipes: list[Recipe]) -> list[list[Recipe]]:
    """Put together what is built from one module: two builds at once would compile its packages twice."""
    groups: dict[tuple[str, str], list[Recipe]] = {}
    for recipe in recipes:
        groups.setdefault((recipe.module, recipe.version), []).append(recipe)
    return list(groups.values())


def _build_all(recipes: list[Recipe], report: Report) -> None:
    for recipe in recipes:
        _build(recipe, report)


def _build(recipe: Recipe, report: Report) -> None:
    """Build one recipe unless somebody else just did."""

    def build(directory: Path) -> None:
        _write_module(recipe, directory)
        _compile(recipe, directory, report)
        (directory / "go.mod").chmod(0o644)

    def wait() -> None:
        report(f"{recipe.label}: another podproof is building it, waiting for that")

    cached.make(directory_of(recipe), build, wait)


def _write_module(recipe: Recipe, directory: Path) -> None:
    """Write a go.mod that asks for this one module, as its own go.mod would have it built."""
    asked = f"{recipe.module}@v{recipe.version}"
    try:
        module = gotool.ask(["mod", "download", "-json", asked])
    except ComponentError as error:
        if recipe.name == "kubernetes":
            raise versions.not_to_be_had(recipe.version, str(error)) from None
        raise ComponentError(f"{recipe.label} cannot be had: {error}") from None
    upstream = gotool.ask(["mod", "edit", "-json", module["GoMod"]], directory=directory)
    lines = [f"module podproof.local/{recipe.name}", f"go {upstream['Go']}"]
    # Run-time compatibility settings follow the main module, so they are upstream's, not ours.
    lines += [f"godebug {setting['Key']}={setting['Value']}" for setting in upstream.get("Godebug") or ()]
    lines.append(f"require {recipe.module} v{recipe.version}")
    for needed in upstream.get("Require") or ():
        indirect = " // indirect" if needed.get("Indirect") else ""
        if recipe.staging and needed["Version"] == "v0.0.0":
            staged = "v0." + recipe.version.split(".", 1)[1]
            lines.append(f"replace {needed['Path']} => {needed['Path']} {staged}")
        lines.append(f"require {needed['Path']} {needed['Version']}{indirect}")
    # Forks that upstream is built with; what it replaces by a path is a part of its own repository.
    forks = [each for each in upstream.get("Replace") or () if each["New"].get("Version")]
    lines += [f"replace {each['Old']['Path']} => {_path_and_version(each['New'])}" for each in forks]
    if recipe.patch:
        required = {each["Path"]: each["Version"] for each in upstream.get("Require") or ()}
        copy = _patched(recipe.patch, required[recipe.patch.module], directory)
        lines.append(f"replace {recipe.patch.module} => ./{copy.name}")
    (directory / "go.mod").write_text("\n".join(lines) + "\n")
    _vouch_for([_path_and_version(each["New"]) for each in forks], Path(module["Dir"]), directory)
    for name, path in recipe.files.items():
        _copy(Path(module["Dir"]) / path, directory / name)


def _patched(patch: Patch, version: str, directory: Path) -> Path:
    """Put a changed copy of a module beside the go.mod, and give where."""
    module = gotool.ask(["mod", "download", "-json", f"{patch.module}@{version}"])
    copy = directory / "patched"
    _copy(Path(module["Dir"]), copy)
    file = copy / patch.file
    text = file.read_text()
    for old, new in patch.changes:
        if text.count(old) != 1:
            raise ComponentError(
                f"{patch.module} {version}: {patch.file} is not what is to be patched: {old.splitlines()[0]}"
            )
        text = text.replace(old, new)
    file.write_text(text)
    return copy


def _path_and_version(module: dict[str, str]) -> str:
    return f"{module['Path']} {module['Version']}"


def _vouch_for(forks: list[str], module: Path, directory: Path) -> None:
    """Take the checksums of forks from upstream's own go.sum, which is verified like all of its module.

    The public checksum database need not know a fork that nobody else uses.
    """
    if forks:
        known = (module / "go.sum").read_text().splitlines(keepends=True)
        (directory / "go.sum").write_text("".join(line for line in known if line.startswith(tuple(forks))))


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a directory of a module, without the module cache's write protection."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for folder, _, _ in os.walk(target):
            Path(folder).chmod(0o755)
    else:
        shutil.copyfile(source, target)


def _compile(recipe: Recipe, directory: Path, report: Report) -> None:
    """Run ``go build`` and count the packages as it names them."""
    packages = sorted(set(recipe.commands.values()))
    listing = gotool.run(["list", "-deps", *packages], directory=directory)
    if listing.returncode:
        reason = gotool.last_line(listing.stderr)
        if recipe.name == "kubernetes":
            raise versions.not_to_be_had(recipe.version, reason)
        raise ComponentError(f"{recipe.label} cannot be had: {reason}")
    total = len(listing.stdout.split())
    report(f"{recipe.label}: compiling at most {total} packages")
    go = gotool.find()
    # Some main packages are named after their module's version, so each command names its own output.
    for names in _calls(recipe):
        outputs = ["-o", f"{directory}/"] if len(names) > 1 else ["-o", str(directory / names[0])]
        arguments = [str(go), "build", "-v", "-trimpath", "-ldflags", " ".join(("-s -w", *recipe.ldflags))]
        if recipe.tags:
            arguments += ["-tags", ",".join(recipe.tags)]
        arguments += [*outputs, *(recipe.commands[name] for name in names)]
        _watch(recipe, arguments, directory, total, report)
    built = [name for name in recipe.commands if not os.access(directory / name, os.X_OK)]
    if built:
        raise ComponentError(f"{recipe.label}: the build ended well but left no {', '.join(built)}")
    report(f"{recipe.label}: built")


def _calls(recipe: Recipe) -> list[list[str]]:
    """Commands that one call of ``go build`` can make: those whose name is their package's last part."""
    regular = [name for name, package in recipe.commands.items() if package.rsplit("/", 1)[1] == name]
    odd = [name for name in recipe.commands if name not in regular]
    return [names for names in (regular, *([name] for name in odd)) if names]


def _watch(recipe: Recipe, arguments: list[str], directory: Path, total: int, report: Report) -> None:
    go = Path(arguments[0])
    process = subprocess.Popen(
        # A builder that is killed takes the Go tool with it: the next one uses the same directory.
        ["setpriv", "--pdeathsig", "KILL", "--", *arguments],
        cwd=directory,
        env=gotool.environment(go, CGO_ENABLED="1" if recipe.cgo else "0"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said: queue.Queue[str | None] = queue.Queue()
    assert process.stderr is not None  # noqa: S101 - it is a pipe, as asked for above
    reader = threading.Thread(target=_forward, args=(process.stderr, said), daemon=True)
    reader.start()
    tail: list[str] = []
    compiled = 0
    try:
        while (line := said.get()) is not None:
            if line.startswith("go: ") or " " in line:
                tail = [*tail[-20:], line]
                continue
            compiled += 1
            if compiled % _REPORT_EVERY == 0:
                report(f"{recipe.label}: {compiled} of at most {total} packages")
        status = process.wait()
    except BaseException:
        # The compilers are children of the Go tool: its session ends with it.
        os.killpg(process.pid, 9)
        process.wait()
        raise
    finally:
        reader.join()
        process.stderr.close()
    if status:
        detail = next((line for line in reversed(tail) if line), "no output")
        raise ComponentError(f"{recipe.label} does not build: {detail}")


def _forward(stream: object, said: "queue.Queue[str | None]") -> None:
    for line in stream:  # type: ignore[attr-defined]
        said.put(line.strip())
    said.put(None)
