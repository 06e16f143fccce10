#!/usr/bin/env bash
# Training with vLLM on one GPU, at most 10 minutes: resolve, train 20 steps, serve the LoRA adapter, evaluate, print a table.
#
#     benchmarks/gpu_training.sh [FOLDER]            # default: gpu-training
#     benchmarks/gpu_training.sh --check             # everything that needs no GPU
#
# Needs uv, network to a package index and the Hugging Face Hub, and 24 GB of GPU memory. Nobody has run it yet on a GPU.
set -euo pipefail
cd "$(dirname "$0")/.."
MODEL=${MODEL:-Qwen/Qwen2.5-0.5B-Instruct}
STEPS=${STEPS:-20}

write_config() { # FOLDER
  cat > "$1/train.yaml" <<YAML
model: $MODEL
states: $1/states
out: $1/trained
reflector: one-rule
max_question_tokens: 2048
reward: fresh
replicates: 4
steps: $STEPS
group: 8
states_per_step: 2
micro_batch: 8
learning_rate: 2.0e-5
max_tokens: 32
lora: {rank: 16}
checkpoint_every: $STEPS
probe_every: 10
vllm: {mode: colocate, memory: 0.3, sleep: true}
YAML
}

resolve() { # requirements of an environment of its own: vLLM pins its packages
  uv pip compile --quiet --no-config --python-version 3.11 --python-platform x86_64-manylinux_2_35 \
    --extra minihack --extra train --extra vllm pyproject.toml --output-file "$1/requirements.txt"
}

if [ "${1:-}" = --check ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  write_config "$folder"
  python=${PYTHON:-.venv/bin/python}
  "$python" - "$folder/train.yaml" <<'PY'
import sys
from pathlib import Path

from ictbench.runs.options import Options
from ictbench.runs.plan import make_plan
from ictbench.train import TrainingSettings
from ictbench.train.collect import plan_collection

settings = TrainingSettings.from_yaml(Path(sys.argv[1]))
plan_collection(reflector="one-rule:openai/m", actor="rules", families="eat,wear", loops=8, turns=2)
for reflector in ("none", "one-rule:openai/m"):
    make_plan(Options.parse({"profile": "quick", "families": "held-out", "reflector": reflector, "actor": "rules"}))
print(f"{settings.steps} steps of {settings.replies_per_step} replies with {settings.model}: the settings are valid")
PY
  exit
fi

folder=${1:-gpu-training}
mkdir -p "$folder"
nvidia-smi --query-gpu=name,memory.total --format=csv,noheader
resolve "$folder"
uv venv --quiet --python 3.11 "$folder/venv"
VIRTUAL_ENV=$folder/venv uv pip install --quiet --requirement "$folder/requirements.txt" --editable .
PATH=$PWD/$folder/venv/bin:$PATH
write_config "$folder"

started=$SECONDS
ictbench train collect --out "$folder/states" --reflector "one-rule:vllm/$MODEL" --reflector-temperature 1 --actor rules \
  --families eat,wear --loops 8 --turns 2
collected=$((SECONDS - started)) started=$SECONDS
ictbench train grpo --config "$folder/train.yaml"
trained=$((SECONDS - started)) started=$SECONDS
checkpoint=$folder/trained/checkpoint-$STEPS
run() { ictbench run --profile quick --families held-out --actor rules --out "$folder/$1" "${@:2}"; }
run untrained --reflector "one-rule:vllm/$MODEL"
run trained --reflector "vllm/$MODEL" --reflector-model-options "lora=$checkpoint"
evaluated=$((SECONDS - started))

printf '\n| step | seconds |\n|---|---|\n| collect 32 states | %s |\n| train %s steps | %s |\n| serve and evaluate two arms | %s |\n\n' \
  "$collected" "$STEPS" "$trained" "$evaluated"
ictbench compare "$folder/trained" "$folder/untrained"
