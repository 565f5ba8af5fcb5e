// summary = "How a feature continues in later dictionaries, and what it continues: its best matches, over several layers."
// runs = "python"
// filled_by = "circuitstore match RECIPE"
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "The feature."
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
// [params.direction]
// type = "string"
// default = "both"
// choices = ["forwards", "backwards", "both"]
// help = "To later dictionaries, to earlier ones, or both."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// direction = "forwards: a later feature; backwards: an earlier one."
// hops = "Number of matches between the two features."
// feature = "The feature reached."
// layer = "Its dictionary's layer."
// label = "A short description of it."
// top_tokens = "Tokens that its decoder row promotes most."
// product = "Product of the scores along the chain."
// score = "Score of the match that reaches it."
// kind = "How this match's later feature came about: translated, processed, newborn or unexplained; by feature_flow only."
// deactivation = "Share of its activation that this match's later feature loses where the earlier one is switched off."
// control = "The same of another feature that is active there."
// confirmed = "Whether it loses as much as the recipe asks for, and more than another feature active there."
MATCH p = (f:Feature {uid: $feature})-[:MATCHES*1..${max_hops}]->(g:Feature)
WHERE $direction <> 'backwards' AND all(r IN relationships(p) WHERE r.method = $method AND r.rank = 1)
WITH p, g, last(relationships(p)) AS r, reduce(product = 1.0, r IN relationships(p) | product * r.score) AS product
ORDER BY length(p), abs(product) DESC, g.uid
LIMIT $limit
RETURN 'forwards' AS direction, length(p) AS hops, g.uid AS feature, g.layer AS layer, g.label AS label,
       g.top_tokens AS top_tokens, round(product, 9) AS product, r.score AS score, r.kind AS kind,
       r.deactivation AS deactivation, r.control AS control, r.confirmed AS confirmed
ORDER BY hops, abs(product) DESC, feature
UNION ALL
MATCH p = (f:Feature {uid: $feature})<-[:MATCHES*1..${max_hops}]-(g:Feature)
WHERE $direction <> 'forwards' AND all(r IN relationships(p) WHERE r.method = $method AND r.reverse_rank = 1)
WITH p, g, last(relationships(p)) AS r, reduce(product = 1.0, r IN relationships(p) | product * r.score) AS product
ORDER BY length(p), abs(product) DESC, g.uid
LIMIT $limit
RETURN 'backwards' AS direction, length(p) AS hops, g.uid AS feature, g.layer AS layer, g.label AS label,
       g.top_tokens AS top_tokens, round(product, 9) AS product, r.score AS score, r.kind AS kind,
       r.deactivation AS deactivation, r.control AS control, r.confirmed AS confirmed
ORDER BY hops, abs(product) DESC, feature
