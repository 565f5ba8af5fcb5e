// summary = "Edges that were observed to do less than was predicted, or the opposite: what not to believe."
// filled_by = "circuitstore observe RECIPE (for circuits that a recipe computed)"
// [params.circuit]
// type = "uid"
// default = ""
// label = "Circuit"
// help = "Only edges of this circuit."
// [params.min_ratio]
// type = "float"
// default = 0.5
// help = "An edge is confirmed where its observed effect is at least this multiple of the predicted one."
// [params.limit]
// type = "int"
// default = 20
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// weight = "Predicted effect on the metric through the target."
// observed = "The same, measured by cutting this edge alone."
// ratio = "Observed over predicted: 1 is ideal, below 0 the sign is wrong."
// source = "The circuit node that acts."
// target = "The circuit node that it acts on."
// source_token = "The token at the source's position."
// target_token = "The token at the target's position."
// observed_pairs = "Pairs that the observed effect is a mean over."
// circuit = "Its circuit."
MATCH (s:CircuitNode)-[e:ATTRIBUTES_TO]->(t:CircuitNode)
WHERE e.observed IS NOT NULL AND e.weight <> 0.0 AND e.observed / e.weight < $min_ratio
MATCH (s)-[:IN_CIRCUIT]->(c:Circuit)
WHERE $circuit = '' OR c.uid = $circuit
RETURN e.weight AS weight, e.observed AS observed, e.observed / e.weight AS ratio, s.uid AS source, t.uid AS target,
       s.token AS source_token, t.token AS target_token, c.observed_pairs AS observed_pairs, c.uid AS circuit
ORDER BY abs(weight) DESC, source, target
LIMIT $limit
