#!/usr/bin/env bash
# Creates the entries of this repository's boards: runs, submits, verifies, reruns, logs.
#
#     benchmarks/own_boards.sh SUITE [FOLDER_OF_RUNS] [LEADERBOARDS] [TRAIN_DEMO] [EXPERIMENT]
#
# On 2 idle cores, minihack-v1 takes about ten minutes and alfworld-procgen-v1 about an hour. Existing runs and entries are
# kept; to play an entry anew, remove its folders from submissions/ and verifications/, and set REASON for the log.
# TRAIN_DEMO is the folder of the first experiment of docs/training.md; its runs of the untrained and the trained
# reflector are submitted too.
# EXPERIMENT is the folder of docs/learning-experiment.md in this suite; its first trained model is shown unranked.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=$1 runs=${2:-runs/own-boards} boards=${3:-leaderboards} trained=${4:-} experiment=${5:-}
by="The ictbench authors"
reason=${REASON:-"The board's own entry"}

entry() {  # slug, reflector, name, description
  [ -e "$boards/$suite/submissions/$1" ] || [ -e "$runs/$suite-$1/result.json" ] ||
    ictbench run --suite "$suite" --families "$families" --profile standard --actor rules --reflector "$2" --out "$runs/$suite-$1"
  submit "$1" "$runs/$suite-$1" "$3" "$4"
  # Exit code 1: equivalence was not shown. The entry then has no badge, and the record says why.
  [ -e "$boards/$suite/verifications/$1/rerun.json" ] ||
    ictbench rerun "$boards/$suite/submissions/$1" --out "$runs/$suite-$1-again" || [ $? -eq 1 ]
}

submit() {  # slug, run, name, description, further options of submit
  local submission="$boards/$suite/submissions/$1"
  if [ ! -e "$submission" ]; then
    ictbench submit "$2" --leaderboards "$boards" --no-git --slug "$1" --name "$3" --description "$4" \
      --submitted-by "$by" "${@:5}"
    local event=added
    grep --quiet "\"slug\":\"$1\"" "$boards/$suite/log.jsonl" 2> /dev/null && event=corrected
    ictbench leaderboard log "$boards/$suite" "$event" "$1" --by "$by" --reason "$reason"
  fi
  [ -e "$boards/$suite/verifications/$1/replayed.json" ] || ictbench verify "$submission" --all
}

mkdir -p "$runs"
# Ranks are by held-out families, and ALFWorld's games are slow: only these are played there.
case $suite in minihack-*) hand=minihack families=all ;; *) hand=alfworld families=held-out ;; esac
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
if [ "$hand" = minihack ]; then
  entry copy copy "Copy of the first symbol" \
    "A script that writes a rule for the first symbol of the events digest, and pickup as a constant. It reads no outcome."
  entry copy-last copy-last "Copy of the first symbol and the last action" \
    "The script copy, with a rule for the last action of the last episode. It reads no outcome."
fi
if [ -n "$trained" ]; then
  reads="reads three short games as events and writes up to three rules"
  submit smollm2-untrained "$trained/runs/untrained" "SmolLM2-135M, untrained" \
    "SmolLM2-135M-Instruct $reads. Where the trained one began." --reflector-weights open \
    --reflector-trained-on "other:what SmolLM2 was trained on"
  submit smollm2-untrained-blind "$trained/runs/untrained-blind" "SmolLM2-135M, untrained, blind" \
    "The untrained one, shown no trajectory." --reflector-weights open \
    --reflector-trained-on "other:what SmolLM2 was trained on"
  # The weights are not published; the commands of docs/training.md make them again.
  submit smollm2-trained "$trained/seed-0/runs/trained" "SmolLM2-135M, trained on meta-train families" \
    "SmolLM2-135M-Instruct after 80 steps of GRPO on the four meta-train families: $reads. It names the symbol that it \
is shown, and a constant; the script copy, which is not trained and reads no outcome, does as well. See docs/training.md." \
    --reflector-weights closed
  submit smollm2-trained-blind "$trained/seed-0/runs/trained-blind" "SmolLM2-135M, trained, blind" \
    "The trained one, shown no trajectory." --reflector-weights closed
fi
slug=smollm2-one-action
if [ -n "$experiment" ] && [ ! -e "$boards/$suite/unranked/$slug" ]; then
  own="$experiment/seed-0/runs" shared="$experiment/runs"
  # Exit code 1: learning was not shown. The sentence says so.
  gate=$({ ictbench learned "$own"/trained "$own"/trained-{blind,shuffled,unlabelled,flipped} \
    "$shared"/{untrained,copy,copy-last,copy-commonest,best-constant-prompt} --json || [ $? -eq 1 ]; } |
    python -c 'import json, sys; print(json.load(sys.stdin)["sentence"].partition(": ")[2])')
  ictbench submit "$own/trained" --leaderboards "$boards" --no-git --unranked \
    --slug "$slug" --name "SmolLM2-135M, names one action, trained" --submitted-by "$by" \
    --reflector-weights closed --description "SmolLM2-135M-Instruct after three rounds of GRPO: reads actions with outcomes, \
and names one. Started from a prompt of its own, so it is not ranked. ictbench learned: \"$gate\" See \
docs/learning-experiment.md, also for more loops."
  ictbench leaderboard log "$boards/$suite" added "$slug" --by "$by" --reason "$reason"
fi
