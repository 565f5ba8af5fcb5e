MATCH (n:Feature:Prompt)
UNWIND list_concat(list_concat([n.label, n.text], coalesce(n.top_tokens, [''])), coalesce(n.tokens, [''])) AS text
WITH n, text, n.uid AS uid, CASE WHEN text = n.label THEN 'label' WHEN text = n.text THEN 'prompt'
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
