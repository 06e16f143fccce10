"""Attacks on the metadata and the name of a submission, some of them aimed at readers of the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks import ATTACKS, Attack, attack
from forgery import replace_prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgery import Forgery

SCRIPT = "<script>alert(1)</script>"


def edit_metadata(**changes: object) -> Callable[[Forgery], None]:
    """Return an edit of the metadata after they were derived from the result."""

    def forge(f: Forgery) -> None:
        f.derived = False
        f.metadata |= changes

    return forge


def edit_player(role: str, **changes: object) -> Callable[[Forgery], None]:
    """Return an edit of a player in the metadata."""
    return lambda f: f.metadata[role].update(changes)


def relabel(role: str, label: str) -> Callable[[Forgery], None]:
    """Return an edit of a player's label in result and metadata."""

    def forge(f: Forgery) -> None:
        f.result[role]["label"] = label
        f.metadata[role]["label"] = label

    return forge


def state_training(*names: str) -> Callable[[Forgery], None]:
    """Return an edit of the training families in result and metadata."""
    return lambda f: f.result.update(reflector_trained_on=[*names])


LIES: dict[str, tuple[Callable[[Forgery], object], str]] = {
    "another model's name as the label of a program": (
        relabel("reflector", "openai/gpt-9 (official)"),
        "its reflector is labelled 'openai/gpt-9 (official)', but it is 'rules'",
    ),
    "the same for the actor": (
        relabel("actor", "openai/gpt-9"),
        "its actor is labelled 'openai/gpt-9', but it is 'rules'",
    ),
    "a run of the year 2999": (
        lambda f: f.result["host"].update(started="2999-01-01T00:00:00+00:00"),
        "the run was started on 2999-01-01, in the future",
    ),
    "a run of the year 1970, before all others": (
        lambda f: f.result["host"].update(started="1970-01-01T00:00:00+00:00"),
        "the run was started on 1970-01-01, before there was ictbench",
    ),
    "an advertisement as a kind of failure": (
        lambda f: f.result.update(retried_failures={"buy mine": 3}),
        "retried_failures names 'buy mine', which is no kind of failure",
    ),
    "a negative number of repeated failures": (
        lambda f: f.result.update(retried_reflections={"truncated": -5}),
        "retried_reflections counts -5, not between 0 and 1,000,000",
    ),
    "repeated failures of a program": (
        lambda f: f.result.update(retried_failures={"timeout": 5}),
        "retried_failures counts failed episodes, but actor 'rules' is a program",
    ),
    "a program whose replies repeat": (
        lambda f: f.result["actor"].update(reproducible=True),
        "its actor 'rules' has no model, but states reproducible: True",
    ),
    "a version of a program's weights, for a track of its own": (
        lambda f: (f.result["actor"].update(fingerprint="2026-01"), f.metadata["actor"].update(revision="2026-01")),
        "its actor 'rules' has no model, but states fingerprint: '2026-01'",
    ),
    "a version of ictbench that does not exist yet": (
        lambda f: f.result.update(ictbench="99.0.0"),
        "ictbench 99.0.0 made the run, and this is",
    ),
    "a word as the version of ictbench": (
        lambda f: f.result.update(ictbench="latest"),
        "its version of ictbench is 'latest'",
    ),
    "a held-out training family in full-width letters": (
        state_training("minihack-v1/ｚａｐ"),
        "minihack-v1 has no such family",
    ),
    "a held-out training family in Cyrillic letters": (
        state_training("minihack-v1/\u0437\u0430\u0440"),
        "minihack-v1 has no such family",
    ),
    "a suite of training in another case": (state_training("MiniHack-v1/zap"), "which is neither SUITE/FAMILY"),
    "a held-out training family as something else": (
        state_training("other:minihack-v1-zap"),
        "write the suite and its family as SUITE/FAMILY",
    ),
    "the bare name of a held-out family as something else": (
        state_training("other:Zap"),
        "write the suite and its family as SUITE/FAMILY",
    ),
    "held-out training families in free words": (
        state_training("other:all of them"),
        "write the suite and its family as SUITE/FAMILY",
    ),
    "the same in one word with digits": (
        state_training("other:He1dOutT00"),
        "write the suite and its family as SUITE/FAMILY",
    ),
}
for name, (forge, reason) in LIES.items():
    ATTACKS.append(Attack(name, "validate", reason, forge=forge))


