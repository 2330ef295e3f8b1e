"""One file per metric; each ends in `METRIC`: counts of one answer that add up, and a score of summed counts."""
