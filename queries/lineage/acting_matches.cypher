// summary = "Matches whose features act on each other in circuits: features that continue, and whose continuation acts."
// filled_by = "circuitstore match RECIPE"
// [params.method]
// type = "string"
// default = ""
// choices = ["", "sae_match", "feature_flow", "correlation"]
// help = "Only matches by this method."
// [params.min_circuits]
// type = "int"
// default = 1
// min = 1
// help = "Only pairs of features that are joined in at least so many circuits."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// source = "The earlier feature."
// target = "The later feature."
// source_label = "A short description of the source."
// target_label = "A short description of the target."
// method = "How they were matched."
// score = "How well they match."
// rank = "1 for the best match of the source."
// deactivation = "Share of its activation that the target loses where the source is switched off, over a corpus."
// confirmed = "Whether it loses as much as the recipe asks for, and more than another feature active there."
// n_circuits = "Circuits in which the source acts on the target."
// mean_weight = "Mean over these circuits of the weight, summed over positions."
// mean_abs_weight = "The same of the absolute weight."
MATCH (s:Feature)-[m:MATCHES]->(t:Feature)
MATCH (s)-[e:FEEDS]->(t)
WHERE ($method = '' OR m.method = $method) AND e.n_circuits >= $min_circuits
RETURN s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, m.method AS method,
       m.score AS score, m.rank AS rank, m.deactivation AS deactivation, m.confirmed AS confirmed,
       e.n_circuits AS n_circuits, round(e.mean_weight, 9) AS mean_weight, round(e.mean_abs_weight, 9) AS mean_abs_weight
ORDER BY mean_abs_weight DESC, source, target, method
LIMIT $limit
