-- Who stays: of the installations that reported first in a week, how many reported so many weeks later.
-- Rows: first week, weeks since, installations.
SELECT first, intDiv(week - first, 7) AS since, count() AS installations
FROM (
  SELECT installation, week, min(week) OVER (PARTITION BY installation) AS first
  FROM (SELECT DISTINCT installation, toMonday(toDate32(window_end)) AS week FROM fleet_current)
)
GROUP BY first, since
ORDER BY first, since;
