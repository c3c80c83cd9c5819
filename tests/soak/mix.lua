-- wrk: a shop's day. Weighted requests from the file that SOAK_PLAN names, a line each: weight, method, path, body file or "-".
-- No HEAD: wrk would wait for its body.
local plan, total = {}, 0

math.randomseed(os.time())

local function whole(name)
    local file = assert(io.open(name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

for line in io.lines(os.getenv("SOAK_PLAN")) do
    local weight, method, path, body = line:match("^(%d+) (%S+) (%S+) (%S+)$")
    local headers = { Host = "127.0.0.1", Cookie = os.getenv("SOAK_COOKIE") }
    if body ~= "-" then
        headers["Content-Type"] = "multipart/form-data; boundary=soak"
        body = whole(body)
    else
        body = nil
    end
    total = total + tonumber(weight)
    plan[#plan + 1] = { upto = total, text = wrk.format(method, path, headers, body) }
end

request = function()
    local n = math.random(total)
    for _, row in ipairs(plan) do
        if n <= row.upto then
            return row.text
        end
    end
end

done = function(summary)
    local e = summary.errors
    io.write(string.format("soak %d %d %d %d %d %d\n", summary.requests, e.connect, e.read, e.write, e.status, e.timeout))
end
