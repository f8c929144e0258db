-- How long installations take to upgrade: for each version the time from the fleet's first report of
-- it to that of an installation; of the installations' times the median (the lower of two), in seconds.
-- Rows: version, installations, seconds.
SELECT version, count() AS installations, quantileExactLow(0.5)(intDiv(own - fleet, 1000000)) AS seconds
FROM (
  SELECT version, toUnixTimestamp64Micro(assumeNotNull(min(window_end))) AS own,
    min(own) OVER (PARTITION BY version) AS fleet
  FROM fleet_current
  GROUP BY version, installation
)
GROUP BY version
ORDER BY version;
