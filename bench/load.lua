-- Script for wrk: sends the one request that bench.ts leaves in the environment and prints the outcome as one line of JSON.
-- BENCH_BODY and BENCH_HEADERS ("Name: value" lines) are the request. With BENCH_EXPECT every reply is read and has to contain that text,
-- which slows wrk down: for warming up, not for measuring.
wrk.method = "POST"
wrk.body = os.getenv("BENCH_BODY")
for name, value in os.getenv("BENCH_HEADERS"):gmatch("([^:\n]+): ([^\n]*)") do
  wrk.headers[name] = value
end

local expected = os.getenv("BENCH_EXPECT")
local threads = {}
wrong = 0 -- global, because wrk reads it from each thread's own interpreter

function setup(thread)
  threads[#threads + 1] = thread
end

if expected then
  function response(_, _, body)
    if not body:find(expected, 1, true) then
      wrong = wrong + 1
    end
  end
end

function done(summary, latency)
  local e = summary.errors
  local bad = e.connect + e.read + e.write + e.timeout
  if expected then
    for _, thread in ipairs(threads) do
      bad = bad + thread:get("wrong")
    end
  else
    bad = bad + e.status
  end
  print(string.format('RESULT {"requests":%d,"bad":%d,"p50Us":%d}', summary.requests, bad, latency:percentile(50)))
end
