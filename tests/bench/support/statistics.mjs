// What a row of ratios says.

const quantile = (sorted, share) => {
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
};

const ascending = (values) => [...values].sort((left, right) => left - right);

export const median = (values) => quantile(ascending(values), 0.5);

/** `share` of the values lie at or below the result. */
export const percentile = (values, share) => quantile(ascending(values), share);

/**
 * Median, quartiles, and an interval that holds the true median in at least 95 % of runs: the sign test's,
 * which assumes nothing of the distribution. With fewer than six values no interval does: it is the range.
 */
export function summary(values) {
  const sorted = ascending(values);
  const rank = lowestRank(sorted.length);
  return {
    median: quantile(sorted, 0.5),
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
    interval: [sorted[rank], sorted[sorted.length - 1 - rank]],
    values: sorted.length,
  };
}

/** How many values may lie outside on either side: the largest k with P(fewer than k + 1 of n fair coins) <= 2.5 %. */
function lowestRank(count) {
  let rank = 0;
  let probability = 0.5 ** count;
  for (let sum = probability; ; rank += 1) {
    probability *= (count - rank) / (rank + 1);
    sum += probability;
    if (sum > 0.025) return rank;
  }
}

/** How a figure stands to its bar. It is above only if its whole interval is: the median alone may be noise. */
export function standing({ median, interval }, most) {
  if (interval[0] > most) return "above the bar";
  return median > most ? "within the noise" : "holds";
}
