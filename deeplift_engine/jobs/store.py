"""A store: the arrays of a run of many samples, filled shard by shard by many processes.

A folder of five things::

    run.json        the layout: samples, shards, arrays, settings of the job
    arrays.zarr/    a group of zarr, format 3, and nothing else: xarray and zarr open it
    marks/          a small file for each shard that is complete
    leases/         a small file for each shard that a process works on
    attempts/       files that are not complete

One creator makes everything at full length. Then each shard has one writer at a time, who holds its
lease, writes its files under names of the attempt, gives them their own names and then marks the
shard. A process may be killed at any moment: what has no mark is computed again. A file of a marked
shard never changes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from deeplift_engine.errors import LeasedError, OutputError
from deeplift_engine.jobs import leases, shard_files
from deeplift_engine.jobs.array_plan import ArrayPlan, Layout
from deeplift_engine.jobs.casting import cast
from deeplift_engine.jobs.folder import (
    ARRAYS,
    ATTEMPTS,
    LEASES,
    MARKS,
    create_folder,
    describe,
    read_layout,
    remove_unborn,
)
from deeplift_engine.jobs.marks import (
    FileRecord,
    Mark,
    mark_path,
    numbers,
    read_mark,
    receipt_json,
    write_mark,
)
from deeplift_engine.util.durable import (
    copy_durably,
    disk_errors,
    sync_folder,
    write_durably,
)
from deeplift_engine.util.typing import Array


class Store:
    """A store that exists; `create` and `open` give one.

    Attributes
    ----------
    path
        Its folder.
    layout
        What it holds.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._held: dict[int, leases.Lease] = {}
        self._publishing = threading.Lock()

    def __reduce__(self) -> tuple[type[Store], tuple[Path, Layout]]:
        """Another process gets the store without the leases, which are those of this one."""
        return Store, (self.path, self.layout)

    def __repr__(self) -> str:
        """The store in words."""
        return (
            f"<Store {str(self.path)!r}: {self.samples} samples in {self.shards} shards of "
            f"{self.shard}, {', '.join(plan.name for plan in self.plans)}>"
        )

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        samples: int,
        shard: int,
        chunk: int,
        plans: Iterable[ArrayPlan],
        settings: Mapping[str, Any],
        constants: Mapping[str, Array] | None = None,
    ) -> Store:
        """Create a store: completely, or not at all.

        Parameters
        ----------
        path
            Its folder, which must not exist.
        samples
            Number of samples.
        shard
            Samples that one writer computes at once and that one file of an array holds.
        chunk
            Samples that are compressed together; divides ``shard``.
        plans
            The arrays that the run will fill.
        settings
            The description of the job: anything that JSON can hold.
        constants
            Arrays that are known before the run, as names of samples or letters; written now.

        Raises
        ------
        OutputError
            For a path that exists, sizes or names that do not fit, and any error of the disk.
        """
        layout, values = describe(samples, shard, chunk, tuple(plans), settings, constants or {})
        target = Path(os.path.abspath(path))
        create_folder(target, layout, values)
        return cls(target, layout)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Store:
        """Open a store that `create` made.

        Raises
        ------
        OutputError
            If there is none; the message says what there is.
        """
        folder = Path(os.path.abspath(path))
        return cls(folder, read_layout(folder))

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.layout.samples

    @property
    def shard(self) -> int:
        """Samples of a shard; the last may have fewer."""
        return self.layout.shard

    @property
    def shards(self) -> int:
        """Number of shards."""
        return self.layout.shards

    @property
    def plans(self) -> tuple[ArrayPlan, ...]:
        """The arrays that the run fills."""
        return self.layout.plans

    @property
    def settings(self) -> Mapping[str, Any]:
        """The description of the job."""
        return self.layout.settings

    @property
    def arrays(self) -> Path:
        """The group of zarr."""
        return self.path / ARRAYS

    def rows(self, number: int) -> slice:
        """The samples of a shard; `OutputError` if there is no such shard."""
        return self.layout.rows(number)

    def mark(self, number: int) -> Mark | None:
        """The mark of a shard; None where it is not complete."""
        rows = self.rows(number)
        with disk_errors(self.path, "read"):
            return read_mark(self.path / MARKS, number, rows, self.layout.digest)

    def is_done(self, number: int) -> bool:
        """Whether a shard is complete."""
        return self.mark(number) is not None

    def marks(self) -> dict[int, Mark]:
        """The marks of all complete shards, by their numbers in order."""
        with disk_errors(self.path, "read"):
            marked = [number for number in numbers(self.path / MARKS) if number < self.shards]
        both = ((number, self.mark(number)) for number in marked)
        return {number: mark for number, mark in both if mark is not None}

    def done(self) -> list[int]:
        """The shards that are complete, in order."""
        return list(self.marks())

    def pending(self) -> list[int]:
        """The shards that are not complete, in order."""
        done = set(self.done())
        return [number for number in range(self.shards) if number not in done]

    def leased(self) -> list[int]:
        """The shards that living processes are at, in order."""
        return [int(key) for key in leases.living(self.path / LEASES) if key.isdecimal()]

    @contextmanager
    def lease(self, number: int) -> Iterator[leases.Lease]:
        """Hold the lease of a shard during the block.

        Ask `is_done` inside: the former holder may have completed the shard.

        Raises
        ------
        LeasedError
            If a living process holds it: this one, too.
        OutputError
            For a shard that there is not, and any error of the disk.
        """
        self.rows(number)
        with ExitStack() as stack:
            with disk_errors(self.path, "written"):
                held = stack.enter_context(
                    leases.lease(self.path / LEASES, _key(number), f"shard {number} of {self.path}")
                )
            self._held[number] = held
            stack.callback(self._held.pop, number)
            yield held

    def write(self, number: int, arrays: Mapping[str, Array], receipt: Mapping[str, Any]) -> Mark:
        """Write the files of a shard, and mark it as complete.

        Parameters
        ----------
        number
            The shard; its lease is taken unless this store holds it.
        arrays
            Every planned array by its name, each ``(rows of the shard, *plan.shape)``.
        receipt
            What is to be remembered of the work: anything that JSON can hold. The samples under
            ``"failed"``, a list or a mapping of numbers to reasons, may be NaN.

        Returns
        -------
        Mark
            The new mark, or the one that is there: a complete shard is not written again.

        Raises
        ------
        OutputError
            For missing or unknown arrays, values that do not fit their dtype (`casting.cast`), and
            any error of the disk.
        LeasedError
            If another process works on the shard, or has taken the lease over meanwhile.
        """
        done = self.mark(number)
        if done is not None:
            return done
        self._check_names(arrays)
        rows = self.rows(number)
        failed = [int(row) for row in receipt.get("failed", ())]
        with self._attempt(number) as (held, folder):
            files: dict[str, FileRecord] = {}
            for plan in self.plans:
                values = cast(plan, arrays[plan.name], rows, failed)
                content = shard_files.encode(plan, self.layout, values)
                write_durably(folder / str(len(files)), content)
                files[_file(plan, number)] = FileRecord(
                    len(content), hashlib.sha256(content).hexdigest()
                )
            mark = Mark(number, rows, self.layout.digest, files, receipt_json(receipt))
            return self._publish(mark, held, folder)

    def adopt(self, number: int, other: Store) -> Mark:
        """Copy a complete shard from another store of the same layout, checked on the way.

        Raises
        ------
        OutputError
            If the shard is not complete there, or its files are not what they were.
        LeasedError
            As for `write`.
        """
        done = self.mark(number)
        if done is not None:
            return done
        theirs = other._complete(number)
        with self._attempt(number) as (held, folder):
            theirs.check_lengths(other.path)
            for at, (name, record) in enumerate(theirs.files.items()):
                if FileRecord(*copy_durably(other.path / name, folder / str(at))) != record:
                    theirs.check_contents(other.path)
                    raise OutputError(f"{other.path / name} changed while it was copied: try again")
            return self._publish(theirs, held, folder)

    def verify(self, number: int, *, drop: bool = False) -> None:
        """Check a complete shard's files against its mark: length and checksum.

        Parameters
        ----------
        number
            The shard.
        drop
            Whether to take the mark of a damaged shard away, so that a run computes it again.

        Raises
        ------
        OutputError
            If the shard is not complete, or a file is not what it was; the message names it.
        """
        mark = self._complete(number)
        try:
            mark.check_contents(self.path)
        except OutputError:
            if drop:
                with disk_errors(self.path, "written"):
                    mark_path(self.path / MARKS, number).unlink(missing_ok=True)
                    sync_folder(self.path / MARKS)
            raise

    def clean(self) -> None:
        """Remove what killed writers and creators left: leases, and files that are not complete.

        Raises
        ------
        OutputError
            For any error of the disk.
        """
        with disk_errors(self.path, "cleaned"):
            remove_unborn(self.path)
            leases.remove_dead(self.path / LEASES)
            for name in os.listdir(self.path / ATTEMPTS):
                key = name.partition("-")[0]
                with suppress(LeasedError), leases.lease(self.path / LEASES, key, name):
                    shutil.rmtree(self.path / ATTEMPTS / name, ignore_errors=True)

    def _complete(self, number: int) -> Mark:
        mark = self.mark(number)
        if mark is None:
            raise OutputError(f"shard {number} of {self.path} is not complete: run the job first")
        return mark

    def _check_names(self, arrays: Mapping[str, Array]) -> None:
        planned = {plan.name for plan in self.plans}
        if set(arrays) != planned:
            raise OutputError(
                f"a shard of {self.path} has the arrays {', '.join(sorted(planned))}: missing "
                f"{sorted(planned - set(arrays))}, unknown {sorted(set(arrays) - planned)}"
            )

    @contextmanager
    def _attempt(self, number: int) -> Iterator[tuple[leases.Lease, Path]]:
        """The lease of a shard, and a new folder for its files."""
        with ExitStack() as stack:
            held = self._held.get(number) or stack.enter_context(self.lease(number))
            folder = self.path / ATTEMPTS / f"{_key(number)}-{secrets.token_hex(8)}"
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            with disk_errors(self.path, "written"):
                folder.mkdir()
                yield held, folder

    def _publish(self, mark: Mark, held: leases.Lease, folder: Path) -> Mark:
        """Give the files of an attempt, numbered in the order of the mark, their names."""
        with self._publishing:  # threads of one process may share a lease
            done = self.mark(mark.shard)
            if done is not None:
                return done
            held.check()
            for at, name in enumerate(mark.files):
                (folder / str(at)).replace(self.path / name)
            for parent in {(self.path / name).parent for name in mark.files}:
                sync_folder(parent)
            held.check()
            write_mark(self.path / MARKS, folder / "mark", mark)
            return mark


def _key(number: int) -> str:
    return f"{number:08d}"


def _file(plan: ArrayPlan, number: int) -> str:
    return f"{ARRAYS}/{shard_files.file_of(plan, number)}"


__all__ = ["ARRAYS", "ArrayPlan", "Mark", "Store"]
