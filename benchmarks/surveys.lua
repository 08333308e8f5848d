-- Surveys for wrk: each with a household of its own, the other answers from the file that SURVEY_BODY names.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local file = assert(io.open(os.getenv("SURVEY_BODY"), "r"))
  body = file:read("*a")
  file:close()
  sent = 0
  run = os.getenv("SURVEY_RUN")
  headers = { ["Content-Type"] = "application/json", ["Authorization"] = os.getenv("SURVEY_AUTHORIZATION") }
end

function request()
  sent = sent + 1
  local household = run .. "-" .. number .. "-" .. sent
  return wrk.format("POST", nil, headers, (body:gsub("HOUSEHOLD", household, 1)))
end
