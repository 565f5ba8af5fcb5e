// summary = "The edges between features that occur in the most circuits."
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
// mean_weight = "Mean weight over these circuits."
// mean_abs_weight = "Mean absolute weight over these circuits."
// sign_agreement = "Share of these circuits whose weight has the commoner sign."
MATCH (s:Feature)-[r:FEEDS]->(t:Feature)
WHERE r.n_circuits >= $min_circuits
RETURN s.uid AS source, t.uid AS target, s.label AS source_label, t.label AS target_label, r.n_circuits AS n_circuits,
       r.mean_weight AS mean_weight, r.mean_abs_weight AS mean_abs_weight, r.sign_agreement AS sign_agreement
ORDER BY n_circuits DESC, mean_abs_weight DESC, source, target
LIMIT $limit
