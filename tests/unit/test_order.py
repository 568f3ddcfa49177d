"""In which order workers get scenarios."""

from podproof.pytest_plugin.order import ordered


def order(items: str) -> str:
    """Put items in order: capitals need the cluster for themselves, digits are slow, all others quick."""
    return "".join(ordered(items, str.isupper, str.isdigit))


def test_who_needs_the_cluster_for_itself_goes_first_and_quick_ones_before_slow_ones() -> None:
    assert order("ab1cA2defgh") == "Aabcd1ef2gh"


def test_without_them_slow_ones_are_spread_among_the_quick_ones() -> None:
    assert order("abcd12") == "1ab2cd"
    assert order("12") == "12"
    assert order("ab") == "ab"
    assert order("") == ""


def test_nothing_is_lost_or_doubled() -> None:
    items = "a1B2c3Dd4efghijklmnop5"
    assert sorted(order(items)) == sorted(items)
