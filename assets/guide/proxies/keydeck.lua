-- Asks keydeck about a request: http-request lua.keydeck SCOPE[,SCOPE]...|any
-- Sets txn.keydeck_status (200 when it may pass) and, from keydeck's answer, txn.keydeck_challenge and who asks.

local ADDRESS = "http://@KEYDECK@/verify"
-- Milliseconds. HAProxy asks three times again: a keydeck that hangs is a no within two seconds.
local TIMEOUT = 450
-- What keydeck needs of the request; every line of it, because two credentials are refused.
local ASKED = { "authorization", "x-api-key", "user-agent" }
local IDENTITY = { "key-id", "kind", "name", "owner", "scopes", "location", "app", "source-app", "user-type" }

local function first(headers, name)
    local values = headers and headers[name]
    return values and (values[0] or values[1]) or ""
end

core.register_action("keydeck", { "http-req" }, function(txn, scopes)
    -- Refused until keydeck says otherwise.
    txn:set_var("txn.keydeck_status", 503)
    local query, separator = "", "?scope="
    if scopes ~= "any" then
        for scope in string.gmatch(scopes, "[^,]+") do
            query, separator = query .. separator .. scope, "&scope="
        end
    end
    local request, headers = txn.http:req_get_headers(), {}
    for _, name in ipairs(ASKED) do
        if request[name] then
            headers[name] = {}
            for _, value in pairs(request[name]) do
                table.insert(headers[name], value)
            end
        end
    end
    headers["x-forwarded-for"] = { txn.f:src() }
    headers["x-original-uri"] = { txn.f:pathq() }
    local answer = core.httpclient():get({ url = ADDRESS .. query, headers = headers, timeout = TIMEOUT })
    if not answer or not answer.status or answer.status == 0 then
        return
    end
    txn:set_var("txn.keydeck_challenge", first(answer.headers, "www-authenticate"))
    for _, name in ipairs(IDENTITY) do
        txn:set_var("txn.keydeck_" .. string.gsub(name, "-", "_"), first(answer.headers, "keydeck-" .. name))
    end
    txn:set_var("txn.keydeck_status", answer.status)
end, 1)
