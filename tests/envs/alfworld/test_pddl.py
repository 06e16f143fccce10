import pytest

from ictbench.envs.alfworld.pddl import Problem, parse_problem, show
from ictbench.errors import EnvError

SMALL = """
(define (problem plan_trial)
  (:domain alfred)
  (:objects agent1 - agent
    Mug_1 Mug_2 - object ; two of a type
    MugType - otype)
  (:init (atLocation agent1 loc_1) (isReceptacleObject Mug_1))
  (:goal (and (exists (?o - object) (objectType ?o MugType)))))
"""


def test_a_problem_is_read_in_lower_case_with_its_types_facts_and_goal() -> None:
    assert parse_problem(SMALL) == Problem(
        objects={"agent1": "agent", "mug_1": "object", "mug_2": "object", "mugtype": "otype"},
        facts=(("atlocation", "agent1", "loc_1"), ("isreceptacleobject", "mug_1")),
        goal=("and", ("exists", ("?o", "-", "object"), ("objecttype", "?o", "mugtype"))),
    )


def test_an_expression_is_shown_as_pddl() -> None:
    assert show(parse_problem(SMALL).goal) == "(and (exists (?o - object) (objecttype ?o mugtype)))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 expressions"),
        ("hello", "1 expressions"),
        ("()", "1 expressions"),
        (SMALL + "(", "1 closing brackets are missing"),
        (SMALL + ")", "a closing bracket too many"),
        (SMALL + SMALL, "2 expressions"),
        (SMALL.replace("define", "domain"), "begins with domain"),
        (SMALL.replace(":objects", ":things"), r"no section \(:objects"),
        (SMALL.replace(":init", ":start"), r"no section \(:init"),
        (SMALL.replace(":goal", ":aim"), r"no section \(:goal"),
        (SMALL.replace("(:goal", "(:goal done"), "2 expressions in"),
        (SMALL.replace("(isReceptacleObject Mug_1)", "(not (isReceptacleObject Mug_1))"), "is not a predicate"),
        (SMALL.replace("(isReceptacleObject Mug_1)", "()"), "is not a predicate"),
        (SMALL.replace("(isReceptacleObject Mug_1)", "handempty"), "the fact handempty is not a predicate"),
        (SMALL.replace("- otype", ""), "'mugtype' has no type"),
        (SMALL.replace("- otype", "-"), "no type after 'mugtype'"),
        (SMALL.replace("MugType - otype", "(MugType) - otype"), "in a list of names"),
    ],
)
def test_a_text_that_is_no_problem_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(EnvError, match=message) as caught:
        parse_problem(text)
    assert "\n" not in str(caught.value)


def test_a_long_wrong_fact_does_not_fill_the_screen() -> None:
    with pytest.raises(EnvError) as caught:
        parse_problem(SMALL.replace("(isReceptacleObject Mug_1)", f"(not ({'x' * 500}))"))
    assert len(str(caught.value)) < 200