@attack(
    "another model as the revision of a program", "validate", "reflector.revision is 'openai/gpt-9', but rules is a"
)
def revision_of_a_program(f: Forgery) -> None:
    f.metadata["reflector"]["revision"] = "openai/gpt-9"


CONTRADICTIONS: dict[str, tuple[dict[str, object], str]] = {
    "another profile": ({"profile": "standard"}, "profile is 'standard', but the result says 'lite'"),
    "another suite": ({"suite": "alfworld-v1"}, "its suite is 'alfworld-v1', but it is on the board of minihack-v1"),
    "another training of the reflector": (
        {"reflector_trained_on": None},
        "reflector_trained_on is None, but the result says []",
    ),
    "another training of the actor": (
        {"actor_trained_on": ["minihack-v1/eat"]},
        "actor_trained_on is ['minihack-v1/eat'], but the result says []",
    ),
    "another date": ({"date": "2020-01-01"}, "date is '2020-01-01', but the result says"),
    "another version of ictbench": ({"ictbench": "9.9"}, "ictbench is '9.9', but the result says"),
    "another cost": (
        {"cost": {"usd": 1.0, "calls": 0, "input_tokens": 0, "output_tokens": 0}},
        "cost is {'usd': 1.0",
    ),
}
for name, (changes, reason) in CONTRADICTIONS.items():
    ATTACKS.append(Attack(f"{name} in the metadata", "validate", reason, forge=edit_metadata(**changes)))

for role in ("reflector", "actor"):
    ATTACKS.append(
        Attack(
            f"another {role} in the metadata",
            "validate",
            f"{role}.label is 'openai/gpt-9', but the result says 'rules'",
            forge=edit_player(role, label="openai/gpt-9"),
        )
    )

VALUE = "it"

