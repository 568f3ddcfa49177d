"""What a record of requests says, and when it says nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from podproof.errors import TrialError
from podproof.reporting.evidence import Sources, gather
from podproof.traffic import vegeta
from podproof.traffic.clock import Offset, Reading
from podproof.traffic.record import LONGEST_PAUSE, Record, Request
from podproof.traffic.steady import Client
from tests.unit.test_results import RESULT

INTERVAL = 0.05
REFUSED = "connection refused"


def told(number: int, **changes: Any) -> str:
    """A line of vegeta's."""
    line = {
        "attack": "",
        "seq": number,
        "code": 200,
        "timestamp": "2026-11-22T18:42:26.882030929Z",
        "latency": 4449326,
        "bytes_out": 0,
        "bytes_in": 2,
        "error": "",
        "body": base64.b64encode(b"web-1\n").decode(),
        "method": "GET",
        "url": "http://web/hostname",
        "headers": {},
    }
    return json.dumps(line | changes)


def sent(number: int, at: float, error: str = "", answer: str = "web-1") -> Request:
    status = 0 if error else 200
    return Request(number, 1000 + at, at, 0.004, status, error, "" if error else answer)


def record(outcomes: str, *, uncertainty: float = 0.02) -> Record:
    """A request every `INTERVAL`: `x` for one that is lost, anything else for the answer."""
    requests = [
        sent(number, number * INTERVAL, REFUSED if each == "x" else "", each)
        for number, each in enumerate(outcomes)
    ]
    return Record.of(requests, INTERVAL, uncertainty)


def test_a_line_is_a_request() -> None:
    [request] = vegeta.read([told(7)], offset=-1795372946.0)
    assert (request.number, request.status, request.error, request.answer) == (7, 200, "", "web-1")
    assert request.took == 0.004449326
    assert request.sent == pytest.approx(1795372946.88203)
    assert request.at == pytest.approx(0.88203)
    assert request.ok


def test_a_line_of_a_lost_request() -> None:
    error = 'Get "http://web/": dial tcp 0.0.0.0:0->10.96.3.1:80: connect: connection refused'
    [request] = vegeta.read([told(8, code=0, error=error, body=None, headers=None)])
    assert not request.ok
    assert (request.status, request.answer) == (0, "")
    assert request.error == "dial tcp 10.96.3.1:80: connect: connection refused"


def test_an_error_status_is_an_error_of_its_own() -> None:
    [request] = vegeta.read([told(8, code=503, error="503 Service Unavailable")])
    assert (request.ok, request.status, request.error) == (False, 503, "503 Service Unavailable")


def test_what_is_none_of_vegetas_lines_is_left_out() -> None:
    cut_off = told(2)[:40]
    assert [
        each.number for each in vegeta.read(["sh: warning", "", "17", "{}", told(1).encode(), cut_off])
    ] == [1]


def test_times_with_few_digits() -> None:
    stamps = ("2026-11-22T18:42:26Z", "2026-11-22T18:42:26.5Z", "2026-11-22T20:42:26.25+02:00")
    requests = vegeta.read([told(number, timestamp=stamp) for number, stamp in enumerate(stamps)])
    assert [each.sent % 1 for each in requests] == [0, 0.5, 0.25]


def test_requests_are_put_in_the_order_of_sending() -> None:
    requests = [sent(number, number * INTERVAL) for number in (2, 0, 1)]
    assert [each.number for each in Record.of(requests, INTERVAL, 0).requests] == [0, 1, 2]


def test_a_record_that_lacks_requests_proves_nothing() -> None:
    record("aaa").demand_whole(0)
    with pytest.raises(TrialError, match="lacks 2 of 4 requests"):
        Record.of([sent(5, 0), sent(8, 1)], INTERVAL, 0).demand_whole(5)
    with pytest.raises(TrialError, match="lacks 1 of 4 requests"):
        record("aaa").demand_whole(-1)
    with pytest.raises(TrialError, match="no record of any request"):
        Record.of([], INTERVAL, 0).demand_whole(0)


