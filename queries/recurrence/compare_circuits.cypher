// summary = "Two circuits feature by feature: the effect in each, strongest first."
// [params.circuit]
// type = "uid"
// label = "Circuit"
// help = "One circuit."
// example = { query = "circuits", column = "uid" }
// [params.other]
// type = "uid"
// label = "Circuit"
// help = "The other."
// example = { query = "ablations", column = "circuit" }
// [params.found_in]
// type = "string"
// default = "all"
// choices = ["all", "both", "one", "other"]
// help = "Only features of both, of the one alone, or of the other alone."
// [params.limit]
// type = "int"
// default = 100
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// feature = "The feature."
// layer = "Its dictionary's layer."
// label = "A short description."
// top_tokens = "Tokens that its decoder row promotes most."
// found_in = "both, one or other."
// effect = "Its predicted effect in the one circuit, summed over positions."
// other_effect = "In the other."
MATCH (f:Feature)-[o:OCCURS_IN]->(c:Circuit)
WHERE c.uid = $circuit OR c.uid = $other
WITH f.uid AS feature, f.layer AS layer, f.label AS label, f.top_tokens AS top_tokens, c.uid AS circuit,
     round(o.effect, 9) AS in_circuit
WITH feature, layer, label, top_tokens, max(CASE WHEN circuit = $circuit THEN in_circuit END) AS effect,
     max(CASE WHEN circuit = $other THEN in_circuit END) AS other_effect,
     count(CASE WHEN circuit = $circuit THEN 1 END) AS in_one, count(CASE WHEN circuit = $other THEN 1 END) AS in_other
WITH feature, layer, label, top_tokens, effect, other_effect,
     CASE WHEN in_other = 0 THEN 'one' WHEN in_one = 0 THEN 'other' ELSE 'both' END AS found_in
WHERE 'all' = $found_in OR found_in = $found_in
RETURN feature AS feature, layer AS layer, label AS label, top_tokens AS top_tokens, found_in AS found_in,
       effect AS effect, other_effect AS other_effect
ORDER BY abs(coalesce(effect, 0.0)) + abs(coalesce(other_effect, 0.0)) DESC, feature
LIMIT $limit
