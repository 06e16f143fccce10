"""Train a reflector on whole loops with TRL: a rollout is N turns, and its reward is what the loop gained.

    python examples/train/whole_loop.py --model smollm2 --steps 2 --out whole-loop

It needs `pip install 'ictbench[minihack,train]'`. A model whose chat template has tool calls is asked to call
`write_prompt`; of any other, e.g. SmolLM2, each reply is taken as the call.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer
from trl.chat_template_utils import supports_tool_calling

from ictbench.models.providers.smollm2 import smollm2_folder
from ictbench.runs import LoopPlayer
from ictbench.train.loop_environment import LoopEnvironment, loop_rows, take_replies_as_calls

TURNS = 3


def main() -> None:
    """Train, and print how to run the trained reflector."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="smollm2", help="a folder, OWNER/NAME on the Hub, or smollm2")
    parser.add_argument("--suite", default="minihack-v1")
    parser.add_argument("--families", default="meta-train")
    parser.add_argument("--actor", default="rules")
    parser.add_argument("--reward", default="fresh", choices=("gain", "best", "fresh"))
    parser.add_argument(
        "--reflector", default="lessons", help="whose question is asked: lessons, one-action, one-rule or rewrite"
    )
    parser.add_argument(
        "--start-prompt", help="file with prompt[0]; one-action and one-rule need one that says where to walk"
    )
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--batch-size", type=int, default=3)
    parser.add_argument("--max-steps", type=int, default=25, help="decisions of the actor in an episode")
    parser.add_argument("--loops", type=int, default=32, help="loops of each family to train on")
    parser.add_argument("--steps", type=int, default=2, help="steps of the optimizer")
    parser.add_argument("--group", type=int, default=4, help="rollouts of each loop")
    parser.add_argument("--reply-tokens", type=int, default=48, help="most tokens of one reply")
    parser.add_argument("--loop-tokens", type=int, default=4096, help="most tokens of all replies and questions")
    parser.add_argument("--out", type=Path, default=Path("whole-loop"))
    args = parser.parse_args()

    model = str(smollm2_folder()) if args.model == "smollm2" else args.model
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    with LoopPlayer(
        args.suite,
        args.families,
        actor=args.actor,
        reflector=args.reflector,
        start_prompt=args.start_prompt,
        turns=args.turns,
        batch_size=args.batch_size,
        max_steps=args.max_steps,
    ) as player:
        if not supports_tool_calling(tokenizer):
            take_replies_as_calls(tokenizer, player)
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(model, dtype="float32", trust_remote_code=False),
            processing_class=tokenizer,
            train_dataset=Dataset.from_list(loop_rows(player, range(args.loops))),
            environment_factory=lambda: LoopEnvironment(player, args.reward),
            args=GRPOConfig(
                output_dir=str(args.out),
                max_steps=args.steps,
                num_generations=args.group,
                per_device_train_batch_size=args.group,
                max_completion_length=args.loop_tokens,
                generation_kwargs={"max_new_tokens": args.reply_tokens},
                max_tool_calling_iterations=args.turns,
                logging_steps=1,
                report_to=[],
                disable_tqdm=True,
                save_strategy="no",
                use_cpu=not torch.cuda.is_available(),
                bf16=torch.cuda.is_available(),
            ),
        )
        trainer.train()
        # Weights and tokenizer, without the templates for training.
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(args.out)
        AutoTokenizer.from_pretrained(model, trust_remote_code=False).save_pretrained(args.out)
        trained_on = ",".join(player.trained_on)
    print(
        f"ictbench run --suite {args.suite} --actor {args.actor} --reflector {args.reflector}:hf/{args.out} "
        f"--reflector-trained-on {trained_on}" + (f" --start-prompt {args.start_prompt}" if args.start_prompt else "")
    )


if __name__ == "__main__":
    main()
