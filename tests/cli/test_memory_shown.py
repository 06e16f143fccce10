"""What a memory added is shown with its episode, and is part of exported rows."""

from __future__ import annotations

import json

from memory_run import memory_run

from ictbench.cli.render_result import episode_pages
from ictbench.results.build_rows import episode_row, uses_of
from ictbench.submissions.episode_records import evidence_of_run


def test_what_a_memory_added_is_shown_and_cannot_control_the_terminal() -> None:
    run = memory_run()
    record = next(record for record in evidence_of_run(run.folder).episodes() if record.added)
    episode = run.episode(record.key)
    assert "added to the prompt by the memory" in "".join(episode_pages(episode))
    assert record.added.splitlines()[-1] in "".join(episode_pages(episode))
    hostile = episode.model_copy(update={"added": "\x1b]52;c;AAAA\x07"})
    assert "\x1b" not in "".join(episode_pages(hostile))
    plain = episode.model_copy(update={"added": ""})
    assert "memory" not in "".join(episode_pages(plain)).splitlines()[2]


def test_exported_rows_have_what_was_added_and_the_memory() -> None:
    run = memory_run()
    record = next(record for record in evidence_of_run(run.folder).episodes() if record.added)
    assert episode_row(run.episode(record.key), uses_of(run.result)).added == record.added
    memories = {memory.digest: memory.value for memory in evidence_of_run(run.folder).memories()}
    named = {loop.prompts[turn].memory for family in run.result.families for loop in family.loops for turn in (1, 2, 3)}
    kept = [json.loads(memory) for memory in run.reflections()["memory"]]
    assert [value for value in memories.values() if value not in kept] == []
    assert named == {*memories}
