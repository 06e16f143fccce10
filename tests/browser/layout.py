"""Measurement of a page's layout: what is cut, what lies outside of the page, which texts of a chart overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

ATTEMPTS = 15
"""Measurements until there is no problem: a page with many tables takes seconds to follow its width."""

PROBLEMS = """() => {
    const width = document.documentElement.clientWidth;
    const shown = [...document.querySelectorAll("body *")].filter((node) =>
        node.checkVisibility() && !node.closest(".visually-hidden, .skip, noscript"));
    const name = (node) => `${node.tagName}.${node.getAttribute("class") ?? ""} "${node.textContent.slice(0, 40)}"`;
    const outside = shown.filter((node) => {
        const { left, right } = node.getBoundingClientRect();
        return right > width + 0.5 || (left < -0.5 && right > 0);
    });
    const cut = shown.filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth + 1 &&
        getComputedStyle(node).overflowX !== "visible");
    const texts = (chart) => [...chart.querySelectorAll("text")].map((node) => [node, node.getBoundingClientRect()]);
    const overlapping = [...document.querySelectorAll("svg.chart")].flatMap((chart) => texts(chart).flatMap(
        ([node, one], index, all) => all.slice(index + 1).filter(([, other]) =>
            Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
            Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3).map(([other]) => [node, other])));
    return [
        ...outside.map((node) => `outside: ${name(node)}`),
        ...cut.map((node) => `cut: ${name(node)}`),
        ...overlapping.map(([one, other]) => `overlap: ${name(one)} and ${name(other)}`),
    ];
}"""


def layout_problems(page: Page) -> list[str]:
    """Return what is cut, lies outside of the page's width, or overlaps in a chart, with all folded details open."""
    page.wait_for_function("!document.querySelector('main').innerText.includes('Loading')")
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    found: list[str] = []
    for _ in range(ATTEMPTS):
        page.wait_for_timeout(400)  # tables and charts follow the width in animation frames
        if not (found := page.evaluate(PROBLEMS)):
            break
    return found
