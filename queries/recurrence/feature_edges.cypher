// summary = "What a feature acts on, and what acts on it, over all circuits: the strongest edges in each direction."
// filled_by = "circuitstore ingest RECIPE"
// runs = "python"
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "The feature."
// example = { query = "top_nodes", column = "feature" }
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows in each direction."
// [returns]
// direction = "output: the other feature is acted on; input: it acts."
// feature = "The other feature."
// label = "A short description of it."
// n_circuits = "Circuits in which the edge occurs."
// mean_weight = "Mean over these circuits of its weight, summed over positions."
// mean_abs_weight = "The same of the absolute weight."
// sign_agreement = "Share of these circuits whose weight has the commoner sign."
MATCH (:Feature {uid: $feature})-[r:FEEDS]->(o:Feature)
RETURN 'output' AS direction, o.uid AS feature, o.label AS label, r.n_circuits AS n_circuits,
       round(r.mean_weight, 9) AS mean_weight, round(r.mean_abs_weight, 9) AS mean_abs_weight,
       r.sign_agreement AS sign_agreement
ORDER BY mean_abs_weight DESC, feature
LIMIT $limit
UNION ALL
MATCH (:Feature {uid: $feature})<-[r:FEEDS]-(o:Feature)
RETURN 'input' AS direction, o.uid AS feature, o.label AS label, r.n_circuits AS n_circuits,
       round(r.mean_weight, 9) AS mean_weight, round(r.mean_abs_weight, 9) AS mean_abs_weight,
       r.sign_agreement AS sign_agreement
ORDER BY mean_abs_weight DESC, feature
LIMIT $limit
