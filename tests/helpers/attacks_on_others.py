"""Attacks on other entries of the board: copies, look-alikes, and submissions that come back."""

from __future__ import annotations

import shutil
from copy import deepcopy
from typing import TYPE_CHECKING

from attacks import ATTACKS, Attack
from forgery import Forgery, replace_prompt

from ictbench.board import board_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgery import Json

    from ictbench.submissions.layout import BoardFolder, SubmissionFolder

RIVAL = "rival"


def add_rival(board: BoardFolder, honest: SubmissionFolder) -> None:
    """Put the honest submission onto the board, and into its log."""
    shutil.copytree(honest.path, board.submission(RIVAL).path)
    digest = Forgery.digest_of(honest)
    board_log.append(board.log, "added", RIVAL, by="the board", reason="Replayed.", submission=digest)


def add_removed(board: BoardFolder, honest: SubmissionFolder) -> None:
    """Note in the log that the honest submission was removed, and put it back."""
    shutil.copytree(honest.path, board.submission(honest.slug).path, dirs_exist_ok=True)
    note_removal(board, honest)


def note_removal(board: BoardFolder, honest: SubmissionFolder) -> None:
    """Note in the log that the honest submission was removed."""
    digest = Forgery.digest_of(honest)
    board_log.append(board.log, "added", RIVAL, by="the board", reason="Replayed.", submission=digest)
    board_log.append(board.log, "removed", RIVAL, by="the board", reason="Its prompts were not its own.")


def add_unranked(board: BoardFolder, honest: SubmissionFolder) -> None:
    """Show an entry of the board itself, whose folder has the name of the honest one."""
    rival = Forgery.of(honest)
    invent_prompts(rival)
    rival.metadata["name"] = "Another entry"
    rival.write(board.shown(honest.slug).path)


def rename(name: str) -> Callable[[Forgery], None]:
    """Return an edit of the name, and of a prompt, so that the submission is no copy."""

    def forge(f: Forgery) -> None:
        invent_prompts(f)
        f.metadata["name"] = name

    return forge


def copy(f: Forgery) -> None:
    """Give the submission another name and submitter, and say that its reflector is another."""
    f.metadata |= {"name": "My own", "submitted_by": "somebody else", "description": "All mine."}
    f.result["reflector"] |= {"label": "mine:Reflector", "name": "mine:Reflector"}
    f.metadata["reflector"]["label"] = "mine:Reflector"
    for prompt in (prompt for loop in f.loops() for prompt in loop["prompts"]):
        prompt["analysis"] = "I thought of this."


def be_blind(f: Forgery) -> None:
    """Say that the episodes are those of the blind arm of the rival's reflector."""
    inside = {name: value for name, value in deepcopy(f.result["reflector"]).items() if name in PARTS}
    label = f"blind:{inside['label']}"
    f.result["reflector"] |= {"label": label, "name": "blind", "options": {"reflector": inside}}
    f.result |= {"control": "it is shown no trajectory", "ranked": False}
    f.metadata["name"] = "Blind"
    f.metadata["reflector"]["label"] = label


def edit_description(f: Forgery) -> None:
    """Change the description only."""
    f.metadata["description"] = "Rules again."


PARTS = ("label", "name", "options")


def be_blind_with_other_prompts(f: Forgery) -> None:
    """Do the same with a changed prompt."""
    invent_prompts(f)
    be_blind(f)


def invent_prompts(f: Forgery) -> None:
    """Replace a prompt, so that the submission holds another run than the honest one."""
    loop: Json = f.loop(3, 1)
    last = len(loop["prompts"]) - 1
    replace_prompt(f, loop, last, f"{loop['prompts'][last]['text']}\nTake care.")
    f.recompute()


IS_COPY = f"its prompts and outcomes are those of submissions/{RIVAL}: it is a copy of that run"
LOOKS_LIKE = f"looks like 'Scripted pair', the name of submissions/{RIVAL}"
ATTACKS += [
    Attack(
        "another entry's files under another name and reflector", "validate", IS_COPY, copy, prepare_board=add_rival
    ),
    Attack("another entry's episodes as its blind arm", "validate", IS_COPY, be_blind, prepare_board=add_rival),
    Attack(
        "invented prompts as the blind arm of another entry",
        "nothing",
        "a replay cannot tell who wrote a prompt; over blind uses only arms that the board has rerun",
        be_blind_with_other_prompts,
        prepare_board=add_rival,
    ),
    Attack("another entry's name", "validate", LOOKS_LIKE, rename("Scripted pair"), prepare_board=add_rival),
    Attack(
        "another entry's name with other spaces and capitals",
        "validate",
        LOOKS_LIKE,
        rename("SCRIPTED-PAIR"),
        prepare_board=add_rival,
    ),
    Attack(
        "another entry's name with l for i", "validate", LOOKS_LIKE, rename("Scrlpted palr"), prepare_board=add_rival
    ),
    Attack(
        "another entry's name in full-width letters",
        "validate",
        LOOKS_LIKE,
        rename("Ｓｃｒｉｐｔｅｄ ｐａｉｒ"),
        prepare_board=add_rival,
    ),
    Attack(
        "a name with Cyrillic letters among Latin ones", "reading", "mixes alphabets", rename("S\u0441ripted p\u0430ir")
    ),
    Attack(
        "another entry's name in Lisu letters",
        "reading",
        "is of no alphabet in everyday use",
        rename("\ua4e2\ua4da\ua4e3\ua4f2\ua4d1\ua4d4\ua4f0\ua4d3 \ua4d1\ua4ee\ua4f2\ua4e3"),
    ),
    Attack(
        "another entry's name with a click for i",
        "reading",
        "is of no alphabet in everyday use",
        rename("Scripted pa\u01c0r"),
    ),
    Attack(
        "another entry's files with one more sentence in a prompt",
        "nothing",
        "a replay cannot tell who wrote a prompt, and when; the board names the earlier entry beside the score",
        rename("My own"),
        prepare_board=add_rival,
    ),
    Attack(
        "a removed submission, byte for byte, under another folder name",
        "validate",
        "a removed submission stays removed",
        prepare_board=add_removed,
    ),
    Attack(
        "a removed submission with another description",
        "nothing",
        "only maintainers can tell a correction; a log removes the digest",
        edit_description,
        prepare_board=note_removal,
    ),
    Attack(
        "the folder name of an unranked entry",
        "validate",
        "its folder has the name of unranked/",
        prepare_board=add_unranked,
    ),
]
