-- How much is missing: reports that count, the windows in them, and the windows that never came
-- though later ones of the same process did.
-- Rows: reports, windows, missing.
SELECT count() AS reports, sum(1 + length(merged)) AS windows,
  (SELECT ifNull(sum(missing), 0) FROM fleet_gaps) AS missing
FROM fleet_current;
