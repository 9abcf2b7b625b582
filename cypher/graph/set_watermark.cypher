// Say up to where this graph shows the lake; the last write of a load.
// params:  workspace STRING, graph STRING?, claims STRING?
// returns:
MERGE (w:Watermark {id: 'watermark'})
SET w.workspace = $workspace, w.graph = $graph, w.claims = $claims
