"""An engine for reading a folder of files: in memory, spilling to a folder that is gone after use.

It owns staging and what is computed between a file and the lake; nothing in it outlives the block.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import ibis
import pyarrow as pa
import pyarrow.parquet

from kg.lake.disk import on_disk
from kg.lake.engine import Engine, is_whole, listed, on_engine
from kg.lake.files import (
    PATH,
    PLAIN,
    POSITION,
    PROBLEM,
    RAW,
    ROW_NUMBER,
    Shape,
    Staged,
    Written,
    stage,
)
from kg.lake.lines import UnreadableFile
from kg.lake.partitions import with_values

if TYPE_CHECKING:
    from kg.lake.spark import Spark

# Each thread holds a group until it is written; larger ones did not fit beside a large sort.
_GROUP_ROWS = 40_960


class Scratch(Engine):
    """Stages files and computes over them; `Scratch.open` is the way to one."""

    def __init__(self, folder: Path, spark_master: str = "") -> None:
        (folder / "spill").mkdir()  # the engine makes one level itself, no more
        super().__init__(folder / "spill")
        self._con.raw_sql("SET preserve_insertion_order = false")
        self.folder = folder
        self._spark_master = spark_master
        self._number = 0

    @classmethod
    @contextmanager
    def open(cls, beside: Path | None = None, *, spark_master: str = "") -> Iterator[Self]:
        """An engine whose files lie in a new folder inside `beside` (default: the system's).

        Args:
            spark_master: where `spark` works, if it is to be used at all.
        """
        with on_disk(beside or Path(tempfile.gettempdir())):
            if beside is not None:
                beside.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = Path(tempfile.mkdtemp(prefix="reading-", dir=beside))
        scratch = cls(folder, spark_master)
        try:
            yield scratch
        finally:
            scratch.close()
            shutil.rmtree(folder, ignore_errors=True)

    def stage(
        self,
        path: Path,
        shape: Shape,
        how: Written = PLAIN,
        *,
        values: Mapping[str, str | None] | None = None,
    ) -> Staged:
        """Make a file readable as columns; `values`: what its folders say of it (see `partitions`).

        Raises:
            UnreadableFile: the file as a whole cannot be read.
            Unavailable: the disk refuses the staged copy.
        """
        with on_disk(self.folder):
            staged = stage(path, shape, self._new_file(), how)
        if shape == "parquet" and not is_whole(path):
            raise UnreadableFile("unreadable", "this Parquet file is damaged inside")
        if values:
            with on_disk(self.folder):
                staged = with_values(staged, values, self._new_file())
        return staged

    def rows(self, files: Sequence[Staged]) -> Any:
        """The rows of files of one shape, their columns matched by name, with `_path`,
        `_position` (1-based), `_problem` and `_raw` (of rows that could not be read)."""
        ours = files[0].shape != "parquet"
        # What folders say is in the files by now, where it is to be.
        numbered = ", hive_partitioning = false" + ("" if ours else f", {ROW_NUMBER} = true")
        rows = self._parquet(
            [file.path for file in files],
            f", union_by_name = true, filename = '{PATH}'{numbered}",
        )
        if not ours:
            nothing = ibis.null("string")
            rows = rows.mutate(
                **{POSITION: rows[ROW_NUMBER] + 1, PROBLEM: nothing, RAW: nothing}
            ).drop(ROW_NUMBER)
        return rows

    def keep(self, rows: Any) -> Any:
        """Compute once: the rows, written to the scratch folder and read from there."""
        file = self._new_file()
        with on_engine(self.folder):
            self._con.to_parquet(rows, file, compression="lz4", row_group_size=_GROUP_ROWS)
        return self._parquet([file])

    def view(self, rows: Any) -> Any:
        """The same rows under a name of their own: what is built on them neither repeats nor
        recompiles how they are made."""
        self._number += 1
        with on_engine(self.folder):
            return self._con.create_view(f"rows_{self._number}", rows)

    def given(self, table: pa.Table) -> Any:
        """Arrow data as a table of this engine."""
        file = self._new_file()
        with on_disk(self.folder):
            pa.parquet.write_table(table, file)
        return self._parquet([file])

    def keep_as(self, name: str, rows: Any) -> None:
        """Keep rows (Arrow, or an expression of this engine) as a table that `sql` and `splink`
        know by its name."""
        with on_engine(self.folder):
            self._con.create_table(name, rows, overwrite=True)

    def name(self, name: str, rows: Any) -> None:
        """Call rows (Arrow, or an expression of this engine) by a name that `sql` knows, without
        copying them."""
        with on_engine(self.folder):
            if isinstance(rows, pa.Table):
                self._con.con.register(name, rows)
            else:
                self._con.create_view(name, rows, overwrite=True)

    def table_named(self, name: str) -> Any:
        """A table that was kept by its name."""
        return self._con.table(name)

    def sql(self, query: str) -> pa.Table:
        """The rows of a query in the engine's own language; empty where it has none."""
        with on_engine(self.folder):
            found = self._con.con.sql(query)  # as `arrow` does
            return pa.table({}) if found is None else found.to_arrow_table()

    def splink(self) -> Any:
        """This engine as Splink speaks to it."""
        from splink import DuckDBAPI

        return DuckDBAPI(connection=self._con.con)

    @cached_property
    def spark(self) -> "Spark | None":
        """Spark, where it is to be used; started when it is first asked for.

        Raises:
            Unavailable: it cannot be.
        """
        from kg.lake.spark import Spark

        return Spark(self._spark_master, self.folder) if self._spark_master else None

    def close(self) -> None:
        """Forget everything."""
        if self.__dict__.get("spark") is not None:
            self.__dict__["spark"].close()
        super().close()

    def fetch(self, rows: Any) -> list[dict[str, Any]]:
        """A few rows, as dictionaries."""
        return list(self.arrow(rows).to_pylist())

    def _parquet(self, paths: Sequence[Path], options: str = "") -> Any:
        # A view of its own: those that Ibis makes are hidden from the streams' connections.
        self._number += 1
        view = f"files_{self._number}"
        with on_engine(self.folder):
            self._con.raw_sql(f"CREATE VIEW {view} AS FROM read_parquet({listed(paths)}{options})")
            return self._con.table(view)

    def _new_file(self) -> Path:
        self._number += 1
        return self.folder / f"{self._number:06d}.parquet"
