MATCH (f:Feature {uid: $feature})-[e:MATCHES*1..${max_hops} (r, n | WHERE r.method = '${method}' AND r.rank = 1
        | {r.score, r.kind, r.deactivation, r.control, r.confirmed}, {n.uid})]->(g:Feature)
WHERE $direction <> 'backwards' AND $method <> ''
WITH g, length(e) AS hops, properties(rels(e), 'score') AS scores, properties(rels(e), 'kind') AS kinds,
     properties(rels(e), 'deactivation') AS falls, properties(rels(e), 'control') AS controls,
     properties(rels(e), 'confirmed') AS confirmed
WITH g, hops, scores, kinds, falls, controls, confirmed, list_product(scores) AS product
ORDER BY hops, abs(product) DESC, g.uid
LIMIT $limit
RETURN 'forwards' AS direction, hops AS hops, g.uid AS feature, g.layer AS layer, g.label AS label,
       g.top_tokens AS top_tokens, round(product, 9) AS product, list_extract(scores, hops) AS score,
       list_extract(kinds, hops) AS kind, list_extract(falls, hops) AS deactivation,
       list_extract(controls, hops) AS control, list_extract(confirmed, hops) AS confirmed
ORDER BY hops, abs(product) DESC, feature
UNION ALL
MATCH (f:Feature {uid: $feature})<-[e:MATCHES*1..${max_hops} (r, n | WHERE r.method = '${method}' AND r.reverse_rank = 1
        | {r.score, r.kind, r.deactivation, r.control, r.confirmed}, {n.uid})]-(g:Feature)
WHERE $direction <> 'forwards' AND $method <> ''
WITH g, length(e) AS hops, properties(rels(e), 'score') AS scores, properties(rels(e), 'kind') AS kinds,
     properties(rels(e), 'deactivation') AS falls, properties(rels(e), 'control') AS controls,
     properties(rels(e), 'confirmed') AS confirmed
WITH g, hops, scores, kinds, falls, controls, confirmed, list_product(scores) AS product
ORDER BY hops, abs(product) DESC, g.uid
LIMIT $limit
RETURN 'backwards' AS direction, hops AS hops, g.uid AS feature, g.layer AS layer, g.label AS label,
       g.top_tokens AS top_tokens, round(product, 9) AS product, list_extract(scores, hops) AS score,
       list_extract(kinds, hops) AS kind, list_extract(falls, hops) AS deactivation,
       list_extract(controls, hops) AS control, list_extract(confirmed, hops) AS confirmed
ORDER BY hops, abs(product) DESC, feature
