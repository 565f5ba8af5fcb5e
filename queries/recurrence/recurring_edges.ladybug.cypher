MATCH (:Feature)-[r:FEEDS]->(:Feature)
// FEEDS has the sums over all circuits and over prompts' ready; those of a task, or over tasks', are made below.
// Only edges in as many circuits as the last one of the answer are looked at closely.
WHERE $task = '' AND $aggregation <> 'task'
WITH CASE WHEN $aggregation = 'all' THEN r.n_circuits ELSE r.n_prompts END AS n, count(*) AS n_edges
WHERE n >= $min_circuits
WITH collect({n: n, n_edges: n_edges}) AS counts
UNWIND counts AS one
UNWIND counts AS other
WITH one.n AS n, other.n AS more, other.n_edges AS n_edges
WHERE more >= n
WITH n, sum(n_edges) AS n_at_least
WITH max(CASE WHEN n_at_least >= $limit THEN n ELSE $min_circuits END) AS least
MATCH (c:Circuit)
WHERE $aggregation = 'all' OR c.aggregation = $aggregation
WITH least, count(c) AS total, CASE WHEN $aggregation = 'all' THEN 1 ELSE 0 END AS of_all,
     CASE WHEN $aggregation = 'all' THEN 0 ELSE 1 END AS of_prompts
MATCH (s:Feature)-[r:FEEDS]->(t:Feature)
WHERE of_all * r.n_circuits + of_prompts * r.n_prompts >= least
WITH total, s, t, of_all * r.n_circuits + of_prompts * r.n_prompts AS n_circuits,
     of_all * r.n_positive + of_prompts * r.n_positive_prompts AS n_positive,
     (of_all * r.weight_sum + of_prompts * r.prompt_weight_sum) / 4294967296.0 AS weight,
     (of_all * r.abs_weight_sum + of_prompts * r.prompt_abs_weight_sum) / 4294967296.0 AS abs_weight
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
