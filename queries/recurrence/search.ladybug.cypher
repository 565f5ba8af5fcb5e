MATCH (n:Feature:Prompt:Circuit:Model)
WITH n, CASE WHEN n.name IS NULL OR lower(n.name) CONTAINS lower($text) THEN n.name ELSE n.uid END AS named
UNWIND list_concat(list_concat([n.label, n.text, named], coalesce(n.top_tokens, [''])), coalesce(n.tokens, [''])) AS text
WITH n, text, n.uid AS uid,
     CASE WHEN n.aggregation IS NOT NULL THEN 'circuit' WHEN n.name IS NOT NULL THEN 'model'
          WHEN text = n.label THEN 'label' WHEN text = n.text THEN 'prompt'
          WHEN n.text IS NULL THEN 'promotes' ELSE 'token' END AS found
WHERE text <> '' AND $text <> '' AND lower(text) CONTAINS lower($text) AND ($among = 'all' OR found = $among)
WITH found, text, CASE WHEN found = 'token' THEN '' ELSE uid END AS of, min(uid) AS uid,
     // trim gives rubbish where twelve bytes are left
     lower(regexp_replace(text, '^[\\s\\x0b]+|[\\s\\x0b]+$', '', 'g')) AS plain,
     lower(regexp_replace($text, '^[\\s\\x0b]+|[\\s\\x0b]+$', '', 'g')) AS wanted
WHERE $at = 'anywhere' OR plain STARTS WITH wanted
RETURN found AS found,
       CASE WHEN plain = wanted THEN 'exact' WHEN plain STARTS WITH wanted THEN 'prefix' ELSE 'substring' END AS match,
       text AS text, uid AS uid
ORDER BY match, found, text, uid
LIMIT $limit
