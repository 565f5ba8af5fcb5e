// summary = "Features, prompts, tokens, circuits and models that hold a text, in any case."
// empty = "labels and promoted tokens of features, prompts and their tokens, names and uids of circuits and models"
// [params.text]
// type = "string"
// help = "What to look for, as it stands: a part of a word, words, or signs. An empty text is found nowhere."
// example = "a"
// [params.among]
// type = "string"
// default = "all"
// choices = ["all", "label", "promotes", "token", "prompt", "circuit", "model"]
// help = "Only among features' labels, tokens that features promote, tokens of prompts, prompts, circuits, or models."
// [params.at]
// type = "string"
// default = "anywhere"
// choices = ["anywhere", "start"]
// help = "Whether what is found must begin with it; a space before does not count."
// [params.limit]
// type = "int"
// default = 50
// min = 1
// max = 10000
// help = "Largest number of rows."
// [returns]
// found = "label, promotes, token, prompt, circuit or model; label or prompt where the text is all of that."
// match = "exact: no more than the text; prefix: begins with it; or substring."
// text = "The label, token or prompt; of a circuit or model its name, or where that does not hold the text, its uid."
// uid = "The feature, prompt, circuit or model; of a token, the first of the prompts that hold it."
WITH split(reduce(kept = '', c IN split($text, '') | kept + CASE
       WHEN 'a' <= c <= 'z' OR 'A' <= c <= 'Z' OR '0' <= c <= '9' THEN c ELSE ' ' END), ' ') AS words
// Only letters and digits reach the index, where other signs mean something; the text as it stands is compared below.
WITH reduce(all = '*:*', word IN [w IN words WHERE w <> ''] | all + ' AND *' + word + '*') AS words
CALL db.index.fulltext.queryNodes('search', words) YIELD node
WITH collect(node) AS indexed
// Circuits and models are few, and stand in no index.
UNWIND indexed + COLLECT {
         MATCH (o:Circuit|Model)
         WHERE lower(o.name) CONTAINS lower($text) OR lower(o.uid) CONTAINS lower($text) RETURN o
       } AS n
UNWIND [n.label, n.text, CASE WHEN n.name IS NULL OR lower(n.name) CONTAINS lower($text) THEN n.name ELSE n.uid END]
       + coalesce(n.top_tokens, []) + coalesce(n.tokens, []) AS text
WITH n, text, n.uid AS uid,
     CASE WHEN n.aggregation IS NOT NULL THEN 'circuit' WHEN n.name IS NOT NULL THEN 'model'
          WHEN text = n.label THEN 'label' WHEN text = n.text THEN 'prompt'
          WHEN n.text IS NULL THEN 'promotes' ELSE 'token' END AS found
WHERE text <> '' AND $text <> '' AND lower(text) CONTAINS lower($text) AND ($among = 'all' OR found = $among)
WITH found, text, CASE WHEN found = 'token' THEN '' ELSE uid END AS of, min(uid) AS uid, lower(trim(text)) AS plain,
     lower(trim($text)) AS wanted
WHERE $at = 'anywhere' OR plain STARTS WITH wanted
RETURN found AS found,
       CASE WHEN plain = wanted THEN 'exact' WHEN plain STARTS WITH wanted THEN 'prefix' ELSE 'substring' END AS match,
       text AS text, uid AS uid
ORDER BY match, found, text, uid
LIMIT $limit
