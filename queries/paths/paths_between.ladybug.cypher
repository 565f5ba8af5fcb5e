MATCH (s:CircuitNode {uid: $source})-[e:ATTRIBUTES_TO*1..${max_hops} (r, n | WHERE abs(r.weight) >= ${min_weight}
        | {r.weight, r.input, r.observed}, {n.uid, n.kind, n.layer, n.`index`, n.position, n.token})]->(t:CircuitNode {uid: $target})
WITH s, t, e, properties(rels(e), 'weight') AS weights,
     list_concat([s.uid], list_append(properties(nodes(e), 'uid'), t.uid)) AS nodes
WITH s, t, e, weights, nodes, list_product(weights) AS weight, list_to_string(' ', nodes) AS tie
ORDER BY abs(weight) DESC, tie
LIMIT $limit
RETURN weight AS weight, length(e) AS hops,
       list_concat(list_concat([s.kind], properties(nodes(e), 'kind')), [t.kind]) AS kinds,
       list_concat(list_concat([s.layer], properties(nodes(e), 'layer')), [t.layer]) AS layers,
       list_concat(list_concat([s.`index`], properties(nodes(e), 'index')), [t.`index`]) AS indexes,
       list_concat(list_concat([s.position], properties(nodes(e), 'position')), [t.position]) AS positions,
       list_concat(list_concat([s.token], properties(nodes(e), 'token')), [t.token]) AS tokens,
       weights AS weights, properties(rels(e), 'input') AS inputs, properties(rels(e), 'observed') AS observed,
       nodes AS nodes
ORDER BY abs(weight) DESC, tie
