// summary = "The edges between features that occur in the most circuits."
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
// [params.min_circuits]
// type = "int"
// default = 2
// min = 1
// help = "Only edges of at least so many circuits."
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// source = "The feature that acts."
// target = "The feature that it acts on."
// source_label = "A short description of the source."
// target_label = "A short description of the target."
// n_circuits = "Circuits in which the edge occurs."
// share = "Share of the circuits counted in which it occurs."
// mean_weight = "Mean over these circuits of its weight, summed over positions."
// mean_abs_weight = "The same of the absolute weight."
// sign_agreement = "Share of these circuits whose weight has the commoner sign."
MATCH (c:Circuit)
// FEEDS has the sums over all circuits ready; those of a choice are made below.
WHERE $aggregation = 'all' AND $task = ''
WITH count(c) AS total
MATCH (s:Feature)-[r:FEEDS]->(t:Feature)
WHERE r.n_circuits >= $min_circuits AND total > 0
RETURN s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, r.n_circuits AS n_circuits,
       1.0 * r.n_circuits / total AS share, round(r.mean_weight, 9) AS mean_weight,
       round(r.mean_abs_weight, 9) AS mean_abs_weight, r.sign_agreement AS sign_agreement
ORDER BY n_circuits DESC, mean_abs_weight DESC, source, target
LIMIT $limit
UNION ALL
MATCH (c:Circuit)
WHERE NOT ($aggregation = 'all' AND $task = '') AND ($aggregation = 'all' OR c.aggregation = $aggregation)
  AND ($task = '' OR EXISTS { MATCH (c)-[:FOR_TASK]->(t:Task) WHERE t.name = $task OR t.uid = $task })
WITH count(c) AS total
MATCH (c:Circuit)<-[:IN_CIRCUIT]-(a:CircuitNode)-[r:ATTRIBUTES_TO]->(b:CircuitNode),
      (a)-[:INSTANCE_OF]->(s:Feature), (b)-[:INSTANCE_OF]->(t:Feature)
WHERE NOT ($aggregation = 'all' AND $task = '') AND ($aggregation = 'all' OR c.aggregation = $aggregation)
  AND ($task = '' OR EXISTS { MATCH (c)-[:FOR_TASK]->(k:Task) WHERE k.name = $task OR k.uid = $task })
WITH total, s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, c.uid AS circuit,
     round(sum(r.weight), 9) AS weight
WITH total, source, target, source_label, target_label, count(circuit) AS n_circuits, count(CASE WHEN weight > 0 THEN 1 END) AS n_positive,
     round(avg(weight), 9) AS mean_weight, round(avg(abs(weight)), 9) AS mean_abs_weight
WHERE n_circuits >= $min_circuits
RETURN source AS source, target AS target, source_label AS source_label, target_label AS target_label,
       n_circuits AS n_circuits,
       1.0 * n_circuits / total AS share, mean_weight AS mean_weight, mean_abs_weight AS mean_abs_weight,
       CASE WHEN 2 * n_positive >= n_circuits THEN 1.0 * n_positive / n_circuits
            ELSE 1.0 * (n_circuits - n_positive) / n_circuits END AS sign_agreement
ORDER BY n_circuits DESC, mean_abs_weight DESC, source, target
LIMIT $limit
