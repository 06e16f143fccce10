#!/usr/bin/env bash
# Makes the entries of the repository's own boards: runs, submits, verifies, runs again, logs.
#
#     benchmarks/own_boards.sh SUITE [FOLDER_OF_RUNS] [LEADERBOARDS]
#
# Run on an idle machine of 2 cores it takes about ten minutes for minihack-v1 and about an hour for alfworld-procgen-v1.
# A run or an entry that is there already is not made again.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1 runs=${2:-runs/own-boards} boards=${3:-leaderboards}
by="The ictbench authors"

entry() {  # slug, reflector, name, description
  local submission="$boards/$suite/submissions/$1" records="$boards/$suite/verifications/$1"
  if [ ! -e "$submission" ]; then
    ictbench run --suite "$suite" --profile standard --actor rules --reflector "$2" --out "$runs/$suite-$1"
    ictbench submit "$runs/$suite-$1" --leaderboard "$boards" --no-git --slug "$1" --name "$3" --description "$4" \
      --submitted-by "$by"
    ictbench leaderboard log "$boards/$suite" added "$1" --by "$by" --reason "The board's own entry"
  fi
  [ -e "$records/replayed.json" ] || ictbench verify "$submission" --all
  # An honest entry may fail to be shown equivalent; then it has no badge, and the record says why.
  [ -e "$records/rerun.json" ] || ictbench rerun "$submission" --folder "$runs/$suite-$1-again" || [ $? -eq 1 ]
}

mkdir -p "$runs"
case $suite in minihack-*) hand=minihack ;; *) hand=alfworld ;; esac
entry unchanged none "Unchanged prompt" "Keeps prompt[0]: what the scripted actor does without any reflection."
entry by-hand "file:examples/prompts/$hand.txt" "Prompt written by hand" \
  "One prompt for all families by somebody who knows the game, in the words that the scripted actor obeys."
entry rules rules "Scripted reflector" \
  "Counts what was done and what then happened, and writes the best supported rules. No language model."
entry rules-blind blind:rules "Scripted reflector, blind" "The scripted reflector, shown no trajectory."
entry rules-shuffled shuffled:rules "Scripted reflector, shuffled" \
  "The scripted reflector, shown trajectories of another family."
[ "$hand" = alfworld ] || entry rules-reflexion reflexion:rules "Scripted reflector, same tasks again" \
  "The scripted reflector, trying the same three tasks in every turn."
