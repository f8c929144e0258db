-- How many different clients each installation had, on all of its nodes and over all of its reports:
-- the greatest rank of each of 16,384 registers, of which an estimate is made (LogLog-Beta). Its
-- standard error is 0.81 %, and few are counted all but exactly. A report without registers is left
-- out. Clients of two installations cannot be compared. Without a key that lasts and that the nodes
-- share (distinct_key, distinct_key_file) each client counts anew at every start and on every node.
-- Rows: installation, clients.
WITH ranks AS (
  SELECT installation, pair.1 AS register, pair.2 AS rank
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
  SELECT installation, register, max(rank) AS highest FROM ranks WHERE rank > 0
  GROUP BY installation, register
), sums AS (
  SELECT installation, count() AS used, sum(exp2(-highest)) AS total
  FROM united GROUP BY installation
), zeros AS (
  SELECT *, 16384 - used AS ez, log(16385 - used) AS zl FROM sums
), estimates AS (
  SELECT installation, round(0.7213 / (1 + 1.079 / 16384) * 16384 * used / (total + ez
    - 0.370393911 * ez + zl * (0.070471823 + zl * (0.17393686 + zl * (0.16339839 + zl * (-0.09237745
    + zl * (0.03738027 + zl * (-0.005384159 + zl * 0.00042419)))))))) AS clients
  FROM zeros
)
SELECT installation, clients FROM estimates WHERE installation IS NOT NULL ORDER BY installation;
