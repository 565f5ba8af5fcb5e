// summary = "The features that stand in the most circuits."
// filled_by = "circuitstore ingest RECIPE"
// [params.task]
// type = "string"
// default = ""
// help = "Only circuits of this task, by name or uid."
// [params.aggregation]
// type = "string"
// default = "prompt"
// choices = ["prompt", "task", "all"]
// help = "Count circuits of single prompts, of whole tasks (means over the same prompts), or both."
// [params.cluster]
// type = "uid"
// default = ""
// label = "Cluster"
// help = "Only members of this cluster."
// [params.min_circuits]
// type = "int"
// default = 2
// min = 1
// help = "Only features of at least so many circuits."
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// uid = "The feature."
// layer = "Its dictionary's layer."
// index = "Its row in the decoder."
// label = "A short description."
// n_circuits = "Circuits that it stands in."
// share = "Share of the circuits counted that it stands in."
// mean_effect = "Mean over those of these circuits that know its effect: predicted, summed over positions."
// mean_abs_effect = "The same of the absolute effect."
// positive = "Share of these circuits in which its effect is above zero."
MATCH (c:Circuit)
WHERE ($aggregation = 'all' OR c.aggregation = $aggregation)
  AND ($task = '' OR EXISTS { MATCH (c)-[:FOR_TASK]->(t:Task) WHERE t.name = $task OR t.uid = $task })
WITH count(c) AS total
MATCH (f:Feature)-[o:OCCURS_IN]->(c:Circuit)
WHERE ($aggregation = 'all' OR c.aggregation = $aggregation)
  AND ($task = '' OR EXISTS { MATCH (c)-[:FOR_TASK]->(t:Task) WHERE t.name = $task OR t.uid = $task })
WITH total, f, count(o.n_nodes) AS n_circuits, count(o.effect) AS n_known,
     count(CASE WHEN o.effect > 0 THEN 1 END) AS n_positive,
     round(avg(o.effect), 9) AS mean_effect, round(avg(abs(o.effect)), 9) AS mean_abs_effect
WHERE n_circuits >= $min_circuits
  AND ($cluster = '' OR EXISTS { MATCH (f)-[:MEMBER_OF]->(:Cluster {uid: $cluster}) })
RETURN f.uid AS uid, f.layer AS layer, f.`index` AS `index`, f.label AS label, n_circuits AS n_circuits,
       1.0 * n_circuits / total AS share, mean_effect AS mean_effect, mean_abs_effect AS mean_abs_effect,
       CASE WHEN n_known > 0 THEN 1.0 * n_positive / n_known END AS positive
ORDER BY n_circuits DESC, coalesce(mean_abs_effect, -1.0) DESC, uid
LIMIT $limit
