-- How many different clients each installation had, on all of its nodes and over all of its reports:
-- the greatest rank of each of 16,384 registers, of which an estimate is made (LogLog-Beta). Its
-- standard error is 0.81 %, and few are counted all but exactly. A report without registers is left
-- out. Clients of two installations cannot be compared. Without a key that lasts and that the nodes
-- share (distinct_key, distinct_key_file) each client counts anew at every start and on every node.
-- Rows: installation, clients.
WITH ranks AS (
  SELECT installation, (pair ->> 0)::int AS register, (pair ->> 1)::int AS rank
  FROM fleet_current, jsonb_array_elements(
    CASE jsonb_typeof(usage_distinct_clients_registers) WHEN 'array'
      THEN usage_distinct_clients_registers END
  ) AS pair
  UNION ALL
  SELECT installation, n::int - 1,
    ascii(letter) - CASE WHEN ascii(letter) < 97 THEN 65 ELSE 71 END
  FROM fleet_current, string_to_table(
    CASE jsonb_typeof(usage_distinct_clients_registers) WHEN 'string'
      THEN usage_distinct_clients_registers #>> '{}' END, NULL
  ) WITH ORDINALITY AS t(letter, n)
  WHERE letter <> 'A'
), united AS (
  SELECT installation, register, max(rank) AS rank FROM ranks GROUP BY installation, register
), sums AS (
  SELECT installation, count(*)::float8 AS used, sum(power(2::float8, -rank)) AS sum
  FROM united GROUP BY installation
), zeros AS (
  SELECT *, 16384 - used AS ez, ln(16385 - used) AS zl FROM sums
), estimates AS (
  SELECT installation, round(0.7213 / (1 + 1.079 / 16384) * 16384 * used / (sum + ez
    - 0.370393911 * ez + zl * (0.070471823 + zl * (0.17393686 + zl * (0.16339839 + zl * (-0.09237745
    + zl * (0.03738027 + zl * (-0.005384159 + zl * 0.00042419)))))))) AS clients
  FROM zeros
)
SELECT installation, clients FROM estimates WHERE installation IS NOT NULL ORDER BY installation;
