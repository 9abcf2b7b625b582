// Write a batch of intents, new or changed.
// params:  rows LIST<MAP>
// returns:
UNWIND $rows AS row
MERGE (n:Intent {id: row.id})
SET n.verb = row.verb,
    n.topic = row.topic,
    n.channel = row.channel,
    n.text = row.text,
    n.position = row.position,
    n.started_at_ms = row.started_at_ms,
    n.event_count = row.event_count,
    n.quantity = row.quantity,
    n.value = row.value,
    n.hour = row.hour,
    n.weekday = row.weekday,
    n.kept_out = row.kept_out,
    n.run_id = row.run_id
