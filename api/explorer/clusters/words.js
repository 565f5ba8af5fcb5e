/** What clusterings, their parameters and their scores mean. */

/** What of features is clustered. @type {Record<string, string>} */
export const BASES = {
  decoder: "the directions that they write in",
  activations: "how their activations correlate over a corpus",
  attributions: "their effects over circuits",
  "attribution-graph": "what acts on what in circuits",
  "coactivation-graph": "what is active together over a corpus",
};

/** @type {{name: string, title: string, range: string, means: string}[]} */
export const SCORES = [
  { name: "stability", title: "Stability", range: "0 to 1", means: "Made again from 80 % of the features and resampled data, how much the clusters stay the same: the mean adjusted Rand index. 1: the same clusters; 0: as much as by chance." },
  { name: "modularity", title: "Modularity", range: "−0.5 to 1", means: "How far edges in circuits stay inside clusters, more than by chance. It is measured on the attribution graph whatever was clustered, so that all may be compared." },
  { name: "silhouette", title: "Silhouette", range: "−1 to 1", means: "How much nearer features are to their own cluster than to the next one, in what was clustered. To be compared on one basis only." },
];

/** @type {Record<string, string>} */
export const PARAMS = {
  clusters: "Clusters asked for",
  seed: "Seed",
  resamplings: "Resamplings that stability is a mean over",
  resolution: "Resolution that gave so many clusters",
  neighbours: "Nearest neighbours that a feature is joined with",
  components: "Principal components",
  contexts: "Contexts of the corpus",
  min_cluster_size: "Smallest cluster",
};

/** By what they were put together. @param {{basis: string | null}} clustering */
export const grounds = ({ basis }) => (basis === "circuit nodes" ? "by hand, where the circuit was imported from" : basis ? `by ${BASES[basis] ?? basis}` : "by something that is not stored");

/** @param {{method: string, basis: string | null}} clustering */
export const clusteringName = ({ method, basis }) => (basis && basis !== "circuit nodes" ? `${method} on ${basis}` : method);
