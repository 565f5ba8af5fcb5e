// summary = "The chain of a feature's best matches, link by link, with what circuits say of each: whether it acts."
// filled_by = "circuitstore match RECIPE"
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "Where the chain starts."
// example = { query = "acting_matches", column = "source" }
// [params.method]
// type = "string"
// default = "sae_match"
// choices = ["sae_match", "feature_flow", "correlation"]
// help = "How features were matched."
// [params.max_hops]
// type = "hops"
// default = 4
// min = 1
// max = 8
// help = "Largest number of matches in a chain."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// hops = "Number of the link: 1 leaves the feature asked for."
// source = "The link's earlier feature."
// target = "The link's later feature."
// source_label = "A short description of the source."
// target_label = "A short description of the target."
// score = "How well they match."
// deactivation = "Share of its activation that the target loses where the source is switched off, over a corpus."
// confirmed = "Whether it loses as much as the recipe asks for, and more than another feature active there."
// n_circuits = "Circuits in which the source acts on the target; 0 where in none."
// mean_weight = "Mean over these circuits of the predicted weight, summed over positions."
// n_observed = "Edges between the two whose effect was observed."
// mean_observed = "Mean observed effect of these edges."
MATCH p = (f:Feature {uid: $feature})-[:MATCHES*1..${max_hops}]->(t:Feature)
WHERE all(r IN relationships(p) WHERE r.method = $method AND r.rank = 1)
WITH DISTINCT length(p) AS hops, last(relationships(p)) AS m, t
WITH hops, startNode(m) AS s, t, m
OPTIONAL MATCH (s)-[e:FEEDS]->(t)
WITH hops, s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, m.score AS score,
     m.deactivation AS deactivation, m.confirmed AS confirmed, coalesce(e.n_circuits, 0) AS n_circuits,
     round(e.mean_weight, 9) AS mean_weight
OPTIONAL MATCH (:Feature {uid: source})<-[:INSTANCE_OF]-(:CircuitNode)-[a:ATTRIBUTES_TO]->(:CircuitNode)
               -[:INSTANCE_OF]->(:Feature {uid: target})
WITH hops, source, target, source_label, target_label, score, deactivation, confirmed, n_circuits, mean_weight,
     count(a.observed) AS n_observed, avg(a.observed) AS mean_observed
RETURN hops AS hops, source AS source, target AS target, source_label AS source_label, target_label AS target_label,
       score AS score, deactivation AS deactivation, confirmed AS confirmed, n_circuits AS n_circuits,
       mean_weight AS mean_weight, n_observed AS n_observed, round(mean_observed, 9) AS mean_observed
ORDER BY hops, source, target
LIMIT $limit