def test_nothing_lost() -> None:
    whole = record("aaaa")
    assert whole.lost == ()
    assert whole.outages() == []
    assert whole.seconds == pytest.approx(3 * INTERVAL)
    assert str(whole) == "0 of 4 requests in 0.1 s were lost"


def test_outages_last_from_the_first_lost_request_to_the_next_answered_one() -> None:
    first, second = record("aaxxxaxa").outages()
    assert [first.start, first.end, first.lost] == pytest.approx([0.1, 0.25, 3])
    assert first.seconds == pytest.approx(0.15)
    assert first.errors == (REFUSED,)
    assert [second.lost, second.seconds] == pytest.approx([1, INTERVAL])


def test_an_outage_that_does_not_end() -> None:
    [outage] = record("axxx").outages()
    assert [outage.lost, outage.seconds] == pytest.approx([3, 2 * INTERVAL])


def test_what_a_failure_says_of_lost_requests() -> None:
    said = str(record("axxxxa"))
    assert said.startswith("4 of 6 requests in 0.2 s were lost (0.05 s after the first: connection refused; ")
    assert said.endswith(" ...)")


def test_who_answered_when() -> None:
    first, second = record("aabxabb").spans()
    assert (first.who, second.who) == ("a", "b")
    assert [first.start, first.end, first.count] == pytest.approx([0, 0.2, 3])
    assert [second.start, second.end, second.count] == pytest.approx([0.1, 0.3, 3])
    [everybody] = record("aabb").spans(lambda _: "anybody")
    assert everybody.count == 4


def test_since_a_moment_is_what_was_sent_after_it_for_sure() -> None:
    assert [each.number for each in record("aaaa", uncertainty=0.01).since(0.05).requests] == [2, 3]
    assert record("aaaa").since(9).requests == ()


def test_a_client_that_paused_proves_nothing() -> None:
    record("aaaa").demand_steady()
    paused = [sent(0, 0), sent(1, LONGEST_PAUSE + 2 * INTERVAL), sent(2, LONGEST_PAUSE + 3 * INTERVAL)]
    with pytest.raises(TrialError, match=r"sent nothing for 2\.100 s, although"):
        Record.of(paused, INTERVAL, 0).demand_steady()
    with pytest.raises(TrialError, match=r"sent nothing for 2\.100 s, although"):
        Record.of(paused[:2], INTERVAL, 0).demand_steady(0.5)
    with pytest.raises(TrialError, match="no request was sent in the time that matters"):
        record("a").since(9).demand_steady()


def test_rows_are_plain_and_count_from_the_start_of_the_recording() -> None:
    assert record("ax").rows(-10.0) == [
        {"seconds": 10.0, "ok": True, "took": 0.004, "answer": "a"},
        {"seconds": 10.05, "ok": False, "took": 0.004, "answer": REFUSED},
    ]


def readings(*each: Sequence[float]) -> list[Reading]:
    return [Reading(*values) for values in each]


def test_the_offset_is_what_all_readings_allow() -> None:
    offset = Offset.between(readings((10.0, 1000.3, 10.5), (20.0, 1010.1, 20.2)))
    # The first allows -990.3 to -989.8, the second -990.1 to -989.9.
    assert offset.seconds == pytest.approx(-990.0)
    assert offset.uncertainty == pytest.approx(0.1)


def test_a_clock_that_was_set_is_noticed() -> None:
    with pytest.raises(TrialError, match=r"was set by at least 4\.\d+ s"):
        Offset.between(readings((10.0, 1000.0, 10.1), (20.0, 1015.0, 20.1)))


class Traffic:
    """Traffic of two requests."""

    clients: tuple[Client, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        return record("ax").rows(0.0)


def test_requests_are_evidence() -> None:
    evidence = gather(RESULT, Sources(traffic=Traffic()), "pytest")
    assert [row["ok"] for row in evidence.requests] == [True, False]
    [piece] = [each for each in evidence.pieces if each.filename == "requests.json"]
    assert json.loads(piece.text) == evidence.requests
