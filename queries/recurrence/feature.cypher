// summary = "One feature: what it promotes, where it is active, how often it stands in circuits."
// [params.feature]
// type = "uid"
// label = "Feature"
// help = "The feature."
// example = { query = "top_nodes", column = "feature" }
// [returns]
// uid = "The feature."
// layer = "Its dictionary's layer."
// index = "Its row in the decoder."
// label = "A short description."
// dictionary = "Its dictionary."
// hook = "The hook whose activations the dictionary decomposes."
// top_tokens = "Tokens that its decoder row promotes most."
// bottom_tokens = "Tokens that its decoder row suppresses most."
// density = "Share of a corpus's tokens on which it is active."
// max_activation = "Largest activation seen in a corpus."
// examples = "Contexts of the largest activations, each with its activation in front and the token marked."
// n_circuits = "Circuits that it stands in."
MATCH (f:Feature {uid: $feature})
OPTIONAL MATCH (f)-[:OCCURS_IN]->(c:Circuit)
WITH f, count(c.uid) AS n_circuits
OPTIONAL MATCH (f)-[:IN_DICTIONARY]->(d:Dictionary)
RETURN f.uid AS uid, f.layer AS layer, f.`index` AS `index`, f.label AS label, d.uid AS dictionary, d.hook AS hook,
       f.top_tokens AS top_tokens, f.bottom_tokens AS bottom_tokens, f.density AS density,
       f.max_activation AS max_activation, f.examples AS examples, n_circuits AS n_circuits
ORDER BY dictionary
