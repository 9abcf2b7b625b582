"""The program on data that lie elsewhere: a database server, a bucket, a workbook."""

from pathlib import Path

import pytest
from bucket import Bucket
from postgres import Server
from program import as_json, personagraph, refused, succeed
from workbook import write_workbook

PEOPLE = [[f"K-{n:04d}", f"ann{n}@x.org", "pro" if n % 3 else "free"] for n in range(60)]
TABLES = (
    "DROP SCHEMA IF EXISTS crm CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
    "CREATE TABLE people AS SELECT format('K-%s', n) AS customer_id, format('ann%s@x.org', n) AS "
    "email, CASE WHEN n % 3 = 0 THEN 'pro' ELSE 'free' END AS plan FROM generate_series(0, 59) n; "
    "CREATE TABLE orders AS SELECT n AS order_line, format('K-%s', n % 60) AS customer_id, "
    "timestamptz '2026-01-01 10:00Z' + n * interval '3 hours' AS ordered_at, "
    "format('S-%s', n % 7) AS sku, n % 5 + 1 AS total FROM generate_series(1, 300) n; "
    "ALTER TABLE people ADD PRIMARY KEY (customer_id); ALTER TABLE orders ADD PRIMARY KEY "
    "(order_line)"
)


def written(folder: Path) -> str:
    """Everything that lies in the files below a folder, as text."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join([str(path) + path.read_bytes().decode("latin-1") for path in files])


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_is_proposed_checked_and_run_and_its_password_is_nowhere(
    postgres: Server, tmp_path: Path
) -> None:
    postgres.run(TABLES)
    home, mapping = tmp_path / "home", tmp_path / "shop.yaml"
    address = postgres.address()
    results = [
        personagraph(home, "source", "propose", address, "--out", mapping),
        personagraph(home, "source", "check", address, "-m", mapping),
        personagraph(home, "run", address, "-w", "shop", "--yes"),
        personagraph(home, "run", address, "-w", "shop"),
        personagraph(home, "export", "records", "-w", "shop", "--out", tmp_path / "records.csv"),
    ]
    told = "".join(succeed(one) + one.stderr for one in results)
    assert "nothing new" in results[3].stdout
    assert '"orders#1",orders' in (tmp_path / "records.csv").read_text()
    assert postgres.password not in told + written(tmp_path)


@pytest.mark.postgres
def test_an_address_that_is_refused_is_not_repeated_even_in_a_trace(
    postgres: Server, tmp_path: Path
) -> None:
    address = postgres.address(password="s3cret")
    said = refused(personagraph(tmp_path, "run", address), 6)
    assert "the user or the password is wrong" in said
    assert "s3cret" not in said
    trace = personagraph(tmp_path, "--debug", "source", "check", address).stderr
    assert "Traceback" in trace
    assert "s3cret" not in trace
    said = refused(personagraph(tmp_path, "run", postgres.address()), 2)
    assert postgres.password not in said


def test_a_bucket_is_checked(bucket: Bucket, tmp_path: Path) -> None:
    write_workbook(tmp_path / "crm.xlsx", {"People": [["customer_id", "email", "plan"], *PEOPLE]})
    bucket.put("exports/crm.xlsx", (tmp_path / "crm.xlsx").read_bytes())
    out = tmp_path / "m.yaml"
    address = bucket.address("exports")
    succeed(personagraph(tmp_path, "source", "propose", address, "--out", out, **bucket.env))
    checked = personagraph(tmp_path, "source", "check", address, "-m", out, "--json", **bucket.env)
    (file,) = as_json(checked)["files"]
    assert (file["source"], file["accepted"]) == ("crm.xlsx/People", 60)
    nowhere = f"{bucket.scheme}://nowhere"
    said = refused(personagraph(tmp_path, "source", "check", f"{nowhere}/x", **bucket.env), 3)
    assert f"nothing at {nowhere}" in said


@pytest.mark.slow
def test_a_workbook_is_run_and_its_proposal_lies_beside_the_workspace(tmp_path: Path) -> None:
    orders = [[n, f"K-{n % 60:04d}", f"2026-01-{n % 28 + 1:02d}T10:00:00Z", f"S-{n % 7}", n % 5 + 1]
              for n in range(300)]  # fmt: skip
    head = ["order_line", "customer_id", "ordered_at", "sku", "total"]
    people = [["customer_id", "email", "plan"], *PEOPLE]
    write_workbook(tmp_path / "crm.xlsx", {"People": people, "Orders": [head, *orders]})
    home = tmp_path / "home"
    said = refused(personagraph(home, "run", tmp_path / "crm.xlsx", "-w", "shop"), 2)
    assert "Nothing says how to read 'crm.xlsx'" in said
    succeed(personagraph(home, "run", tmp_path / "crm.xlsx", "-w", "shop", "--yes"))
    assert (home / "shop.crm.xlsx.personagraph.yaml").is_file()
    assert "nothing new" in succeed(personagraph(home, "run", tmp_path / "crm.xlsx", "-w", "shop"))
