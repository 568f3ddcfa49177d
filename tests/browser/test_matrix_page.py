"""The matrix's page as its readers use it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open

SELF_HEALS = "When a Pod is unhealthy or unreachable the ReplicaSet starts a brand-new Pod"
# The texts whose contrast with what is behind them is too low for WCAG's level AA.
LOW_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (color) => {
    const [r, g, b] = color.map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = rgba(getComputedStyle(each).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const low = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, option, :disabled")) continue;
    const style = getComputedStyle(element);
    const color = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(rgba(color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) low.add(`${node.data.trim()} (${color})`);
  }
  return [...low];
}"""


# Whether the middle of what is focused is what a pointer there would press.
IN_SIGHT = """() => {
  const { x, y, width, height } = document.activeElement.getBoundingClientRect();
  return document.activeElement.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


def cell(page: Page, claim: str, number: int) -> Locator:
    """The button in a claim's row, counted from the left."""
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=claim))
    return row.get_by_role("gridcell").nth(number).get_by_role("button")


def test_it_reads_without_a_script(open_page: Open) -> None:
    page = open_page(script=False)
    expect(page.get_by_role("heading", name="Something became worse")).to_be_visible()
    expect(page.get_by_role("grid", name="Matrix")).to_be_visible()
    expect(page.get_by_role("gridcell")).to_have_count(60)
    expect(page.get_by_text("has no filters, and its cells do not open")).to_be_visible()


def test_filters_say_how_many_claims_are_shown(open_page: Open) -> None:
    page = open_page()
    shown = page.get_by_role("status")
    expect(shown).to_have_text("10 of 10 claims shown")
    page.get_by_label("Subject").select_option("ReplicaSets")
    expect(shown).to_have_text("3 of 10 claims shown")
    page.get_by_label("Search").fill("powered off")
    expect(shown).to_have_text("1 of 10 claims shown")
    expect(page.get_by_role("rowheader", name=SELF_HEALS)).to_be_visible()
    expect(page.get_by_role("rowheader", name="A ReplicaSet handles autoscaling")).to_be_hidden()
    expect(page.get_by_role("article")).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    expect(shown).to_have_text("10 of 10 claims shown")
    page.get_by_label("Changed only").check()
    expect(shown).to_have_text("6 of 10 claims shown")


