// summary = "How predicted and observed effects of a circuit's edges agree, stretch by stretch."
// filled_by = "circuitstore observe RECIPE (for circuits that a recipe computed)"
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "The circuit."
// example = { query = "unconfirmed_edges", column = "circuit" }
// [params.min_share]
// type = "float"
// default = 0.01
// min = 0
// max = 1
// help = "Signs are compared where the observed effect is at least this share of the metric's change."
// [returns]
// source_layer = "The layer of the edges' sources; -1 for tokens."
// target_layer = "The layer of their targets; the number of blocks for the metric."
// n = "Number of edges that were observed."
// r = "Pearson correlation of observed and predicted effects; empty for fewer than three, or where all are equal."
// slope = "Least-squares slope of observed on predicted, through the origin: 1 is ideal."
// n_large = "Edges whose observed effect is large enough to compare signs."
// sign_agreement = "Share of these whose sign was predicted."
// observed_pairs = "Pairs that each observed effect is a mean over."
MATCH (s:CircuitNode)-[:IN_CIRCUIT]->(c:Circuit {uid: $circuit})
MATCH (s)-[e:ATTRIBUTES_TO]->(t:CircuitNode)
WHERE e.observed IS NOT NULL
WITH s.layer AS source_layer, t.layer AS target_layer, e.weight AS p, e.observed AS o,
     CASE WHEN abs(e.observed) >= $min_share * abs(coalesce(c.patch_metric - c.clean_metric, 0.0)) THEN 1 END AS large,
     c.observed_pairs AS pairs
WITH source_layer, target_layer, pairs, count(p) AS n, sum(p) AS p, sum(o) AS o, sum(p * p) AS pp, sum(o * o) AS oo,
     sum(p * o) AS po, count(large) AS n_large, count(CASE WHEN p * o > 0 THEN large END) AS same
RETURN source_layer AS source_layer, target_layer AS target_layer, n AS n,
       CASE WHEN n > 2 AND n * pp - p * p > 1.0e-9 * n * pp AND n * oo - o * o > 1.0e-9 * n * oo
            THEN round((n * po - p * o) / sqrt((n * pp - p * p) * (n * oo - o * o)), 6) END AS r,
       CASE WHEN pp > 0 THEN round(po / pp, 6) END AS slope, n_large AS n_large,
       CASE WHEN n_large > 0 THEN round(1.0 * same / n_large, 6) END AS sign_agreement,
       pairs AS observed_pairs
ORDER BY source_layer, target_layer
