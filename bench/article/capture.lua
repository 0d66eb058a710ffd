-- What the article does with a view: uri, ip and time as JSON into Kafka's topic collection_hot_item by an asynchronous
-- producer with its defaults, then an internal redirect to the path without /web. Its work without its mistakes: the
-- time is right, only the /web in front is removed, the query is kept, the address is nginx's own and no header is read.
local cjson = require "cjson"
local producer = require "nginx.kafka.producer"

local var = ngx.var
local event = cjson.encode({
    uri = var.uri,
    ip = var.remote_addr,
    time = os.date("%Y-%m-%d %H:%M:%S"),
})

-- One producer for each worker: `new` returns the same one again.
local brokers = { { host = var.kafka_host, port = tonumber(var.kafka_port) } }
local ok, err = producer:new(brokers, { producer_type = "async" }):send("collection_hot_item", nil, event)
if not ok then
    ngx.log(ngx.ERR, "view not sent: ", err)
end

ngx.exec((string.gsub(var.uri, "^/web", "", 1)), var.args)
