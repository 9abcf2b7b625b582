"""Tables that any company may have are no vendor's, whatever they are called like."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import fill, lines

from ingestion import shipped
from ingestion.detect import recognise
from ingestion.propose import propose

AT = "2026-01-05 10:00:00"
PLAIN = {
    "customers": f"id,email,created\n1,a@x.org,{AT}\n2,b@x.org,{AT}\n3,c@x.org,{AT}\n",
    "customers in a city": f"id,email,created,city\n1,a@x.org,{AT},Leeds\n2,b@x.org,{AT},York\n",
    "customers, createdate": f"id,email,createdate\n1,a@x.org,{AT}\n2,b@x.org,{AT}\n",
    "customers, createdAt": f"id,email,createdAt\n1,a@x.org,{AT}\n2,b@x.org,{AT}\n",
    "customers, Create Date": f"ID,Email,Create Date,Phone Number\n1,a@x.org,{AT},\n",
    "contacts": f"Contact ID,Email,Create Date,Lead Status\n1,a@x.org,{AT},new\n",
    "records": f"record_id,email,create_date\n1,a@x.org,{AT}\n2,b@x.org,{AT}\n",
    "users": f"id,role,email,created_at,updated_at\n1,admin,a@x.org,{AT},{AT}\n",
    "channels": f"id,user_id,type,value,verified,created_at\n1,7,email,a@x.org,true,{AT}\n",
    "contacts with a type": f"type,id,role,created_at,updated_at\ncontact,1,user,{AT},{AT}\n",
    "companies": f"type,id,company_id,name,created_at\ncompany,1,7,Acme,{AT}\n",
    "conversations": f"type,id,source,created_at,updated_at\nconversation,1,web,{AT},{AT}\n",
    "products": "id,title,price,availability\nS1,Lamp,12.50,in stock\nS2,Cup,3,in stock\n",
    "orders": f"id,customer_id,amount,status,date\n1,7,12.50,paid,{AT}\n2,7,3,paid,{AT}\n",
    "subscriptions": f"id,object,customer,start_date,status\n1,subscription,7,{AT},active\n",
    "invoices": f"id,customer,created,amount,paid\n1,7,{AT},12.50,true\n",
    "accounts": "Id,Name,Industry,Type\n1,Acme,Trade,Customer\n2,Bee,Farm,Customer\n",
    "leads": "Id,LastName,Email,Status\n1,Ay,a@x.org,new\n2,Be,b@x.org,new\n",
    "events": f"id,user_id,event,type,timestamp\n1,7,login,track,{AT}\n2,7,login,track,{AT}\n",
    "answers": f"id,respondent,question,answer,date\n1,7,Q1,yes,{AT}\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_plain_table_is_no_vendor_s(tmp_path: Path, name: str) -> None:
    rows = list(csv.DictReader(io.StringIO(PLAIN[name])))
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    typed = [{key: int(one) if one.isdecimal() else one for key, one in row.items()}
             for row in rows]  # fmt: skip
    written = {"a.csv": PLAIN[name], "a.parquet": file.getvalue(), "a.jsonl": lines(typed),
               "a.json": json.dumps(typed)}  # fmt: skip
    folder = fill(tmp_path, written)
    assert {one: recognise(folder / one) for one in written} == dict.fromkeys(written)


def test_customers_and_their_orders_meet_in_one_namespace(tmp_path: Path) -> None:
    orders = "order_id,customer_id,sku,qty,price,ordered_at\n" + "".join(
        f"O{n},{n % 9 + 1},S{n % 4},1,2.5,2026-02-1{n % 9} 09:00:00\n" for n in range(40)
    )
    customers = "id,email,created\n" + "".join(f"{n},p{n}@x.org,{AT}\n" for n in range(1, 10))
    tables = propose(
        fill(tmp_path, {"customers.csv": customers, "orders.csv": orders})
    ).mapping.tables
    mine, theirs = (set(tables[name].identifiers) - {"email"} for name in ("customers", "orders"))
    assert mine == theirs


def test_a_sign_is_of_a_table_that_asks_for_columns() -> None:
    for name, one in shipped.tables().items():
        for part in one.signs:
            table = one.table["parts"][part] if part else one.table
            assert table["required"], name
            assert "signs" not in table
