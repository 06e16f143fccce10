"""An entry's page in a real browser: facts, badges, comparison, run, episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from ictbench import Run

    from .board import Site
    from .reader import Reader


def entry(reader: Reader, site: Site, slug: str) -> Page:
    page = reader.open(site.page(f"minihack-v1/entries/{slug}.html"))
    page.locator("#prompts .turn, #prompts-heading + .faint").first.wait_for()
    return page


def test_overview_states_rank_and_facts(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "learns")
    overview = page.locator("#overview")
    assert overview.get_by_text("Rank 1 of 3 in lite, rules.").is_visible()
    names, values = (overview.locator(f".facts {tag}").all_inner_texts() for tag in ("dt", "dd"))
    facts = dict(zip(names, values, strict=True))
    assert facts["Reflector"] == "openai/learns, revision 2026-01, open weights language model"
    assert facts["Submission"] == site.entry("learns").submission.digest
    assert facts["Reflector trained on"] == "nothing"
    link = overview.get_by_role("link", name="https://example.org/paper")
    assert link.get_attribute("rel") == "nofollow noopener noreferrer"


def test_badges_state_what_they_show_and_what_they_do_not(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "learns")
    replayed, rerun = (page.get_by_role("article", name=name, exact=True) for name in ("replayed", "rerun"))
    assert "Replayed: 30 of 30 episodes, 400 decisions." in replayed.inner_text()
    assert "It does not show: That the named models chose these actions" in replayed.inner_text()
    for text in ("0.75 in the rerun, 0.80 in the submission", "−0.05 [−0.08, −0.02] (90 %)", "fresh tasks in 2 loops"):
        assert text in rerun.inner_text()
    assert "margin of ±0.10" in rerun.inner_text()
    replayed.locator("summary").click()
    assert "passed replay: all as recorded" in replayed.inner_text()
    absent = entry(reader, site, "half").get_by_role("article", name="rerun", exact=True)
    assert "not rerun" in absent.inner_text()
    assert "It would show:" in absent.inner_text()


def test_sampled_replay_states_its_share(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "half")
    card = page.get_by_role("article", name="replayed", exact=True)
    assert "600 of 3,000 episodes, 9,000 decisions, sampled with seed seed-1." in card.inner_text()
    assert "replayed 20.0 %" in page.locator("#overview .facts").inner_text()


def test_lost_badge_is_explained(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "claims")
    assert page.get_by_text("Not ranked: the board has not replayed it").is_visible()
    assert page.locator(".remarks").get_by_text("Changed since it was replayed on 2026-01-02").is_visible()


def test_entry_is_compared_with_the_others_of_its_track(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "learns")
    table = page.get_by_role("table", name="Differences from other entries")
    rows = [row.inner_text().split() for row in table.get_by_role("row").all()[1:]]
    assert [row[-1] for row in rows] == ["better", "better"]
    assert table.get_by_role("link", name="Learns half").get_attribute("href") == "half.html"


def test_prompts_are_shown_as_differences(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "learns")
    page.locator("#prompts").get_by_label("Family").select_option("read")
    loop = site.entry("learns").read().result.families[1].loops[0]
    before, after = (set(prompt.text.split("\n")) for prompt in loop.prompts[:2])
    version = page.locator("#prompts .prompt-version").nth(1)
    assert set(version.locator("ins .sign + span").all_text_contents()) >= after - before
    # The batch lists its episodes, but the page stores only a few, so none of them is a button.
    assert version.locator(".batch span.outcome").count() == len(loop.batches[0].tasks)
    assert version.locator(".batch button").count() == 0


def test_stored_episodes_are_replayed_by_keyboard(reader: Reader, site: Site, submitted: Run) -> None:
    page = entry(reader, site, "learns")
    section = page.locator("#episodes")
    buttons = page.get_by_role("list", name="Episodes").get_by_role("button")
    assert buttons.count() >= 1
    assert all(button.is_enabled() for button in buttons.all())
    key = buttons.first.get_attribute("data-key")
    assert key is not None
    buttons.first.focus()
    page.keyboard.press("Enter")
    player = page.get_by_role("region", name=key)
    player.wait_for()
    trajectory = submitted.episode(key).trajectory
    for number, step in enumerate(trajectory.steps, 1):
        assert (player.get_by_label("Screen as the actor saw it").text_content() or "") == step.observation.rstrip("\n")
        assert player.get_by_role("status").inner_text().startswith(f"Decision {number} of {len(trajectory.steps)}: ")
        page.keyboard.press("ArrowRight")
    assert "in full" in section.inner_text()


def test_instruction_is_shown(reader: Reader, site: Site) -> None:
    instruction = entry(reader, site, "learns").locator("#instruction")
    assert "Rewrite the prompt." in instruction.inner_text()
    assert "No instruction: mine:Half" in entry(reader, site, "half").locator("#instruction").inner_text()


def test_navigation_links_to_every_section(reader: Reader, site: Site) -> None:
    page = entry(reader, site, "learns")
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    assert links.count() == 13
    for link in links.all():
        assert page.locator(link.get_attribute("href") or "").count() == 1
