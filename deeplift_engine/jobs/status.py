"""How far a run is: what is done and by whom, how fast it goes, what failed, and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deeplift_engine.jobs.marks import failed_samples
from deeplift_engine.jobs.store import Store

SHOWN = 20
"""Failed samples that are listed in words."""


@dataclass(frozen=True)
class Status:
    """The state of a store, as its marks tell it.

    Attributes
    ----------
    path
        The store.
    samples, shards
        How many there are.
    done
        How many shards are done.
    pending
        The numbers of the others.
    working
        Of these, those that a living process is at.
    done_samples
        Samples of the shards that are done.
    seconds
        That they took, added up over processes.
    rate
        Samples a second: of one process, and of all between the first and the last shard.
    remaining
        Seconds until all is done at the rate of all, or None.
    by_host
        Shards by the host that did them.
    failed
        Samples without scores, and the reasons.
    warnings
        Of the shards, each once.
    """

    path: str
    samples: int
    shards: int
    done: int
    pending: tuple[int, ...]
    working: tuple[int, ...]
    done_samples: int
    seconds: float
    rate: tuple[float, float]
    remaining: float | None
    by_host: Mapping[str, int]
    failed: Mapping[int, str]
    warnings: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether all is done."""
        return not self.pending

    def to_json(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            **asdict(self),
            "complete": self.complete,
            "failed": {str(sample): reason for sample, reason in self.failed.items()},
        }

    def __str__(self) -> str:
        """The state in lines."""
        lines = [
            f"{self.path}: {self.done} of {self.shards} shards done, "
            f"{self.done_samples:,} of {self.samples:,} samples"
        ]
        if self.done:
            one, together = self.rate
            lines.append(f"rate: {one:,.1f} samples a second in a process, {together:,.1f} in all")
        if self.remaining is not None:
            lines.append(f"remaining: {_duration(self.remaining)} at that rate")
        lines += [f"shards by {host}: {count}" for host, count in self.by_host.items()]
        if self.working:
            lines.append(f"at work: shards {_numbers(self.working)}")
        idle = tuple(number for number in self.pending if number not in self.working)
        if idle:
            lines.append(f"to do: shards {_numbers(idle)}")
        lines += [f"warning: {text}" for text in self.warnings[:SHOWN]]
        if self.failed:
            lines.append(f"{len(self.failed)} samples have no scores:")
            shown = list(self.failed.items())[:SHOWN]
            lines += [f"  sample {sample}: {reason}" for sample, reason in shown]
        return "\n".join(lines)


def status_of(path: str | os.PathLike[str]) -> Status:
    """The state of the store at ``path``.

    Raises
    ------
    OutputError
        If there is none.
    """
    store = Store.open(path)
    marks = store.marks()
    receipts = [mark.receipt for mark in marks.values()]
    samples = sum(mark.rows.stop - mark.rows.start for mark in marks.values())
    seconds = sum(float(receipt.get("seconds", 0)) for receipt in receipts)
    began = min((r["ended"] - r["seconds"] for r in receipts if "ended" in r), default=0.0)
    ended = max((r["ended"] for r in receipts if "ended" in r), default=0.0)
    rate = (samples / max(seconds, 1e-9), samples / max(ended - began, 1e-9))
    pending = store.pending()
    return Status(
        path=str(path),
        samples=store.samples,
        shards=store.shards,
        done=len(marks),
        pending=tuple(pending),
        working=tuple(store.leased()),
        done_samples=samples,
        seconds=round(seconds, 3),
        rate=(round(rate[0], 3), round(rate[1], 3)) if marks else (0.0, 0.0),
        remaining=(store.samples - samples) / rate[1] if marks and pending else None,
        by_host=dict(Counter(str(receipt.get("host")) for receipt in receipts)),
        failed=failed_samples(receipts),
        warnings=tuple(
            dict.fromkeys(text for receipt in receipts for text in receipt.get("warnings", ()))
        ),
    )


def _numbers(numbers: tuple[int, ...]) -> str:
    """Numbers in words, runs of them as ``3-7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [f"{a}-{b}" if a < b else str(a) for a, b in runs[:SHOWN]]
    return ", ".join(shown) + (", ..." if len(runs) > SHOWN else "")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


__all__ = ["Status", "status_of"]
