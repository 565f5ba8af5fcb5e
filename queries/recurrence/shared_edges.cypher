// summary = "The edges between features that the circuits of two tasks have in common."
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
// source = "The feature that acts."
// target = "The feature that it acts on."
// circuits = "Circuits of the one task that the edge occurs in."
// weight = "Mean over these of its weight, summed over positions."
// other_circuits = "Circuits of the other task that it occurs in."
// other_weight = "Mean over these."
MATCH (k:Task)<-[:FOR_TASK]-(c:Circuit)
WHERE (k.name IN [$task, $other] OR k.uid IN [$task, $other]) AND ($aggregation = 'all' OR c.aggregation = $aggregation)
WITH c, k
MATCH (c)<-[:IN_CIRCUIT]-(a:CircuitNode)
MATCH (a)-[:INSTANCE_OF]->(s:Feature), (a)-[r:ATTRIBUTES_TO]->(b:CircuitNode)-[:INSTANCE_OF]->(t:Feature)
WITH s.uid AS source, t.uid AS target, k.name = $task OR k.uid = $task AS of_one,
     k.name = $other OR k.uid = $other AS of_other, c.uid AS circuit, sum(r.weight) AS in_circuit
WITH source, target, count(CASE WHEN of_one THEN 1 END) AS circuits,
     round(avg(CASE WHEN of_one THEN in_circuit END), 9) AS weight,
     count(CASE WHEN of_other THEN 1 END) AS other_circuits,
     round(avg(CASE WHEN of_other THEN in_circuit END), 9) AS other_weight
WHERE circuits > 0 AND other_circuits > 0
RETURN source AS source, target AS target, circuits AS circuits, weight AS weight, other_circuits AS other_circuits,
       other_weight AS other_weight
ORDER BY abs(weight) DESC, source, target
LIMIT $limit
