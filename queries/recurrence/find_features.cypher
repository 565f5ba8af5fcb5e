// summary = "Features by what they promote, suppress, or are active on."
// filled_by = "circuitstore features RECIPE"
// [params.promotes]
// type = "string"
// default = ""
// help = "Only features that promote this token; most words begin with a space."
// [params.suppresses]
// type = "string"
// default = ""
// help = "Only features that suppress this token."
// [params.active_on]
// type = "string"
// default = ""
// help = "Only features with an example in which this token is marked, without its space."
// [params.label]
// type = "string"
// default = ""
// help = "Only features whose label contains this, in any case."
// [params.layer]
// type = "int"
// default = -1
// min = -1
// help = "Only features of this layer; -1 for all."
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// uid = "The feature."
// layer = "Its dictionary's layer."
// index = "Its row in the decoder."
// label = "A short description."
// density = "Share of a corpus's tokens on which it is active."
// max_activation = "Largest activation seen in a corpus."
// top_tokens = "Tokens that its decoder row promotes most."
// bottom_tokens = "Tokens that its decoder row suppresses most."
// examples = "Contexts of the largest activations, each with its activation in front and the token marked."
MATCH (f:Feature)
WHERE ($layer = -1 OR f.layer = $layer)
  AND ($label = '' OR lower(f.label) CONTAINS lower($label))
  AND ($promotes = '' OR $promotes IN f.top_tokens)
  AND ($suppresses = '' OR $suppresses IN f.bottom_tokens)
UNWIND coalesce(f.examples, ['']) AS example
WITH f, count(CASE WHEN $active_on = '' OR example CONTAINS replace('«?»', '?', $active_on) THEN 1 END) AS n
WHERE n > 0
RETURN f.uid AS uid, f.layer AS layer, f.`index` AS `index`, f.label AS label, f.density AS density,
       f.max_activation AS max_activation, f.top_tokens AS top_tokens, f.bottom_tokens AS bottom_tokens,
       f.examples AS examples
ORDER BY layer, coalesce(density, -1.0) DESC, uid
LIMIT $limit
