// Write a batch of claims, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Claim {id: row.id})
SET n.kind = row.kind,
    n.subject = row.subject,
    n.subject_label = row.subject_label,
    n.direction = row.direction,
    n.measure = row.measure,
    n.unit = row.unit,
    n.value = row.value,
    n.reference_value = row.reference_value,
    n.low = row.low,
    n.high = row.high,
    n.q = row.q,
    n.people = row.people,
    n.as_of_ms = row.as_of_ms,
    n.query = row.query,
    n.params = row.params,
    n.counts = row.counts,
    n.descriptive = row.descriptive,
    n.run_id = row.run_id
