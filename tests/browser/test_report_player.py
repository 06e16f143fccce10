"""Trajectories in a real browser: selected, replayed by keyboard, compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from ictbench import Run

    from .reader import Reader

Report = Callable[..., Path]
"""A function that writes a report of runs."""


def first_task(page: Page) -> Locator:
    return page.get_by_role("list", name="Episodes").get_by_role("button").first


def player(page: Page, key: str) -> Locator:
    region = page.get_by_role("region", name=key)
    region.wait_for()
    return region


def screen_of(player: Locator) -> str:
    return player.get_by_label("Screen as the actor saw it").text_content() or ""


def test_episodes_of_an_audit_are_listed_and_replayed(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    episodes = page.locator("#episodes")
    loop = rules.result.families[1].loops[0]
    episodes.get_by_label("Family").select_option("read")
    episodes.get_by_label("Loop").select_option("0")
    for name, tasks, prompt, outcomes in (
        ("audit of turn 1, same batch, prompt[1]", loop.batches[0].tasks, loop.prompts[1], loop.audit[0].replayed),
        ("audit of turn 1, next batch, prompt[0]", loop.batches[1].tasks, loop.prompts[0], loop.audit[0].fresh),
    ):
        episodes.get_by_label("Purpose").select_option(name)
        buttons = page.get_by_role("list", name="Episodes").get_by_role("button").all()
        assert [button.get_attribute("data-key") for button in buttons] == [f"{task}@{prompt.digest}" for task in tasks]
        solved = ["good" in (button.get_attribute("class") or "").split() for button in buttons]
        assert solved == [outcome == "1" for outcome in outcomes]
        buttons[0].click()
        assert screen_of(player(page, f"{tasks[0]}@{prompt.digest}"))


def test_episode_is_selected_and_replayed_by_keyboard(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    page.locator("#episodes").get_by_label("Family").select_option("read")
    page.locator("#episodes").get_by_label("Loop").select_option("1")
    first_task(page).focus()
    page.keyboard.press("Enter")
    loop = rules.result.families[1].loops[1]
    key = f"{loop.batches[0].tasks[0]}@{loop.prompts[0].digest}"
    playing = player(page, key)
    trajectory = rules.episode(key).trajectory
    for number, step in enumerate(trajectory.steps, start=1):
        assert screen_of(playing) == step.observation.rstrip("\n")
        status = playing.get_by_role("status").inner_text()
        assert status.startswith(f"Decision {number} of {len(trajectory.steps)}: executed {step.executed}, reward ")
        facts = dict(zip(playing.locator("dt").all_inner_texts(), playing.locator("dd").all_inner_texts(), strict=True))
        assert (facts["Proposed"], facts["Executed"]) == (step.proposed, step.executed)
        assert float(facts["Reward"]) == round(step.reward, 3)
        page.keyboard.press("ArrowRight")
    assert screen_of(playing) == trajectory.last_observation.rstrip("\n")
    assert playing.get_by_role("status").inner_text().startswith(f"End, after {len(trajectory.steps)} decision")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert screen_of(playing) == trajectory.steps[0].observation.rstrip("\n")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert screen_of(playing) == trajectory.steps[-1].observation.rstrip("\n")


def test_buttons_slider_and_decision_list_reach_the_same_frames(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    first_task(page).click()
    loop = rules.result.families[0].loops[0]
    key = f"{loop.batches[0].tasks[0]}@{loop.prompts[0].digest}"
    playing, steps = player(page, key), rules.episode(key).trajectory.steps
    playing.get_by_role("button", name="Forward").click()
    assert playing.get_by_role("status").inner_text().startswith("Decision 2 of")
    playing.get_by_role("slider", name="Decision").fill("0")
    assert playing.get_by_role("status").inner_text().startswith("Decision 1 of")
    moves = playing.get_by_role("list", name="All decisions").get_by_role("button")
    assert moves.all_inner_texts() == [*(step.proposed for step in steps), "end"]
    moves.last.click()
    assert playing.get_by_role("status").inner_text().startswith("End, after")
    assert moves.last.get_attribute("aria-current") == "step"
    playing.get_by_role("button", name="First").click()
    assert playing.get_by_role("status").inner_text().startswith("Decision 1 of")


def test_automatic_playback_runs_until_paused_or_ended(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    page.clock.install(time=datetime(2030, 1, 1, tzinfo=UTC))
    key = max(rules.episode_keys(), key=lambda key: len(rules.episode(key).trajectory.steps))
    open_episode(page, rules, key)
    playing, status = player(page, key), page.get_by_role("status")
    page.clock.pause_at(datetime(2030, 1, 2, tzinfo=UTC))  # from here on only `run_for` advances the time
    playing.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    assert status.inner_text().startswith("Decision 3 of")
    playing.get_by_role("button", name="Pause").click()
    page.clock.run_for(1000)
    assert status.inner_text().startswith("Decision 3 of")
    playing.get_by_role("button", name="Play").click()
    page.clock.run_for(30_000)
    assert status.inner_text().startswith("End, after")
    assert playing.get_by_role("button", name="Play").is_visible()


def test_further_keys_and_invalid_actions_are_shown(
    reader: Reader, report_of: Report, rules: Run, hostile: Run
) -> None:
    with_keys = next(k for k in rules.episode_keys("read-") if any(s.keys for s in rules.episode(k).trajectory.steps))
    page = reader.open(report_of(rules))
    open_episode(page, rules, with_keys)
    playing = player(page, with_keys)
    number, step = next((n, s) for n, s in enumerate(rules.episode(with_keys).trajectory.steps) if s.keys)
    playing.get_by_role("list", name="All decisions").get_by_role("button").nth(number).click()
    assert playing.locator("kbd").count() == len(step.keys)

    invalid = next(k for k in hostile.episode_keys() if hostile.episode(k).trajectory.invalid)
    page = reader.open(report_of(hostile))
    open_episode(page, hostile, invalid)
    playing = player(page, invalid)
    steps = hostile.episode(invalid).trajectory.steps
    number = next(n for n, s in enumerate(steps) if s.executed is None)
    playing.get_by_role("list", name="All decisions").get_by_role("button").nth(number).click()
    assert "invalid" in playing.get_by_role("status").inner_text()
    assert playing.get_by_text("invalid: nothing happened").is_visible()


def open_episode(page: Page, run: Run, key: str) -> None:
    """Find and open an episode through the drop-down lists, as a reader would."""
    section = page.locator("#episodes")
    for family in run.result.families:
        section.get_by_label("Family").select_option(family.name)
        for loop in family.loops:
            section.get_by_label("Loop").select_option(str(loop.index))
            for name in section.get_by_label("Purpose").locator("option").all_inner_texts():
                section.get_by_label("Purpose").select_option(name)
                button = section.locator(f'button[data-key="{key}"]')
                if button.count():
                    button.click()
                    return
    raise AssertionError(f"{key} is not listed")


def test_episodes_are_filtered_by_outcome(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    section = page.locator("#episodes")
    loop = rules.result.families[0].loops[0]
    best = next(name for name in section.get_by_label("Purpose").locator("option").all_inner_texts() if "best" in name)
    section.get_by_label("Purpose").select_option(best)
    outcomes = loop.test[loop.best]
    for choice, expected in (("solved", "1"), ("not solved", "0")):
        section.get_by_label("Show").select_option(choice)
        tasks = [task for task, outcome in zip(loop.test_tasks, outcomes, strict=True) if outcome == expected]
        assert (
            page.get_by_role("list", name="Episodes").get_by_role("button").locator("strong").all_inner_texts() == tasks
        )
    section.get_by_label("Show").select_option("with invalid actions")
    assert page.get_by_role("list", name="Episodes").inner_text() == "None."


def test_two_episodes_of_one_task_are_replayed_side_by_side(
    reader: Reader, report_of: Report, rules: Run, unchanged: Run
) -> None:
    page = reader.open(report_of(rules, unchanged))
    section = page.locator("#episodes")
    section.get_by_label("Purpose").select_option(label="test, prompt[0] (base)")
    first_task(page).click()
    section.get_by_label("Compare with").select_option(index=1)
    players = page.locator(".player")
    players.nth(1).wait_for()
    players.first.focus()
    page.keyboard.press("ArrowRight")
    for each in players.all():
        assert each.get_by_role("status").inner_text().startswith(("Decision 2 of", "End, after 1 "))
    task = rules.result.families[0].loops[0].test_tasks[0]
    assert all(task in title for title in players.locator("h3").all_inner_texts())


def test_episode_of_a_batch_opens_from_the_prompts_section(reader: Reader, report_of: Report, rules: Run) -> None:
    page = reader.open(report_of(rules))
    loop = rules.result.families[0].loops[0]
    task = loop.batches[1].tasks[0]
    prompts = page.locator("#prompts")
    prompts.get_by_label("Family").select_option(rules.result.families[0].name)
    prompts.get_by_label("Loop").select_option("0")
    page.get_by_role("article", name="prompt[2], rules").get_by_role("button", name=task).click()
    playing = player(page, f"{task}@{loop.prompts[1].digest}")
    assert playing.evaluate("e => e === document.activeElement")


def test_damaged_episode_shows_an_error_and_the_rest_still_works(
    reader: Reader, report_of: Report, rules: Run, tmp_path: Path
) -> None:
    text = report_of(rules).read_text(encoding="utf-8")
    start = text.index('id="chunk-0-0">') + len('id="chunk-0-0">')
    (tmp_path / "damaged.html").write_text(text[: start + 100] + "AAAA" + text[start + 104 :], encoding="utf-8")
    page = reader.open(tmp_path / "damaged.html")
    section = page.locator("#episodes")
    section.get_by_label("Family").select_option("read")
    first_task(page).click()
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text().startswith("Cannot decompress this episode: ")
    section.get_by_label("Family").select_option("room-random")
    assert first_task(page).is_enabled()
