MATCH (n:Feature:Prompt)
// Texts with their kind in front: LadybugDB repeats the first item where a list is made one of maps.
UNWIND list_concat(list_concat([concat('label ', n.label), concat('prompt ', n.text)],
         list_transform(coalesce(n.top_tokens, ['']), token -> concat('promotes ', token))),
         list_transform(coalesce(n.tokens, ['']), token -> concat('token ', token))) AS hit
WITH split_part(hit, ' ', 1) AS found, substring(hit, size(split_part(hit, ' ', 1)) + 2, size(hit)) AS text,
     CASE WHEN hit STARTS WITH 'token ' THEN '' ELSE n.uid END AS of, n.uid AS uid
WHERE text <> '' AND $text <> '' AND lower(text) CONTAINS lower($text) AND ($among = 'all' OR found = $among)
WITH found, text, of, min(uid) AS uid, lower(trim(text)) AS plain, lower(trim($text)) AS wanted
WHERE $at = 'anywhere' OR plain STARTS WITH wanted
RETURN found AS found,
       CASE WHEN plain = wanted THEN 'exact' WHEN plain STARTS WITH wanted THEN 'prefix' ELSE 'substring' END AS match,
       text AS text, uid AS uid
ORDER BY match, found, text, uid
LIMIT $limit
