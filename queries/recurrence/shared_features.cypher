// summary = "The features that the circuits of two tasks have in common."
// [params.task]
// type = "string"
// help = "One task, by name or uid."
// example = { query = "circuits", column = "task" }
// [params.other]
// type = "string"
// help = "The other."
// example = { query = "circuits", column = "task" }
// [params.aggregation]
// type = "string"
// default = "task"
// choices = ["prompt", "task", "all"]
// help = "Circuits of single prompts, of whole tasks (means over the same prompts), or both."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// feature = "The feature."
// layer = "Its dictionary's layer."
// label = "A short description."
// top_tokens = "Tokens that its decoder row promotes most."
// circuits = "Circuits of the one task that it stands in."
// effect = "Mean over these of its predicted effect, summed over positions."
// other_circuits = "Circuits of the other task that it stands in."
// other_effect = "Mean over these."
MATCH (f:Feature)<-[:INSTANCE_OF]-(n:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit)-[:FOR_TASK]->(t:Task)
WHERE (t.name = $task OR t.uid = $task) AND ($aggregation = 'all' OR c.aggregation = $aggregation)
WITH f.uid AS feature, c.uid AS circuit, sum(coalesce(n.effect, 0.0)) AS in_circuit
WITH feature, count(circuit) AS circuits, round(avg(in_circuit), 9) AS effect
MATCH (f:Feature {uid: feature})<-[:INSTANCE_OF]-(n:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit)-[:FOR_TASK]->(t:Task)
WHERE (t.name = $other OR t.uid = $other) AND ($aggregation = 'all' OR c.aggregation = $aggregation)
WITH f.uid AS feature, f.layer AS layer, f.label AS label, f.top_tokens AS top_tokens, circuits, effect,
     c.uid AS circuit, sum(coalesce(n.effect, 0.0)) AS in_circuit
WITH feature, layer, label, top_tokens, circuits, effect, count(circuit) AS other_circuits,
     round(avg(in_circuit), 9) AS other_effect
RETURN feature AS feature, layer AS layer, label AS label, top_tokens AS top_tokens, circuits AS circuits,
       effect AS effect, other_circuits AS other_circuits, other_effect AS other_effect
ORDER BY abs(effect) DESC, feature
LIMIT $limit
