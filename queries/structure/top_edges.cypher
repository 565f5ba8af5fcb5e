// summary = "The edges of a circuit with the largest predicted weight."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "circuits", column = "uid" }
// [params.limit]
// type = "int"
// default = 20
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// source = "The circuit node that acts."
// target = "The circuit node that it acts on."
// weight = "Predicted effect on the metric through the target."
// observed = "The same, measured by cutting this edge alone."
// source_kind = "The source's kind."
// source_token = "The token at the source's position."
// target_kind = "The target's kind."
// target_token = "The token at the target's position."
// ambiguous = "Whether the source file left its endpoints open."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, r.observed AS observed, s.kind AS source_kind,
       s.token AS source_token, t.kind AS target_kind, t.token AS target_token, r.ambiguous AS ambiguous
ORDER BY abs(weight) DESC, source, target
LIMIT $limit
