-- How many different clients installations had in each week, estimated for each and added up; a week
-- is named by its Monday. One that two installations have is counted twice, and so is one that came
-- under two keys (see distinct_clients).
-- Rows: week, clients.
WITH ranks AS (
  SELECT toMonday(toDate32(window_end)) AS week, installation,
    pair.1 AS register, pair.2 AS rank
  FROM fleet_current ARRAY JOIN arrayConcat(
    JSONExtract(ifNull(usage_distinct_clients_registers, '[]'), 'Array(Tuple(UInt16, UInt8))'),
    arrayMap(
      (letter, n) -> (toUInt16(n - 1), toUInt8(ascii(letter) - if(letter < 'a', 65, 71))),
      splitByString('', substring(ifNull(usage_distinct_clients_registers, ''), 2,
        if(usage_distinct_clients_registers LIKE '"%', 16384, 0))) AS letters,
      arrayEnumerate(letters)
    )
  ) AS pair
), united AS (
  SELECT week, installation, register, max(rank) AS highest FROM ranks WHERE rank > 0
  GROUP BY week, installation, register
), sums AS (
  SELECT week, installation, count() AS used, sum(exp2(-highest)) AS total
  FROM united GROUP BY week, installation
), zeros AS (
  SELECT *, 16384 - used AS ez, log(16385 - used) AS zl FROM sums
), estimates AS (
  SELECT week, installation, round(0.7213 / (1 + 1.079 / 16384) * 16384 * used / (total + ez
    - 0.370393911 * ez + zl * (0.070471823 + zl * (0.17393686 + zl * (0.16339839 + zl * (-0.09237745
    + zl * (0.03738027 + zl * (-0.005384159 + zl * 0.00042419)))))))) AS clients
  FROM zeros
)
SELECT week, sum(clients) AS clients FROM estimates WHERE installation IS NOT NULL GROUP BY week
ORDER BY week;
