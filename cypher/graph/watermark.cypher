// Up to where this graph shows the lake, and whose workspace it is.
// params:
// returns: workspace STRING, graph STRING?, claims STRING?
MATCH (w:Watermark {id: 'watermark'})
RETURN w.workspace AS workspace, w.graph AS graph, w.claims AS claims
