"""In which order workers get scenarios."""

from podproof.pytest_plugin.order import ordered


def order(items: str) -> str:
    """Put items in order: digits and capitals are slow, capitals take turns, all others are quick."""
    return "".join(ordered(items, slow=lambda each: each.isdigit() or each.isupper(), in_turn=str.isupper))


def test_slow_ones_are_spread_among_the_quick_ones() -> None:
    assert order("abcd12") == "1ab2cd"
    assert order("12") == "12"
    assert order("ab") == "ab"
    assert order("") == ""


def test_those_that_take_turns_are_spread_among_the_slow_ones() -> None:
    assert order("ABCD12abcdef") == "1aAbBc2dCeDf"
    assert order("ABab") == "AaBb"


def test_nothing_is_lost_or_doubled() -> None:
    items = "a1B2c3Dd4efghijklmnop5"
    assert sorted(order(items)) == sorted(items)
