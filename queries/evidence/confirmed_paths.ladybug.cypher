MATCH (s:CircuitNode)-[e:ATTRIBUTES_TO*1..${max_hops} (r, n | WHERE r.observed IS NOT NULL AND abs(r.observed) >= ${min_observed}
                                      AND r.observed * r.weight > 0.0 AND abs(r.observed) >= ${min_ratio} * abs(r.weight)
        | {r.weight, r.observed}, {n.uid})]->(t:CircuitNode {uid: $node})
WITH e, properties(rels(e), 'observed') AS observed,
     list_concat([s.uid], list_append(properties(nodes(e), 'uid'), t.uid)) AS nodes
WITH e, observed, nodes, list_product(observed) AS product, list_to_string(' ', nodes) AS tie
ORDER BY abs(product) DESC, tie
LIMIT $limit
RETURN product AS observed_weight, length(e) AS hops, observed AS observed, properties(rels(e), 'weight') AS weights,
       nodes AS nodes
ORDER BY abs(product) DESC, tie
