MATCH (s:CircuitNode {uid: $node})-[e:ATTRIBUTES_TO*1..${max_hops} (r, n | WHERE abs(r.weight) >= ${min_weight}
        | {r.weight, r.observed}, {n.uid, n.kind, n.layer, n.`index`, n.position, n.token})]->(t:CircuitNode)
WHERE $end_kind = '' OR t.kind = $end_kind
WITH s, t, e, properties(rels(e), 'weight') AS weights,
     list_concat([s.uid], list_append(properties(nodes(e), 'uid'), t.uid)) AS nodes
WITH s, t, e, weights, nodes, list_product(weights) AS weight, list_to_string(' ', nodes) AS tie
ORDER BY abs(weight) DESC, tie
LIMIT $limit
RETURN weight AS weight, length(e) AS hops,
       list_concat(
         [concat(CASE WHEN s.kind IN ['token', 'logit', 'metric'] THEN s.kind
                 ELSE regexp_replace(concat(s.kind, ' ', string(s.layer), ':', string(s.`index`)), ':$', '') END,
                 regexp_replace(concat(' @', coalesce(s.token, string(s.position))), '^ @$', ''))],
         list_append(
           list_transform(nodes(e), n ->
             concat(regexp_replace(concat(n.kind, ' ', string(n.layer), ':', string(n.`index`)), ':$', ''),
                    regexp_replace(concat(' @', coalesce(n.token, string(n.position))), '^ @$', ''))),
           concat(CASE WHEN t.kind IN ['token', 'logit', 'metric'] THEN t.kind
                  ELSE regexp_replace(concat(t.kind, ' ', string(t.layer), ':', string(t.`index`)), ':$', '') END,
                  regexp_replace(concat(' @', coalesce(t.token, string(t.position))), '^ @$', '')))) AS labels,
       weights AS weights, properties(rels(e), 'observed') AS observed, nodes AS nodes
ORDER BY abs(weight) DESC, tie
