"""`python -m tools.pocket`: train, export and evaluate the pocket models."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from tools.pocket.roster import ROSTER

_ROOT = Path(__file__).resolve().parents[2]
_WORK = _ROOT / "pocket-work"
_SHIPPED = _ROOT / "quorate" / "models" / "pocket"
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_VOCABULARY = Path(__file__).with_name("vocabulary.model")


def _report(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _selected(arguments: argparse.Namespace) -> list[str]:
    return list(ROSTER) if arguments.all or not arguments.model else arguments.model


def _train(arguments: argparse.Namespace) -> None:
    import torch  # the other commands' help works without it

    from tools.pocket.training import Trainer
    from tools.pocket.vocabulary import Vocabulary, fit

    torch.set_num_threads(arguments.threads)
    chosen = arguments.device
    if chosen == "auto":
        chosen = "cuda" if torch.cuda.is_available() else "cpu"
    if not _VOCABULARY.exists():
        fit(_VOCABULARY)
    vocabulary = Vocabulary(_VOCABULARY)
    for name in _selected(arguments):
        member = ROSTER[name]
        trainer = Trainer(member, vocabulary, arguments.work, torch.device(chosen))
        if arguments.resume and trainer.path.exists():
            trainer.resume()
        trainer.run_all(arguments.steps, arguments.minutes, _report)


def _export(arguments: argparse.Namespace) -> None:
    from tools.pocket.export import export
    from tools.pocket.vocabulary import Vocabulary

    vocabulary = Vocabulary(_VOCABULARY)
    for name in _selected(arguments):
        path = arguments.out / f"{name}.gguf"
        trained = export(ROSTER[name], vocabulary, arguments.work / f"{name}.pt", path)
        (arguments.work / f"{name}.json").write_text(json.dumps(trained))
        _report(f"{path.name}: {trained['bytes']:,} bytes, {trained['steps']:,} steps")


def _replies(arguments: argparse.Namespace) -> None:
    from tools.pocket.evaluation import write_replies

    write_replies(arguments.gguf, arguments.folder, arguments.count)


def _evaluate(arguments: argparse.Namespace) -> None:
    import llama_cpp

    from tools.pocket.card import card, measured
    from tools.pocket.evaluation import ask_all, load

    folder, names = arguments.work / "replies", list(ROSTER)
    if not arguments.again:
        models = [arguments.out / f"{name}.gguf" for name in names]
        ask_all(models, folder, arguments.count, arguments.jobs)
    trained = {name: json.loads((arguments.work / f"{name}.json").read_text()) for name in names}
    document = measured(load(folder, names), trained, llama_cpp.__version__)
    (arguments.out / "accuracy.json").write_text(json.dumps(document, indent=1) + "\n")
    template = Path(__file__).with_name("card.md").read_text()
    (arguments.out / "CARD.md").write_text(card(document, template))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.pocket", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser(
        "train", help="train models from scratch, or go on from a checkpoint"
    )
    train.add_argument("--steps", type=int, help="steps per phase instead of the roster's")
    train.add_argument(
        "--minutes", type=float, help="minutes per phase instead (does not reproduce)"
    )
    train.add_argument("--threads", type=int, default=1, help="CPU threads (default 1)")
    train.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    train.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint, if there is one"
    )
    train.set_defaults(run=_train)
    export = commands.add_parser("export", help="write checkpoints as Q8_0 GGUF")
    export.add_argument("--out", type=Path, default=_SHIPPED, help="folder for the GGUF files")
    export.set_defaults(run=_export)
    _add_evaluation(commands)
    for command in (train, export):
        command.add_argument("--all", action="store_true", help="all six models (the default)")
        command.add_argument(
            "--model", action="append", choices=list(ROSTER), help="one model; repeatable"
        )
        command.add_argument("--work", type=Path, default=_WORK, help="folder for checkpoints")
    return parser


def _add_evaluation(commands: _Commands) -> None:
    evaluate = commands.add_parser(
        "evaluate", help="ask all six held-out questions, write the card"
    )
    evaluate.add_argument("--jobs", type=int, default=2, help="models asked at once (default 2)")
    evaluate.add_argument("--again", action="store_true", help="only compute the figures again")
    evaluate.add_argument("--out", type=Path, default=_SHIPPED, help="folder of the GGUF files")
    evaluate.add_argument("--work", type=Path, default=_WORK, help="folder for replies")
    evaluate.set_defaults(run=_evaluate)
    replies = commands.add_parser("replies", help="ask one GGUF held-out questions")
    replies.add_argument("gguf", type=Path)
    replies.add_argument("--folder", type=Path, default=_WORK / "replies")
    replies.set_defaults(run=_replies)
    for command in (evaluate, replies):
        command.add_argument("--count", type=int, default=200, help="items per task (default 200)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    arguments = _parser().parse_args(argv)
    arguments.run(arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
