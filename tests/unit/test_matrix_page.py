"""The matrix's page: what stands in it, and that nothing of the document gets out of its place."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import podproof.matrix
from podproof.matrix.page import render, words, write
from podproof.matrix.page.markup import Markup, tag
from podproof.matrix.page.plots import Lane, strips
from tests.matrix_sample import sample, write_timelines

SCHEMA = Path(podproof.matrix.__file__).with_name("matrix.schema.json")
EVIL = "</script><script>alert('1')</script><img src=x onerror=\"alert(1)\"> {{ details }} & ]]>"


def details(page: str) -> dict[str, Any]:
    """What the page's script unpacks."""
    found = re.search(r'id="details">([^<]*)</script>', page)
    assert found
    unpacked: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found[1])))
    return unpacked


def static(page: str) -> str:
    """What stands in the page itself, without its style and its scripts."""
    return re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)


def texts(html: str) -> str:
    """What a reader sees, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def poisoned(value: Any, key: str = "") -> Any:
    """The same document with every free text replaced by one that means harm."""
    if isinstance(value, dict):
        return {name: poisoned(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each, key) for each in value]
    fixed = {"kind", "status", "verdict", "outcome", "direction", "slug", "name", "before", "after", "claim"}
    return EVIL if isinstance(value, str) and key not in fixed else value


@pytest.mark.parametrize("targets", [3, 6])
def test_the_sample_is_a_matrix(targets: int) -> None:
    document = sample(targets)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert {each["kind"] for each in document["changes"]} == set(words.KINDS)
    assert {each["direction"] for each in document["changes"]} == set(words.DIRECTIONS)


def test_what_matters_stands_in_the_page_itself(tmp_path: Path) -> None:
    document = sample()
    told = texts(static(render(document, tmp_path)))
    assert "Something became worse" in told
    assert document["outcome"]["text"] in told
    assert "2026-11-26 04:30 UTC" in told
    assert "go1.26 timed out" in told
    for claim in document["claims"]:
        assert claim["slug"] in told
    assert "&lt;code" not in told, "nothing is escaped twice"
    assert "Changes in all: 3 verdicts 1 limit 1 scenario 2 times 1 capability 1 warning 1 setting" in told
    assert "9 times of recovery compared. 1 time was not compared: fewer than 6 samples." in told
    assert "Cliff&#x27;s delta +1.00" in told
    assert "adjusted p 0.001" in told


@pytest.mark.parametrize(
    ("status", "told"), [(0, "No claim became worse"), (1, "Something"), (2, "could not be told")]
)
def test_each_outcome_has_words(tmp_path: Path, status: int, told: str) -> None:
    document = sample()
    document["outcome"]["status"] = status
    assert told in static(render(document, tmp_path))


def test_worse_comes_first_in_each_comparison(tmp_path: Path) -> None:
    document = sample()
    document["changes"].reverse()
    page = static(render(document, tmp_path))
    directions = re.findall(r'<li class="change (\w+)"', page)
    order = list(words.DIRECTIONS)
    assert directions == sorted(directions, key=order.index)
    assert "4 differences, neither better nor worse: 1 limit, 1 capability, 1 warning, 1 setting" in page


def test_nothing_of_a_document_becomes_markup(tmp_path: Path) -> None:
    clean, page = render(sample(), tmp_path), render(poisoned(sample()), tmp_path)
    assert page.count("<script") == clean.count("<script") == 2
    assert "<img" not in page
    assert "{{ details }}" in static(page), "a text that looks like a place of the template is a text"
    for html in details(page)["cells"].values():
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;img src=x" in html


def test_nothing_is_asked_of_anybody(tmp_path: Path) -> None:
    page = render(sample(), tmp_path)
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", static(page))
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_timelines_are_packed(tmp_path: Path) -> None:
    document = sample()
    write_timelines(document, tmp_path)
    packed = details(render(document, tmp_path))
    html = packed["cells"]["shared-volume@1.37.2"]
    number = re.search(r'data-timeline="(\d+)"', html)
    assert number
    assert packed["timelines"][int(number[1])].startswith("<svg")
    assert "What one writes the other reads" in packed["timelines"][int(number[1])]


def test_a_timeline_that_is_missing_or_none_is_left_out(tmp_path: Path) -> None:
    document = sample()
    write_timelines(document, tmp_path)
    first, second = (document["claims"][place]["cells"][0]["scenarios"][0]["timeline"] for place in (0, 1))
    (tmp_path / first).unlink()
    (tmp_path / second).write_text("root:x:0:0", encoding="utf-8")
    packed = details(render(document, tmp_path))
    assert "no timeline" in packed["cells"]["pod-one-container@1.35.6"]
    assert "no timeline" in packed["cells"]["pods-do-not-heal@1.35.6"]
    assert "no timeline" not in packed["cells"]["pod-one-container@1.37.2"]
    assert not [each for each in packed["timelines"] if "root" in each]


def test_a_cell_opens_to_all_that_is_known(tmp_path: Path) -> None:
    told = texts(details(render(sample(), tmp_path))["cells"]["pods-do-not-heal@1.37.2"])
    assert "✗ FALSE the cluster did something else" in told
    assert "was ◐ TRUE WITHIN LIMITS → is ✗ FALSE" in told
    assert "Limits that are proven A Container that crashes is started again in the same Pod" in told
    assert "expected that no Pod comes, observed Pod web-2 &lt;Running&gt;" in told
    assert "When one of its Pods is deleted" in told
    assert "the median of 8 samples" in told
    assert "bound 6 s" in told
    assert "The bound is from: controllers are driven by events" in told
    assert "no more Pods than are wanted 6.0 s" in told


def test_different_suites_are_warned_of(tmp_path: Path) -> None:
    document = sample()
    assert "different suites" not in render(document, tmp_path)
    document["targets"][-1]["suite"] = {"commit": "c563269dcf3d5417", "fingerprint": "99aa12"}
    told = texts(static(render(document, tmp_path)))
    assert "The targets were tried with different suites" in told
    assert "1.37.2: suite 99aa12 of commit c563269dcf3d" in told


def test_a_target_that_was_not_tried_has_no_suite_that_could_differ(tmp_path: Path) -> None:
    document = sample()
    document["targets"][1]["suite"] = {"commit": "", "fingerprint": ""}
    assert "different suites" not in render(document, tmp_path)


def test_a_claim_that_only_one_target_has(tmp_path: Path) -> None:
    document = sample()
    document["claims"][0]["cells"][0] = None
    page = render(document, tmp_path)
    assert "not in its suite" in static(page)
    assert "pod-one-container@1.35.6" not in details(page)["cells"]


def test_an_empty_matrix(tmp_path: Path) -> None:
    document = sample() | {"claims": [], "comparisons": [], "changes": [], "targets": []}
    told = texts(static(render(document, tmp_path)))
    assert "Nothing was compared" in told
    assert "No claim measured a recovery" in told


def test_a_baseline_is_called_one(tmp_path: Path) -> None:
    document = sample()
    for each in document["changes"] + document["comparisons"]:
        each.update(before="1.37.2", baseline=True)
    assert "since 1.37.2 (baseline)" in static(render(document, tmp_path))


def test_it_is_written_whole_and_again(tmp_path: Path) -> None:
    document = sample()
    assert write(document, tmp_path) == write(document, tmp_path) == tmp_path / "index.html"
    assert [each.name for each in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == render(document, tmp_path)


def test_text_is_escaped_unless_it_is_markup() -> None:
    assert tag("p", "<b>", Markup("<br>"), class_='a"b', data_x=1.5, hidden=True, title=None) == (
        '<p class="a&quot;b" data-x="1.5" hidden>&lt;b&gt;<br></p>'
    )


def test_a_plot_says_what_it_shows() -> None:
    drawn = strips([Lane("1.36", [2.0, 1.0, 4.0]), Lane("1.37", [])], "recovery", bound=8)
    told = "recovery. 1.36: median 2.0 s of 3 samples, 1.0 s to 4.0 s; 1.37: not measured; bound 8.0 s"
    assert f'aria-label="{told}"' in drawn
    places = [float(each) for each in re.findall(r'<circle cx="([\d.]+)"', drawn)]
    assert places == sorted(places)
    bound = re.search(r'x1="([\d.]+)"[^>]*class="bound"', drawn)
    assert bound
    assert float(bound[1]) > places[-1]


def test_a_long_name_is_told_whole_and_drawn_short() -> None:
    drawn = strips([Lane("staging-in-another-region", [1.0])], "recovery")
    assert "staging-in-another-region: 1.0 s" in drawn
    assert ">staging-in-an…<" in drawn


@pytest.mark.parametrize("samples", [[], [0.0], [0.0, 0.0], [1e-9], [123456.0] * 40])
def test_whatever_was_measured_can_be_drawn(samples: list[float]) -> None:
    assert strips([Lane("", samples)], "recovery").startswith("<svg")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0.00 s"),
        (0.456, "0.46 s"),
        (4.21, "4.2 s"),
        (99.9, "100 s"),
        (599, "599 s"),
        (2912, "49 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_spans_of_time(seconds: float, told: str) -> None:
    assert words.seconds(seconds) == told


def test_moments() -> None:
    assert words.moment("2026-11-26T04:30:58.120+00:00") == "2026-11-26 04:30 UTC"
    assert words.moment("2026-11-26T04:30:58+02:00") == "2026-11-26 04:30 +0200"
    assert words.moment("yesterday") == "yesterday"
