"""How long DNS answers live, by the Corefiles that clusters have."""

from __future__ import annotations

import pytest

from podproof.cluster.dns import cache_time

_KUBERNETES = """
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
"""


@pytest.mark.parametrize(
    ("corefile", "seconds"),
    [
        pytest.param(_KUBERNETES + "    cache 30\n    loop\n", 30, id="kept as long as it lives"),
        pytest.param(_KUBERNETES + "    cache 10\n    loop\n", 10, id="kept for less long"),
        pytest.param(
            _KUBERNETES + "    cache\n    loop\n", 30, id="kept for the default, but it lives shorter"
        ),
        pytest.param(_KUBERNETES + "    loop\n", 0, id="no cache"),
        pytest.param(
            _KUBERNETES + "    cache 30 {\n       disable success cluster.local\n    }\n", 0, id="kubeadm's"
        ),
        pytest.param(
            _KUBERNETES + "    cache 30 {\n       disable success\n    }\n", 0, id="disabled for all"
        ),
        pytest.param(
            _KUBERNETES + "    cache 30 {\n       disable success example.org\n    }\n", 30, id="for others"
        ),
        pytest.param(
            _KUBERNETES + "    cache 30 {\n       disable denial cluster.local\n    }\n",
            30,
            id="denials only",
        ),
        pytest.param(".:53 {\n    kubernetes cluster.local\n    cache 30\n}\n", 5, id="a TTL by default"),
        pytest.param(".:53 {\n    forward . 192.0.2.1\n}\n", None, id="another kind of server"),
    ],
)
def test_an_answer_lives_as_long_as_the_corefile_says(corefile: str, seconds: int | None) -> None:
    assert cache_time(corefile) == seconds
