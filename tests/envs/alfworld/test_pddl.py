import pytest

from ictbench.envs.alfworld.pddl import Problem, format_expression, parse_problem
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


def test_a_problem_is_parsed_in_lower_case() -> None:
    assert parse_problem(SMALL) == Problem(
        objects={"agent1": "agent", "mug_1": "object", "mug_2": "object", "mugtype": "otype"},
        facts=(("atlocation", "agent1", "loc_1"), ("isreceptacleobject", "mug_1")),
        goal=("and", ("exists", ("?o", "-", "object"), ("objecttype", "?o", "mugtype"))),
    )


def test_an_expression_is_formatted_as_pddl() -> None:
    assert format_expression(parse_problem(SMALL).goal) == "(and (exists (?o - object) (objecttype ?o mugtype)))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 expressions"),
        ("hello", "1 expressions"),
        ("()", "1 expressions"),
        (SMALL + "(", "1 closing brackets are missing"),
        (SMALL + ")", "one closing bracket too many"),
        (SMALL + SMALL, "2 expressions"),
        (SMALL.replace("define", "domain"), "begins with domain"),
        (SMALL.replace(":objects", ":things"), r"the section \(:objects …\) is missing"),
        (SMALL.replace(":init", ":start"), r"the section \(:init …\) is missing"),
        (SMALL.replace(":goal", ":aim"), r"the section \(:goal …\) is missing"),
        (SMALL.replace("(:goal", "(:goal done"), "2 expressions in"),
        (SMALL.replace("(isReceptacleObject Mug_1)", "(not (isReceptacleObject Mug_1))"), "is not a predicate"),
        (SMALL.replace("(isReceptacleObject Mug_1)", "()"), "is not a predicate"),
        (SMALL.replace("(isReceptacleObject Mug_1)", "handempty"), "the fact handempty is not a predicate"),
        (SMALL.replace("- otype", ""), "'mugtype' has no type"),
        (SMALL.replace("- otype", "-"), "the type after 'mugtype' - is missing"),
        (SMALL.replace("MugType - otype", "(MugType) - otype"), "in a list of names"),
    ],
)
def test_an_invalid_problem_is_an_error_of_one_line(text: str, message: str) -> None:
    with pytest.raises(EnvError, match=message) as caught:
        parse_problem(text)
    assert "\n" not in str(caught.value)


def test_a_long_fact_is_shortened_in_the_message() -> None:
    with pytest.raises(EnvError) as caught:
        parse_problem(SMALL.replace("(isReceptacleObject Mug_1)", f"(not ({'x' * 500}))"))
    assert len(str(caught.value)) < 200
