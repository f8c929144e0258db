-- How many different clients installations had in each week, estimated for each and added up; a week
-- is named by its Monday. One that two installations have is counted twice, and so is one that came
-- under two keys (see distinct_clients).
-- Rows: week, clients.
WITH ranks AS (
  SELECT date_trunc('week', window_end AT TIME ZONE 'UTC')::date AS week, installation,
    (pair ->> 0)::int AS register, (pair ->> 1)::int AS rank
  FROM fleet_current, jsonb_array_elements(
    CASE jsonb_typeof(usage_distinct_clients_registers) WHEN 'array'
      THEN usage_distinct_clients_registers END
  ) AS pair
  UNION ALL
  SELECT date_trunc('week', window_end AT TIME ZONE 'UTC')::date AS week, installation,
    n::int - 1, ascii(letter) - CASE WHEN ascii(letter) < 97 THEN 65 ELSE 71 END
  FROM fleet_current, string_to_table(
    CASE jsonb_typeof(usage_distinct_clients_registers) WHEN 'string'
      THEN usage_distinct_clients_registers #>> '{}' END, NULL
  ) WITH ORDINALITY AS t(letter, n)
  WHERE letter <> 'A'
), united AS (
  SELECT week, installation, register, max(rank) AS rank FROM ranks GROUP BY week, installation, register
), sums AS (
  SELECT week, installation, count(*)::float8 AS used, sum(power(2::float8, -rank)) AS sum
  FROM united GROUP BY week, installation
), zeros AS (
  SELECT *, 16384 - used AS ez, ln(16385 - used) AS zl FROM sums
), estimates AS (
  SELECT week, installation, round(0.7213 / (1 + 1.079 / 16384) * 16384 * used / (sum + ez
    - 0.370393911 * ez + zl * (0.070471823 + zl * (0.17393686 + zl * (0.16339839 + zl * (-0.09237745
    + zl * (0.03738027 + zl * (-0.005384159 + zl * 0.00042419)))))))) AS clients
  FROM zeros
)
SELECT week, sum(clients) AS clients FROM estimates WHERE installation IS NOT NULL GROUP BY week
ORDER BY week;