def test_the_address_keeps_what_is_shown(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Subject").select_option("Pods")
    page.get_by_label("Changed only").check()
    page.get_by_label("Search").fill("brand-new")
    shared = page.evaluate("location.hash")
    again = open_page(shared)
    expect(again.get_by_label("Subject")).to_have_value("Pods")
    expect(again.get_by_label("Changed only")).to_be_checked()
    expect(again.get_by_label("Search")).to_have_value("brand-new")
    expect(again.get_by_role("status")).to_have_text("1 of 10 claims shown")
    again.get_by_role("button", name="Show all").click()
    assert again.evaluate("location.hash") == ""


def test_a_link_opens_a_cell(open_page: Open) -> None:
    page = open_page("#cell=pods-do-not-heal%401.33.13")
    expect(page.get_by_role("dialog")).to_contain_text("observed Pod web-2 <Running>")
    page.evaluate("location.hash = ''")
    expect(page.get_by_role("dialog")).to_be_hidden()
    open_page("#cell=nobody%401.33.13&subject=nothing")  # no complaint


def test_arrows_move_within_the_grid_which_is_one_stop(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Show all").evaluate("each => each.disabled = true")
    page.get_by_label("Changed only").focus()
    page.keyboard.press("Tab")
    expect(cell(page, "A Pod with just one Container works", 0)).to_be_focused()
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    expect(cell(page, "Pods themselves don't autoscale", 1)).to_be_focused()
    page.keyboard.press("End")
    expect(cell(page, "Pods themselves don't autoscale", 5)).to_be_focused()
    page.keyboard.press("ArrowLeft")  # to the target that was not tried: there is nothing to open
    expect(page.locator("td:focus")).to_have_text("not tried")
    page.keyboard.press("ControlOrMeta+End")
    expect(cell(page, "A Service behaves somewhat like a firewall rule", 5)).to_be_focused()
    page.keyboard.press("ControlOrMeta+Home")
    expect(cell(page, "A Pod with just one Container works", 0)).to_be_focused()
    expect(page.locator("[role=grid] [tabindex='0']")).to_have_count(1)
    page.get_by_label("Subject").select_option("Volumes")  # the stop is not lost with its row
    expect(page.locator("[role=grid] [tabindex='0']")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_cell_opens_and_closes_by_keyboard(open_page: Open, key: str) -> None:
    page = open_page()
    button = cell(page, SELF_HEALS, 1)
    button.focus()
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog", name=SELF_HEALS)
    expect(dialog).to_contain_text("A Pod whose Node is powered off is replaced")
    expect(dialog).to_contain_text("the median of 8 samples")
    expect(dialog).to_contain_text("bound 6 s")
    expect(dialog).to_contain_text("What changed")
    assert page.evaluate("location.hash").startswith("#cell=")
    picture = dialog.get_by_role("img", name="Timeline of: A Pod that is deleted is replaced")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("each => each.naturalWidth") > 500
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert page.evaluate("location.hash") == ""


def test_from_one_target_to_the_next(open_page: Open) -> None:
    page = open_page()
    cell(page, "Pods themselves don't autoscale", 0).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("TRUE WITHIN LIMITS")
    dialog.get_by_role("button", name="1.33.13").click()
    expect(dialog).to_contain_text("FALSE the cluster did something else")
    dialog.get_by_role("button", name="Close").click()
    expect(cell(page, "Pods themselves don't autoscale", 1)).to_be_focused()


def test_a_change_opens_the_cell_that_it_came_with(open_page: Open) -> None:
    page = open_page()
    link = page.get_by_role("region", name="What changed").get_by_role("link", name=SELF_HEALS)
    link.click()
    expect(page.get_by_role("dialog", name=SELF_HEALS)).to_contain_text("ReplicaSets · 1.33.13")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(open_page: Open, scheme: str) -> None:
    page = open_page(scheme=scheme)
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    other = "dark" if scheme == "light" else "light"
    page.get_by_role("button", name=f"Use {other} colours").click()
    expect(page.get_by_role("button", name=f"Use {scheme} colours")).to_be_visible()
    assert page.evaluate(paper) != before
    page.reload()
    expect(page.get_by_role("button", name=f"Use {scheme} colours")).to_be_visible()
    assert page.evaluate(paper) != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(open_page: Open, scheme: str) -> None:
    page = open_page("#cell=pods-do-not-heal%401.33.13", scheme=scheme)
    expect(page.get_by_role("dialog")).to_contain_text("scenarios")
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    assert page.evaluate(LOW_CONTRAST) == []


@pytest.mark.parametrize("width", [375, 768, 1440])
def test_only_the_matrix_scrolls_sideways(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for button in [
        *page.get_by_role("button").all(),
        page.get_by_label("Subject"),
        page.get_by_label("Search"),
    ]:
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 40
    grid = page.get_by_role("grid")
    header = page.get_by_role("rowheader", name=SELF_HEALS)
    grid.evaluate("each => { each.parentElement.scrollLeft = 1000; each.parentElement.scrollTop = 200; }")
    outside, inside = grid.locator("..").bounding_box(), header.bounding_box()
    assert outside
    assert inside
    assert abs(inside["x"] - outside["x"]) <= 2, "the claim stays in sight"
    cell(page, SELF_HEALS, 0).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("scenarios")
    assert dialog.evaluate("each => each.querySelector('.detail').scrollWidth <= each.clientWidth")


@pytest.mark.parametrize("width", [375, 768])
def test_what_is_focused_is_not_hidden_by_what_stays_in_sight(open_page: Open, width: int) -> None:
    page = open_page(width=width)
    cell(page, "A Pod with just one Container works", 0).focus()
    for key in ("ControlOrMeta+End", "ArrowUp", "Home", "ControlOrMeta+Home"):
        page.keyboard.press(key)
        assert page.evaluate(IN_SIGHT), key


def test_commands_are_copied(open_page: Open) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("summary", has_text="1.37.2").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "podproof up --version 1.37.2\npytest features/ --repeat 8"
