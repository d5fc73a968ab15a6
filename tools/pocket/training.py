"""Training one member: Muon for matrices, AdamW for the rest, a step budget, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as functional
from torch import nn

from tools.pocket.feed import BATCH_TOKENS, Batch, batches
from tools.pocket.network import Network

if TYPE_CHECKING:
    from tools.pocket.roster import Member, Phase
    from tools.pocket.vocabulary import Vocabulary

_MATRIX_RATE = 0.02
_OTHER_RATE = 2e-2
_WARM_UP_STEPS = 50
_LAST_RATE = 0.02
_CHECKPOINT_SECONDS = 60.0
_REPORT_STEPS = 25

Report = Callable[[str], None]


class Progress(NamedTuple):
    """How far a training is: `step` counts within `phase`, the rest from the beginning."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    phase: int = 0


class Budget(NamedTuple):
    """When to stop: after so many steps, or by the clock (then the schedule follows it)."""

    steps: int
    minutes: float | None = None
    peak: float = 1.0

    def share(self, step: int, seconds: float) -> float:
        """Return how much of the budget is spent, in [0, 1]."""
        spent = step / self.steps if self.minutes is None else seconds / (60 * self.minutes)
        return min(1.0, spent)

    def rate(self, step: int, seconds: float) -> float:
        """Return the learning rate's factor: a short warm-up, then a cosine down to _LAST_RATE."""
        cosine = 0.5 * (1 + math.cos(math.pi * self.share(step, seconds)))
        return (
            self.peak
            * min(1.0, (step + 1) / _WARM_UP_STEPS)
            * (_LAST_RATE + (1 - _LAST_RATE) * cosine)
        )


def optimizers(network: Network) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices; AdamW for the embedding (also the head) and the norms."""
    matrices = [p for p in network.blocks.parameters() if p.ndim == 2]
    vectors = [p for p in network.parameters() if p.ndim == 1]
    other = torch.optim.AdamW(
        [
            {"params": [network.embedding.weight], "weight_decay": 0.01},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=_OTHER_RATE,
        betas=(0.9, 0.98),
        fused=True,
    )
    muon = torch.optim.Muon(matrices, lr=_MATRIX_RATE, momentum=0.95, weight_decay=0.02, ns_steps=5)
    return [muon, other]


def loss_of(network: Network, batch: Batch, device: torch.device) -> torch.Tensor:
    """Return the mean cross-entropy of the answers' tokens, over the whole vocabulary."""
    with torch.autocast(device.type, dtype=torch.bfloat16):
        logits = network(batch.ids.to(device), batch.rectangles, batch.wanted.to(device))
    return functional.cross_entropy(logits.float(), batch.targets.to(device))


class Trainer:
    """One member's training: its state, its checkpoint, and the loop."""

    def __init__(
        self, member: Member, vocabulary: Vocabulary, folder: Path, device: torch.device
    ) -> None:
        torch.manual_seed(member.seed)
        self.member, self.vocabulary, self.device = member, vocabulary, device
        self.path = folder / f"{member.name}.pt"
        self.network = Network(member).to(device)
        self.optimizers = optimizers(self.network)
        self.progress = Progress()

    def resume(self) -> None:
        """Load the checkpoint, to go on where it was written."""
        state: dict[str, Any] = torch.load(self.path, map_location=self.device)
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = Progress(*state["progress"])

    def save(self) -> None:
        """Write the checkpoint; a crash while writing leaves the old one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": tuple(self.progress),
        }
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.path)

    def _step(self, batch: Batch, factor: float) -> float:
        for optimizer, rate in zip(self.optimizers, (_MATRIX_RATE, _OTHER_RATE), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.zero_grad()
        loss = loss_of(self.network, batch, self.device)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        return float(loss.detach())

    def run_all(self, steps: int | None, minutes: float | None, report: Report) -> None:
        """Train through the phases left; `steps` or `minutes` replace each phase's own steps."""
        for number in range(self.progress.phase, len(self.member.phases)):
            if number > self.progress.phase:
                self.progress = self.progress._replace(step=0, phase=number)
            phase = self.member.phases[number]
            self.run(phase, Budget(steps or phase.steps, minutes, phase.peak), report)

    def run(self, phase: Phase, budget: Budget, report: Report) -> None:
        """Train until the budget is spent. Interrupting it loses at most a minute."""
        began, saved, base = time.monotonic(), time.monotonic(), self.progress.seconds
        first, first_tokens = self.progress.step, self.progress.tokens
        seed = self.member.seed + 1_000 * self.progress.phase + 7 * first
        feed = batches(self.member, phase, self.vocabulary, seed)
        smooth, elapsed = 0.0, 0.0
        while budget.share(self.progress.step, elapsed) < 1.0:
            batch = next(feed)
            loss = self._step(batch, budget.rate(self.progress.step, elapsed))
            smooth = loss if not smooth else 0.97 * smooth + 0.03 * loss
            elapsed = time.monotonic() - began
            step, tokens = self.progress.step + 1, self.progress.tokens + len(batch.ids)
            self.progress = Progress(step, tokens, base + elapsed, self.progress.phase)
            if step % _REPORT_STEPS == 0:
                speed = (tokens - first_tokens) / elapsed
                report(self._line(budget, smooth, speed, elapsed, first))
            if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
        self.save()

    def _line(self, budget: Budget, loss: float, speed: float, elapsed: float, first: int) -> str:
        step = self.progress.step
        if budget.minutes is None:
            left = (budget.steps - step) * elapsed / max(1, step - first)
        else:
            left = 60 * budget.minutes - elapsed
        return (
            f"{self.member.name}: step {step}, loss {loss:.4f}, {speed:,.0f} tok/s, "
            f"{self.progress.tokens / 1e6:.2f} M tokens, {left / 60:.1f} min left"
        )


def step_tokens() -> int:
    """Return the tokens of one step, for estimates."""
    return BATCH_TOKENS
