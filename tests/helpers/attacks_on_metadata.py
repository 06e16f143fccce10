"""Attacks on what a submitter says, and on names: some of it meant for whoever looks at the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks import ATTACKS, Attack, attack
from forgery import retitle

if TYPE_CHECKING:
    from collections.abc import Callable

    from forgery import Forgery

SCRIPT = "<script>alert(1)</script>"


def saying(**changes: object) -> Callable[[Forgery], None]:
    """An edit of the metadata, made after they were derived from the result."""

    def forge(f: Forgery) -> None:
        f.derived = False
        f.metadata |= changes

    return forge


def playing(role: str, **changes: object) -> Callable[[Forgery], None]:
    """An edit of what the metadata say of a player."""
    return lambda f: f.metadata[role].update(changes)


FALSE: dict[str, tuple[dict[str, object], str]] = {
    "another profile": ({"profile": "standard"}, "profile is 'standard', but the result says 'lite'"),
    "another suite": ({"suite": "alfworld-v1"}, "it is of suite 'alfworld-v1' and lies on the board of minihack-v1"),
    "another training": ({"reflector_trained_on": None}, "reflector_trained_on is None, but the result says []"),
    "another date": ({"date": "2020-01-01"}, "date is '2020-01-01', but the result says"),
    "another version of ictbench": ({"ictbench": "9.9"}, "ictbench is '9.9', but the result says"),
    "another cost": (
        {"cost": {"usd": 1.0, "calls": 0, "input_tokens": 0, "output_tokens": 0}},
        "cost is {'usd': 1.0",
    ),
}
for name, (changes, reason) in FALSE.items():
    ATTACKS.append(Attack(f"{name} in the metadata", "validate", reason, forge=saying(**changes)))

for role in ("reflector", "actor"):
    ATTACKS.append(
        Attack(
            f"another {role} in the metadata",
            "validate",
            f"{role}.label is 'openai/gpt-9', but the result says 'rules'",
            forge=playing(role, label="openai/gpt-9"),
        )
    )

VALUE = "Value error, it"

HARMFUL: dict[str, tuple[dict[str, object], str]] = {
    "script in the name": ({"name": f"a {SCRIPT}"}, f"name: {VALUE} holds markup (<s…)"),
    "script in the description": ({"description": f"One.\n{SCRIPT}"}, f"description: {VALUE} holds markup"),
    "script in who submits": ({"submitted_by": f"a {SCRIPT}"}, f"submitted_by: {VALUE} holds markup"),
    "script in what it was trained on": (
        {"reflector_trained_on": [f"other:{SCRIPT}"]},
        f"reflector_trained_on.0: {VALUE} holds markup",
    ),
    "script in a revision": (
        {"actor": {"label": "rules", "revision": SCRIPT, "open_weights": None}},
        f"actor.revision: {VALUE} holds markup",
    ),
    "script in the version": ({"ictbench": SCRIPT}, f"ictbench: {VALUE} holds markup"),
    "an image that loads": ({"name": 'x <img src="https://spy.example/">'}, f"name: {VALUE} holds markup (<i…)"),
    "a link that runs": ({"links": ["javascript:alert(1)"]}, "links.0: String should match"),
    "a link that ends its attribute": ({"links": ['https://a.example/"onclick="x']}, "links.0: String should match"),
    "a link with a password": ({"links": ["https://board.example:x@evil.example/"]}, "links.0: String should match"),
    "a link without encryption": ({"links": ["http://a.example/"]}, "links.0: String should match"),
    "six links": ({"links": ["https://a.example/"] * 6}, "links: Tuple should have at most 5 items"),
    "text that runs from right to left": ({"name": "best \u202eelur"}, "the invisible character U+202E"),
    "a zero-width space in the name": ({"name": "GPT\u200b-5"}, "the invisible character U+200B"),
    "a zero-width joiner in who submits": ({"submitted_by": "a\u200db"}, "the invisible character U+200D"),
    "a filler for a name": ({"name": "\u3164"}, "the invisible character U+3164"),
    "a grapheme joiner in who submits": ({"submitted_by": "a\u034fb"}, "the invisible character U+034F"),
    "a variation selector in a revision": (
        {"actor": {"label": "rules", "revision": "1\ufe0f", "open_weights": None}},
        "the invisible character U+FE0F",
    ),
    "a line separator at the end of a description": ({"description": "a\u2028\nb"}, "the invisible character U+2028"),
    "a terminal's escape in the name": ({"name": "a\x1b[2Jb"}, "the invisible character U+001B"),
    "two lines for a name": ({"name": "a\nb"}, "the invisible character U+000A"),
    "a name that is not in normal form": ({"name": "cafe\u0301"}, f"name: {VALUE} is not in Unicode's normal form NFC"),
    "a formula for a name": ({"name": '=HYPERLINK("https://evil.example")'}, f"name: {VALUE} begins with ="),
    "a formula in full width": ({"name": "＝1+1"}, f"name: {VALUE} begins with ＝"),
    "a YAML tag for a name": ({"name": "!!python/object/apply:os.system [id]"}, f"name: {VALUE} begins with !"),
    "a name of 100,000 letters": ({"name": "x" * 100_000}, "name: String should have at most 120 characters"),
    "an empty description": ({"description": " \n"}, f"description: {VALUE} is empty"),
    "a badge of one's own": ({"badges": ["replayed"]}, "badges: Extra inputs are not permitted"),
    "another schema": ({"schema": "ictbench.submission/2"}, "schema: Input should be 'ictbench.submission/1'"),
    "a cost that is text": (
        {"cost": {"usd": "0", "calls": 0, "input_tokens": 0, "output_tokens": 0}},
        "cost.usd: Input should be a valid number",
    ),
}
for name, (said, reason) in HARMFUL.items():
    ATTACKS.append(Attack(name, "reading", reason, forge=saying(**said)))


@attack("script in prompts and analyses", "nothing", "a model may write markup: shown as text")
def script_in_result(f: Forgery) -> None:
    loop = f.loop(3, 1)
    loop["prompts"][1]["analysis"] = SCRIPT
    retitle(f, loop, 1, f"{SCRIPT} </style></script> [x](javascript:alert(1))")
    f.recount()


@attack("script in a label of the result", "reading", f"reflector.label: {VALUE} holds markup")
def script_in_label(f: Forgery) -> None:
    f.result["reflector"]["label"] = SCRIPT
    f.metadata["reflector"]["label"] = SCRIPT


@attack("script in the instruction", "nothing", "it is published as it is, shown as text")
def script_in_instruction(f: Forgery) -> None:
    f.metadata["instruction"] = SCRIPT


SLUGS = {
    "a name in large letters, which some file systems do not tell apart": (
        "Scripted-Pair",
        "'Scripted-Pair' is no name",
    ),
    "a zero-width space in the folder's name": ("scripted\u200bpair", "'scripted\\u200bpair' is no name"),
    "a device for a name": ("con", "'con' is no file name on Windows"),
    "an option for a name": ("--help", "'--help' is not a valid submission name"),
    "a path for a name": ("..scripted-pair", "'..scripted-pair' is not a valid submission name"),
    "a name of 65 letters": ("x" * 65, "is not a valid submission name"),
}
for name, (slug, reason) in SLUGS.items():
    ATTACKS.append(Attack(name, "validate", reason, slug=slug))