INVALID: dict[str, tuple[dict[str, object], str]] = {
    "a script in the name": ({"name": f"a {SCRIPT}"}, f"name: {VALUE} holds markup (<s…)"),
    "a script in the description": ({"description": f"One.\n{SCRIPT}"}, f"description: {VALUE} holds markup"),
    "a script in the submitter": ({"submitted_by": f"a {SCRIPT}"}, f"submitted_by: {VALUE} holds markup"),
    "a script in the training families": (
        {"reflector_trained_on": [f"other:{SCRIPT}"]},
        f"reflector_trained_on.0: {VALUE} holds markup",
    ),
    "a script in a revision": (
        {"actor": {"label": "rules", "revision": SCRIPT, "open_weights": None}},
        f"actor.revision: {VALUE} holds markup",
    ),
    "a script in the version of ictbench": ({"ictbench": SCRIPT}, f"ictbench: {VALUE} holds markup"),
    "an image from another server in the name": (
        {"name": 'x <img src="https://spy.example/">'},
        f"name: {VALUE} holds markup (<i…)",
    ),
    "a link with a script": ({"links": ["javascript:alert(1)"]}, " does not match ^https://"),
    "a link that ends its HTML attribute": (
        {"links": ['https://a.example/"onclick="x']},
        " does not match ^https://",
    ),
    "a link with a password": ({"links": ["https://board.example:x@evil.example/"]}, " does not match ^https://"),
    "a link without encryption": ({"links": ["http://a.example/"]}, " does not match ^https://"),
    "six links": ({"links": ["https://a.example/"] * 6}, " has more than 5 entries"),
    "a right-to-left override in the name": ({"name": "best \u202eelur"}, "the invisible character U+202E"),
    "a zero-width space in the name": ({"name": "GPT\u200b-5"}, "the invisible character U+200B"),
    "a zero-width joiner in the submitter": ({"submitted_by": "a\u200db"}, "the invisible character U+200D"),
    "an invisible filler as the name": ({"name": "\u3164"}, "the invisible character U+3164"),
    "a grapheme joiner in the submitter": ({"submitted_by": "a\u034fb"}, "the invisible character U+034F"),
    "a variation selector in a revision": (
        {"actor": {"label": "rules", "revision": "1\ufe0f", "open_weights": None}},
        "the invisible character U+FE0F",
    ),
    "a line separator at the end of a description": ({"description": "a\u2028\nb"}, "the invisible character U+2028"),
    "a terminal escape sequence in the name": ({"name": "a\x1b[2Jb"}, "the invisible character U+001B"),
    "a name of two lines": ({"name": "a\nb"}, "the invisible character U+000A"),
    "a name not in Unicode normal form": ({"name": "cafe\u0301"}, f"name: {VALUE} is not in Unicode's normal form NFC"),
    "a spreadsheet formula as the name": (
        {"name": '=HYPERLINK("https://evil.example")'},
        f"name: {VALUE} begins with =",
    ),
    "a spreadsheet formula in full-width characters": ({"name": "＝1+1"}, f"name: {VALUE} begins with ＝"),
    "a YAML tag as the name": ({"name": "!!python/object/apply:os.system [id]"}, f"name: {VALUE} begins with !"),
    "a name of 100,000 letters": ({"name": "x" * 100_000}, " is longer than 120 characters"),
    "an empty description": ({"description": " \n"}, f"description: {VALUE} is empty"),
    "a badge in the metadata": ({"badges": ["replayed"]}, "badges is not a known field"),
    "marks that cover the lines above and below the name": (
        {"name": f"Zalgo {chr(0x1EAD)}{chr(0x033F) * 9}"},
        "stacks marks on one letter",
    ),
    "an unknown schema of the metadata": (
        {"schema": "ictbench.submission/2"},
        "is not 'ictbench.submission/1'",
    ),
    "a text instead of a cost": (
        {"cost": {"usd": "0", "calls": 0, "input_tokens": 0, "output_tokens": 0}},
        "is not a number",
    ),
}
for name, (changes, reason) in INVALID.items():
    ATTACKS.append(Attack(name, "reading", reason, forge=edit_metadata(**changes)))


@attack("a script in prompts and analyses", "nothing", "a model may write markup; it is shown as text")
def script_in_result(f: Forgery) -> None:
    loop = f.loop(3, 1)
    last = len(loop["prompts"]) - 1
    loop["prompts"][last]["analysis"] = SCRIPT
    replace_prompt(f, loop, last, f"{SCRIPT} </style></script> [x](javascript:alert(1))")
    f.recompute()


@attack("a script in a label of the result", "reading", f"reflector.label: {VALUE} holds markup")
def script_in_label(f: Forgery) -> None:
    f.result["reflector"]["label"] = SCRIPT
    f.metadata["reflector"]["label"] = SCRIPT


@attack("a script in the instruction", "nothing", "it is published unchanged; it is shown as text")
def script_in_instruction(f: Forgery) -> None:
    f.result["reflector"].update(label="mine:Mine", name="mine:Mine")
    f.metadata["reflector"]["label"] = "mine:Mine"
    f.metadata["instruction"] = SCRIPT


SLUGS = {
    "a folder name that differs only in case": (
        "Scripted-Pair",
        "'Scripted-Pair' is not a valid submission name",
    ),
    "a zero-width space in the folder name": (
        "scripted\u200bpair",
        "'scripted\\u200bpair' is not a valid submission name",
    ),
    "a Windows device as the folder name": ("con", "'con' is not a valid file name on Windows"),
    "a command-line option as the folder name": ("--help", "'--help' is not a valid submission name"),
    "a path as the folder name": ("..scripted-pair", "'..scripted-pair' is not a valid submission name"),
    "a folder name of 65 letters": ("x" * 65, "is not a valid submission name"),
}
for name, (slug, reason) in SLUGS.items():
    ATTACKS.append(Attack(name, "validate", reason, slug=slug))
