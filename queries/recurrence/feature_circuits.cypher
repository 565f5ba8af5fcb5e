// summary = "The circuits that a feature stands in, node by node, and what it does in each."
// filled_by = "circuitstore ingest RECIPE"
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "The feature."
// example = { query = "top_nodes", column = "feature" }
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// circuit = "The circuit."
// name = "Its name."
// aggregation = "task: mean over its pairs; prompt: one pair."
// node = "The circuit node that is the feature."
// position = "Position in the prompt."
// token = "The token there, or the position's name in a task."
// effect = "Predicted change of the metric when it is patched."
// observed_effect = "The same, measured by ablation."
// activation = "Activation on the clean prompt, or its mean over pairs."
// influence = "Share of the output's total incoming weight."
MATCH (n:CircuitNode)-[:INSTANCE_OF]->(:Feature {uid: $feature})
MATCH (n)-[:IN_CIRCUIT]->(c:Circuit)
RETURN c.uid AS circuit, c.name AS name, c.aggregation AS aggregation, n.uid AS node, n.position AS position,
       n.token AS token, n.effect AS effect, n.observed_effect AS observed_effect, n.activation AS activation,
       n.influence AS influence
ORDER BY aggregation DESC, coalesce(abs(effect), -1.0) DESC, node
LIMIT $limit
