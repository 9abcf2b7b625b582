"""Delta tables of others: the newest version, without what has been deleted."""

import json
import struct
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from kg.lake.delta_folders import delta, is_delta
from kg.lake.held import write_held
from kg.lake.lines import UnreadableFile

ROWS = pa.table({"id": [1, 2, 3], "sku": ["cup", "a/b", None], "tags": [["x"], [], None]})
LOG = "_delta_log/{:020d}.json"


def read(folder: Path) -> list[dict[str, Any]]:
    assert is_delta(folder)
    return delta(folder).read().read_all().sort_by("id").to_pylist()


def test_the_newest_version_is_read_and_partitions_are_columns(tmp_path: Path) -> None:
    table = str(tmp_path / "t")
    deltalake.write_deltalake(table, ROWS, partition_by=["sku"])
    deltalake.DeltaTable(table).delete("sku = 'cup'")
    more = pa.table({"id": [4], "sku": ["new"], "level": [1.5]})
    deltalake.write_deltalake(table, more, mode="append", schema_mode="merge", partition_by=["sku"])
    assert read(tmp_path / "t") == [
        {"id": 2, "sku": "a/b", "tags": [], "level": None},
        {"id": 3, "sku": None, "tags": None, "level": None},
        {"id": 4, "sku": "new", "tags": None, "level": 1.5},
    ]


def test_equal_tables_make_equal_files_as_old_as_their_newest_version(tmp_path: Path) -> None:
    for number in range(6):
        rows = pa.table({"id": range(number * 1000, number * 1000 + 1000)})
        deltalake.write_deltalake(str(tmp_path / "t"), rows, mode="append")
    for name in ("a", "b"):
        write_held(delta(tmp_path / "t"), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    written_ms = deltalake.DeltaTable(str(tmp_path / "t")).history(1)[0]["timestamp"]
    assert (tmp_path / "a").stat().st_mtime_ns // 1_000_000 == written_ms


def _z85(data: bytes) -> str:
    signs = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    words = (number for (number,) in struct.iter_unpack(">I", data))
    return "".join(signs[n // 85**place % 85] for n in words for place in (4, 3, 2, 1, 0))


def test_rows_that_a_deletion_vector_names_are_left_out(tmp_path: Path) -> None:
    """Written as the protocol has it: a Roaring bitmap of one row, inline."""
    folder = tmp_path / "t"
    wanted = {"delta.enableDeletionVectors": "true"}
    deltalake.write_deltalake(str(folder), ROWS.select(["id"]), configuration=wanted)
    log = [json.loads(line) for line in (folder / LOG.format(0)).read_text().splitlines()]
    add = next(one["add"] for one in log if "add" in one)
    bitmap = struct.pack("<iqiiiHHIH", 1681511377, 1, 0, 12346, 1, 0, 0, 16, 1)
    vector = {"storageType": "i", "pathOrInlineDv": _z85(bitmap + bytes(-len(bitmap) % 4)),
              "sizeInBytes": len(bitmap), "cardinality": 1}  # fmt: skip
    gone = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    actions = [{"commitInfo": {"timestamp": 5, "operation": "DELETE"}}, {"remove": gone},
               {"add": add | {"deletionVector": vector}}]  # fmt: skip
    (folder / LOG.format(1)).write_text("\n".join(map(json.dumps, actions)))
    assert read(folder) == [{"id": 1}, {"id": 3}]


def test_a_damaged_table_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    deltalake.write_deltalake(str(folder), ROWS)
    next(folder.glob("*.parquet")).unlink()
    with pytest.raises(UnreadableFile, match="missing or damaged"):
        delta(folder).read().read_all()
    (folder / LOG.format(1)).write_text("{")
    with pytest.raises(UnreadableFile, match="log of the Delta table is damaged"):
        delta(folder)
