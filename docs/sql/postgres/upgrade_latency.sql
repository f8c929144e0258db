-- How long installations take to upgrade: for each version the time from the fleet's first report of
-- it to that of an installation; of the installations' times the median (the lower of two), in seconds.
-- Rows: version, installations, seconds.
SELECT version, count(*) AS installations,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY floor(extract(epoch FROM own - fleet))::bigint) AS seconds
FROM (
  SELECT version, min(window_end) AS own, min(min(window_end)) OVER (PARTITION BY version) AS fleet
  FROM fleet_current
  GROUP BY version, installation
) AS first
GROUP BY version
ORDER BY version;
