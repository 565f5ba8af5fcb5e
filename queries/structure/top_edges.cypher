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
// input = "Which input of an attention head the edge enters: q, k or v."
// in_circuit = "Whether the circuit has the edge, where its source also lists what it leaves out."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(:Circuit {uid: $circuit})
MATCH (s)-[r:ATTRIBUTES_TO]->(t:CircuitNode)
RETURN s.uid AS source, t.uid AS target, r.weight AS weight, r.observed AS observed, s.kind AS source_kind,
       s.token AS source_token, t.kind AS target_kind, t.token AS target_token, r.ambiguous AS ambiguous,
       r.input AS input, r.in_circuit AS in_circuit
ORDER BY abs(weight) DESC, source, target, input
LIMIT $limit
