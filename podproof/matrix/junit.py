"""The matrix as JUnit XML: a suite for each target, a case for each claim.

A case fails where its claim is FALSE, or became worse since the target before; it is an error where nothing
was proven, and skipped where the claim does not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Xml


def render(document: Mapping[str, Any]) -> str:
    """The text."""
    root = Xml.Element("testsuites", name="podproof")
    for index, target in enumerate(document["targets"]):
        suite = Xml.SubElement(root, "testsuite", name=target["name"], timestamp=target["started"])
        cases = [
            _case(suite, claim, cell, _worse(document, target["name"], claim["slug"]))
            for claim in document["claims"]
            if (cell := claim["cells"][index])
        ]
        if target["status"] == "not tried":
            cases.append(_untried(suite, target))
        suite.set("tests", str(len(cases)))
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(plural, str(sum(case.find(tag) is not None for case in cases)))
        suite.set("time", f"{target['seconds']:.1f}")
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _worse(document: Mapping[str, Any], name: str, slug: str) -> list[str]:
    return [
        f"{each['what']}: {each['was']} on {each['before']}, {each['is']} here"
        for each in document["changes"]
        if each["direction"] == "worse" and each["after"] == name and each["claim"] == slug
    ]


def _case(
    suite: Xml.Element, claim: Mapping[str, Any], cell: Mapping[str, Any], worse: list[str]
) -> Xml.Element:
    seconds = sum(each["seconds"] for each in cell["scenarios"])
    case = Xml.SubElement(
        suite, "testcase", name=claim["slug"], classname=claim["feature"], time=f"{seconds:.1f}"
    )
    verdict = cell["verdict"]
    if worse or verdict == "FALSE":
        failure = Xml.SubElement(case, "failure", message=(worse or [cell["why"]])[0], type=verdict)
        failure.text = "\n".join([f"{claim['sentence']}: {verdict}", cell["why"], *worse])
    elif verdict == "NOT PROVEN":
        Xml.SubElement(case, "error", message=cell["why"], type=verdict)
    elif verdict == "NOT APPLICABLE":
        Xml.SubElement(case, "skipped", message=cell["why"])
    return case


def _untried(suite: Xml.Element, target: Mapping[str, Any]) -> Xml.Element:
    case = Xml.SubElement(suite, "testcase", name="trial", classname=target["name"])
    Xml.SubElement(case, "error", message=target["why"], type="not tried")
    return case
