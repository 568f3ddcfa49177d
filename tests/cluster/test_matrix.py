"""A matrix of real clusters: a claim that a version breaks is found and named."""

import json
from pathlib import Path

from .lives import podproof

SCENARIO = "deleting_the_deployment_deletes_all"
CLAIM = "deployments-manage-replicasets"
BREAKS_IT = "kube-controller-manager.controllers=*,-garbage-collector-controller"


def test_a_claim_that_a_flag_breaks_is_named_and_resuming_tries_nothing_again(tmp_path: Path) -> None:
    command = [
        "matrix",
        "1.37.2",
        f"1.37.2+{BREAKS_IT}",
        "1.20",
        "--directory",
        str(tmp_path),
        "--workers",
        "1",
    ]
    selection = ["--", "-k", SCENARIO]
    first = podproof(*command, *selection)
    said, _ = first.communicate()
    assert first.returncode == 1, said
    assert "1.20: not tried: Kubernetes 1.20 is too old" in said

    made = json.loads((tmp_path / "matrix.json").read_text())
    worse = [each for each in made["changes"] if each["direction"] == "worse"]
    # The claim's other scenarios were left out, so that its verdict was NOT PROVEN before.
    assert [(each["kind"], each["claim"], each["is"]) for each in worse] == [("scenario", CLAIM, "FALSE")]
    assert made["targets"][1]["flags"] == [BREAKS_IT]
    (cell,) = [each["cells"][1] for each in made["claims"] if each["slug"] == CLAIM]
    pictures = [each["timeline"] for each in cell["scenarios"] if each["timeline"]]
    assert pictures
    assert all((tmp_path / each).is_file() for each in pictures)
    assert "became worse: " in (tmp_path / "matrix.md").read_text()

    again = podproof(*command, "--resume", *selection)
    said, _ = again.communicate()
    assert again.returncode == 1, said
    assert said.count("tried before, on ") == 2
    assert "% of the scenarios" not in said
