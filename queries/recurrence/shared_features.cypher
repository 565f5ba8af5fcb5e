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
MATCH (k:Task)<-[:FOR_TASK]-(c:Circuit)
WHERE (k.name IN [$task, $other] OR k.uid IN [$task, $other]) AND ($aggregation = 'all' OR c.aggregation = $aggregation)
MATCH (f:Feature)-[o:OCCURS_IN]->(c)
WITH f, o.effect AS in_circuit, k.name = $task OR k.uid = $task AS of_one, k.name = $other OR k.uid = $other AS of_other
WITH f, count(CASE WHEN of_one THEN 1 END) AS circuits, round(avg(CASE WHEN of_one THEN in_circuit END), 9) AS effect,
     count(CASE WHEN of_other THEN 1 END) AS other_circuits,
     round(avg(CASE WHEN of_other THEN in_circuit END), 9) AS other_effect
WHERE circuits > 0 AND other_circuits > 0
RETURN f.uid AS feature, f.layer AS layer, f.label AS label, f.top_tokens AS top_tokens, circuits AS circuits,
       effect AS effect, other_circuits AS other_circuits, other_effect AS other_effect
ORDER BY coalesce(abs(effect), -1.0) DESC, feature
LIMIT $limit
