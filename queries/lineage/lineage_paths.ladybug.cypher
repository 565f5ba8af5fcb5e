MATCH (f:Feature {uid: $feature})-[e:MATCHES*1..${max_hops} (r, n | WHERE r.method = '${method}' AND r.rank = 1
        | {r.score}, {n.uid})]->(t:Feature)
WITH t, length(e) AS hops, list_concat([f.uid], properties(nodes(e), 'uid')) AS passed
WITH DISTINCT hops, list_extract(passed, hops) AS before, t.uid AS after
MATCH (s:Feature {uid: before})
MATCH (s)-[m:MATCHES]->(t:Feature)
WHERE t.uid = after AND m.method = $method
OPTIONAL MATCH (s)-[e:FEEDS]->(t)
WITH hops, s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, m.score AS score,
     m.deactivation AS deactivation, m.confirmed AS confirmed, coalesce(e.n_circuits, 0) AS n_circuits,
     round(e.mean_weight, 9) AS mean_weight
OPTIONAL MATCH (:Feature {uid: source})<-[:INSTANCE_OF]-(u:CircuitNode)
OPTIONAL MATCH (u)-[a:ATTRIBUTES_TO]->(d:CircuitNode)
WHERE EXISTS { MATCH (d)-[:INSTANCE_OF]->(:Feature {uid: target}) }
WITH hops, source, target, source_label, target_label, score, deactivation, confirmed, n_circuits, mean_weight,
     count(a.observed) AS n_observed, avg(a.observed) AS mean_observed
RETURN hops AS hops, source AS source, target AS target, source_label AS source_label, target_label AS target_label,
       score AS score, deactivation AS deactivation, confirmed AS confirmed, n_circuits AS n_circuits,
       mean_weight AS mean_weight, n_observed AS n_observed, round(mean_observed, 9) AS mean_observed
ORDER BY hops, source, target
LIMIT $limit
