// summary = "The edges between features that occur in the most circuits."
// runs = "python"
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
// FEEDS has these sums ready, in the order of an index: only edges in as many circuits as the answer's last are read.
WHERE $task = '' AND $aggregation = 'prompt' AND c.aggregation = 'prompt'
WITH count(c) AS total
WHERE total > 0
MATCH ()-[r:FEEDS]->()
WHERE r.n_prompts >= $min_circuits
WITH total, r.n_prompts AS n
ORDER BY n DESC
LIMIT $limit
WITH total, min(n) AS least
MATCH (s)-[r:FEEDS]->(t)
WHERE r.n_prompts >= least
WITH total, s, t, r.n_prompts AS n_circuits, r.n_positive_prompts AS n_positive, r.prompt_weight_sum / 4294967296.0 AS weight,
     r.prompt_abs_weight_sum / 4294967296.0 AS abs_weight
RETURN s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, n_circuits AS n_circuits,
       1.0 * n_circuits / total AS share, round(weight / n_circuits, 9) AS mean_weight,
       round(abs_weight / n_circuits, 9) AS mean_abs_weight,
       CASE WHEN 2 * n_positive >= n_circuits THEN 1.0 * n_positive / n_circuits
            ELSE 1.0 * (n_circuits - n_positive) / n_circuits END AS sign_agreement
ORDER BY n_circuits DESC, mean_abs_weight DESC, source, target
LIMIT $limit
UNION ALL
MATCH (c:Circuit)
WHERE $task = '' AND $aggregation = 'all'
WITH count(c) AS total
WHERE total > 0
MATCH ()-[r:FEEDS]->()
WHERE r.n_circuits >= $min_circuits
WITH total, r.n_circuits AS n
ORDER BY n DESC
LIMIT $limit
WITH total, min(n) AS least
MATCH (s)-[r:FEEDS]->(t)
WHERE r.n_circuits >= least
WITH total, s, t, r.n_circuits AS n_circuits, r.n_positive AS n_positive, r.weight_sum / 4294967296.0 AS weight,
     r.abs_weight_sum / 4294967296.0 AS abs_weight
RETURN s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, n_circuits AS n_circuits,
       1.0 * n_circuits / total AS share, round(weight / n_circuits, 9) AS mean_weight,
       round(abs_weight / n_circuits, 9) AS mean_abs_weight,
       CASE WHEN 2 * n_positive >= n_circuits THEN 1.0 * n_positive / n_circuits
            ELSE 1.0 * (n_circuits - n_positive) / n_circuits END AS sign_agreement
ORDER BY n_circuits DESC, mean_abs_weight DESC, source, target
LIMIT $limit
UNION ALL
MATCH (c:Circuit)
WHERE ($task <> '' OR $aggregation = 'task') AND ($aggregation = 'all' OR c.aggregation = $aggregation)
  AND ($task = '' OR EXISTS { MATCH (c)-[:FOR_TASK]->(t:Task) WHERE t.name = $task OR t.uid = $task })
WITH count(c) AS total
MATCH (c:Circuit)
WHERE ($task <> '' OR $aggregation = 'task') AND ($aggregation = 'all' OR c.aggregation = $aggregation)
  AND ($task = '' OR EXISTS { MATCH (c)-[:FOR_TASK]->(t:Task) WHERE t.name = $task OR t.uid = $task })
WITH total, c
MATCH (c)<-[:IN_CIRCUIT]-(a:CircuitNode)
MATCH (a)-[:INSTANCE_OF]->(s:Feature), (a)-[r:ATTRIBUTES_TO]->(b:CircuitNode)-[:INSTANCE_OF]->(t:Feature)
WITH total, s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, c.uid AS circuit,
     round(sum(r.weight), 12) AS weight
WITH total, source, target, source_label, target_label, count(circuit) AS n_circuits,
     count(CASE WHEN weight > 0 THEN 1 END) AS n_positive, round(avg(weight), 9) AS mean_weight,
     round(avg(abs(weight)), 9) AS mean_abs_weight
WHERE n_circuits >= $min_circuits
RETURN source AS source, target AS target, source_label AS source_label, target_label AS target_label,
       n_circuits AS n_circuits, 1.0 * n_circuits / total AS share, mean_weight AS mean_weight,
       mean_abs_weight AS mean_abs_weight,
       CASE WHEN 2 * n_positive >= n_circuits THEN 1.0 * n_positive / n_circuits
            ELSE 1.0 * (n_circuits - n_positive) / n_circuits END AS sign_agreement
ORDER BY n_circuits DESC, mean_abs_weight DESC, source, target
LIMIT $limit
